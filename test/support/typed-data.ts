import type { TypedDataDomain, TypedDataField } from "ethers";

/** The EIP-712 types spelled out a second time, for ethers: contract tests sign with code that is not ours. */
type Types = Record<string, TypedDataField[]>;

const fields = (list: string): TypedDataField[] =>
  list.split(",").map((field) => {
    const [type = "", name = ""] = field.trim().split(" ");
    return { type, name };
  });

export const CHANNEL_STATE: Types = {
  ChannelState: fields(
    "address user, uint64 session, uint64 nonce, AssetState[] assets, bytes32 threadRoot, address recipient",
  ),
  AssetState: fields(
    "address asset, uint128 balanceHub, uint128 balanceUser, uint128 locked, uint128 depositedHub, " +
      "uint128 depositedUser, uint128 withdrawnHub, uint128 withdrawnUser",
  ),
};

export const THREAD: Types = {
  Thread: fields(
    "bytes32 salt, address sender, address receiver, address asset, uint128 balanceSender, uint128 balanceReceiver, " +
      "bool updatable, uint64 expiry, address app, bytes32 appStateHash",
  ),
};

export const THREAD_PAYMENT: Types = { ThreadPayment: fields("bytes32 threadHash, uint128 balanceReceiver") };

export const THREAD_UPDATE: Types = {
  ThreadUpdate: fields("bytes32 threadHash, uint64 nonce, uint128 balanceReceiver, bytes32 appStateHash"),
};

export const RESOLUTION: Types = {
  Resolution: fields("address channelManager, bytes32 threadHash, uint128 balanceReceiver"),
};

/** The domain that states and threads are signed in. */
export function managerDomain(verifyingContract: string, chainId: bigint): TypedDataDomain {
  return { name: "ChannelManager", version: "1", chainId, verifyingContract };
}
