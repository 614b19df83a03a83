import { unsignedState, type Address, type ChannelState, type Hash, type Hex, type Thread } from "../../protocol";
import { payoutGasLimit } from "../../protocol/chain/payout-gas";
import type { Showing } from "../../protocol/chain/thread-showing";
import { ChannelManager__factory } from "../../typechain-types";
import type { ChannelStateStruct } from "../../typechain-types/contracts/ChannelManager";
import type { GuardedChannel, TowerCall } from "../store/tower-store";

// All that a tower ever sends. Anybody may; none of them pays the sender, or anybody the sender chooses.

const manager = ChannelManager__factory.createInterface();

type Signed = Pick<GuardedChannel, "state" | "sigHub" | "sigUser">;

/** Shows a newer state than the one that an exit stands at. @param deadline Unix seconds. */
export function challengeCall(signed: Signed, deadline: bigint): TowerCall {
  const { user, session, nonce } = signed.state;
  const data = manager.encodeFunctionData("challenge", argsOf(signed)) as Hex;
  return { id: `challenge:${user}:${session}:${nonce}`, data, deadline };
}

export function settleCall(signed: Signed): TowerCall {
  const { user, session, nonce } = signed.state;
  const data = manager.encodeFunctionData("settle", argsOf(signed)) as Hex;
  return { id: `settle:${user}:${session}:${nonce}`, data, gasLimit: payoutGasLimit(signed.state) };
}

/** Settles an exit that stands at nonce 0, which nobody signed. */
export function settleUnsignedCall({ user, session, assets }: ChannelState): TowerCall {
  const state = unsignedState(
    user,
    session,
    assets.map(({ asset }) => asset),
  );
  return settleCall({ state, sigHub: "0x", sigUser: "0x" });
}

/** @param deadline Of the thread's window, once it is open. Unix seconds. */
export function showCall(hash: Hash, { data, name, gasLimit }: Showing, deadline: bigint | undefined): TowerCall {
  return {
    ...{ id: `show:${hash}:${name}`, data: data as Hex },
    ...(gasLimit === undefined ? {} : { gasLimit }),
    ...(deadline === undefined ? {} : { deadline }),
  };
}

/** Pays a leg of a final thread out of an ended session. @param proof From the leaf up to the session's root. */
export function settleThreadCall(
  user: Address,
  session: bigint,
  hash: Hash,
  thread: Thread,
  proof: readonly Hash[],
): TowerCall {
  const data = manager.encodeFunctionData("settleThread", [user, session, thread, [...proof]]) as Hex;
  const gasLimit = payoutGasLimit({ assets: [{ asset: thread.asset }] });
  return { id: `leg:${user}:${session}:${hash}`, data, gasLimit };
}

function argsOf({ state, sigHub, sigUser }: Signed): [ChannelStateStruct, string, string] {
  return [{ ...state, assets: [...state.assets] }, sigHub, sigUser];
}
