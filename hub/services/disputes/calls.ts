import type { Address, ChannelState, Hash, Thread } from "../../../protocol";
import { payoutGasLimit } from "../../../protocol/chain/payout-gas";
import { ChannelManager__factory } from "../../../typechain-types";
import type { ChannelStateStruct } from "../../../typechain-types/contracts/ChannelManager";
import type { DoubleSigned } from "../../store/channel-store";
import type { EndedLeg } from "../../store/ended-session-store";
import type { OutgoingRequest } from "../outgoing";

// Transactions of disputes. Their ids say what they do to whose channel, so that each is sent once (see `ends.ts`).

const manager = ChannelManager__factory.createInterface();

/** Checking two signatures and a state; more than `challenge`, `startExit` and the calls about threads take. */
export const CALL_GAS = 200_000n;

/** Names the transaction that does this with a state: it is sent once. */
export function idOf(
  what: "challenge" | "settle" | "exit",
  { user, session, nonce }: Pick<ChannelState, "user" | "session" | "nonce">,
): string {
  return `${what}:${user}:${session}:${nonce}`;
}

/** Shows a newer state than the one that an exit stands at. @param deadline Unix seconds. */
export function challengeCall(to: Address, signed: DoubleSigned, deadline: bigint): OutgoingRequest {
  const data = manager.encodeFunctionData("challenge", stateArgs(signed));
  return { ...dispute(idOf("challenge", signed.state), to, data), deadlineSeconds: Number(deadline) };
}

export function settleCall(to: Address, signed: DoubleSigned): OutgoingRequest {
  const data = manager.encodeFunctionData("settle", stateArgs(signed));
  return { ...dispute(idOf("settle", signed.state), to, data), gasLimit: payoutGasLimit(signed.state) };
}

/** Nothing hurries: the window begins when it is mined. */
export function startExitCall(to: Address, signed: DoubleSigned): OutgoingRequest {
  const data = manager.encodeFunctionData("startExit", stateArgs(signed));
  return { ...dispute(idOf("exit", signed.state), to, data), kind: "normal" };
}

export function reclaimCall(to: Address, user: Address, session: bigint, asset: Address): OutgoingRequest {
  const data = manager.encodeFunctionData("reclaim", [user, session, asset]);
  const gasLimit = payoutGasLimit({ assets: [{ asset }] });
  return { ...dispute(`reclaim:${user}:${session}:${asset}`, to, data), kind: "normal", gasLimit };
}

/** Pays a leg of a final thread out of an ended session. @param proof From the leaf up to the session's root. */
export function settleThreadCall(to: Address, leg: EndedLeg, thread: Thread, proof: readonly Hash[]): OutgoingRequest {
  const { user, session, hash } = leg;
  const data = manager.encodeFunctionData("settleThread", [user, session, thread, [...proof]]);
  const gasLimit = payoutGasLimit({ assets: [{ asset: thread.asset }] });
  return { ...dispute(`leg:${user}:${session}:${hash}`, to, data), gasLimit };
}

function stateArgs({ state, sigHub, sigUser }: DoubleSigned): [ChannelStateStruct, string, string] {
  return [structOf(state), sigHub, sigUser];
}

function structOf(state: ChannelState): ChannelStateStruct {
  return { ...state, assets: [...state.assets] };
}

function dispute(id: string, to: Address, data: string): OutgoingRequest {
  return { id, to, data, valueWei: 0n, kind: "dispute" };
}
