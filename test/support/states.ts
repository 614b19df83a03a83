import { ZeroAddress, ZeroHash, keccak256, toBeHex } from "ethers";
import type {
  AssetStateStruct,
  ChannelStateStruct,
  ThreadStruct,
} from "../../typechain-types/contracts/ChannelManager";

type Resolved<T> = { [K in keyof T]: Exclude<T[K], PromiseLike<unknown>> };

export type AssetRow = Resolved<AssetStateStruct>;
export type State = Resolved<Omit<ChannelStateStruct, "assets">> & { assets: AssetRow[] };
export type Terms = Resolved<ThreadStruct>;

export const ETH = ZeroAddress;

const byAddress = (a: AssetRow, b: AssetRow): number =>
  BigInt(a.asset as string) < BigInt(b.asset as string) ? -1 : 1;

/** A row of ETH with nothing in it, overridden by what the test is about. */
export function row(overrides: Partial<AssetRow> = {}): AssetRow {
  return {
    asset: ETH,
    balanceHub: 0n,
    balanceUser: 0n,
    locked: 0n,
    depositedHub: 0n,
    depositedUser: 0n,
    withdrawnHub: 0n,
    withdrawnUser: 0n,
    ...overrides,
  };
}

/** A state of session 0 at nonce 1 without threads; rows are put in order. */
export function state(user: string, assets: AssetRow[], overrides: Partial<State> = {}): State {
  return {
    user,
    session: 0n,
    nonce: 1n,
    assets: [...assets].sort(byAddress),
    threadRoot: ZeroHash,
    recipient: ZeroAddress,
    ...overrides,
  };
}

let salts = 0n;

/** Terms of a payment stream of 100 wei from sender to receiver; every call has another salt. */
export function terms(sender: string, receiver: string, overrides: Partial<Terms> = {}): Terms {
  return {
    salt: keccak256(toBeHex(++salts, 32)),
    sender,
    receiver,
    asset: ETH,
    balanceSender: 100n,
    balanceReceiver: 0n,
    updatable: false,
    expiry: 0n,
    app: ZeroAddress,
    appStateHash: ZeroHash,
    ...overrides,
  };
}
