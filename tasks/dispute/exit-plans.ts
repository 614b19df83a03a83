import {
  MAX_ASSETS,
  parseEvidence,
  remaining,
  reclaimPayouts,
  unsignedState,
  type Address,
  type Evidence,
  type SignedState,
} from "../../protocol";
import { assetsOf, readDisputes, readEvents } from "../../protocol/chain/dispute-view";
import type { ChainEvent } from "../../protocol/chain/events";
import { payoutGasLimit } from "../../protocol/chain/payout-gas";
import type { OpenExit } from "../../protocol/dispute";
import type { Step } from "../chain/transactions";
import { operationError } from "../errors";
import type { DisputeDeps } from "./deps";
import type { Plan } from "./move";
import { countdownOf, showOf, timeOf } from "./words";

const NEXT_STATUS = (user: Address): string => `dispute status --user ${user}`;

/** Starts an exit with the newest state of the evidence, or, without any, with the one before anything was signed. */
export async function planStart(
  deps: DisputeDeps,
  user: Address,
  evidence: Evidence | undefined,
  account: string,
): Promise<Plan> {
  const { events, exit } = await channelNow(deps, user);
  if (exit !== undefined) {
    const done = `The exit of ${user} runs already, at state ${exit.nonce}, until ${timeOf(exit.deadline)}.`;
    return { what: "start an exit", account, steps: [], done, next: NEXT_STATUS(user) };
  }
  const { session } = await deps.manager.channelOf(user);
  const signed = newestOf(evidence, session) ?? unsignedOf(user, session, events);
  const what = `start the exit of ${user} with state ${signed.state.nonce} of session ${session}`;
  return { what, account, steps: [stateStep(deps, "startExit", signed, what)], next: NEXT_STATUS(user) };
}

/** Shows the newest state of the evidence. @throws NothingInDispute, EvidenceMissing */
export async function planChallenge(
  deps: DisputeDeps,
  user: Address,
  evidence: Evidence | undefined,
  account: string,
): Promise<Plan> {
  const exit = await requireExit(deps, user);
  const signed = newestOf(evidence, exit.session);
  if (signed === undefined) throw operationError("EvidenceMissing", { user });
  if (signed.state.nonce <= exit.nonce) {
    const done = `The exit stands at state ${exit.nonce} already; state ${signed.state.nonce} at hand is not newer.`;
    return { what: "challenge", account, steps: [], done, next: NEXT_STATUS(user) };
  }
  const what = `challenge the exit of ${user} with state ${signed.state.nonce}`;
  return { what, account, steps: [stateStep(deps, "challenge", signed, what)], next: NEXT_STATUS(user) };
}

/** Settles the standing state, which the chain itself has. @throws NothingInDispute, EvidenceMissing */
export async function planSettle(
  deps: DisputeDeps,
  user: Address,
  evidence: Evidence | undefined,
  account: string,
): Promise<Plan> {
  const { exit, events } = await channelNow(deps, user);
  if (exit === undefined) {
    const last = events.findLast((event) => event.name === "Settled");
    if (last === undefined) throw operationError("NothingInDispute", { user, what: "running exit" });
    const done = `No exit runs; session ${last.session} was settled last, by state ${last.nonce}.`;
    return { what: "settle", account, steps: [], done, next: `dispute timeline --user ${user}` };
  }
  const held = newestOf(evidence, exit.session);
  const signed = exit.standing ?? (held?.state.nonce === exit.nonce ? held : undefined);
  if (signed === undefined) throw operationError("EvidenceMissing", { user });
  const left = exit.deadline - BigInt(deps.head.timestamp);
  if (left > 0n) deps.terminal.progress(`The window ends ${timeOf(exit.deadline)}, ${countdownOf(left)}.`);
  const what = `settle session ${exit.session} of ${user} by state ${exit.nonce}`;
  return { what, account, steps: [stateStep(deps, "settle", signed, what)], next: `dispute timeline --user ${user}` };
}

/** Takes what failed payouts left, and what ended sessions hold of assets that their last state did not name. */
export async function planClaim(deps: DisputeDeps, user: Address, to: Address, account: string): Promise<Plan> {
  const { manager, channelManager } = deps;
  const { events } = await channelNow(deps, user);
  const assets = assetsOf(events, user);
  const show = await showOf(deps, assets);
  const claims = await Promise.all(
    assets.map(async (asset): Promise<readonly Step[]> => {
      const amount = await manager.claimableOf(user, asset);
      if (amount === 0n) return [];
      const data = manager.interface.encodeFunctionData("claim", [asset, to]);
      return [{ what: `claim ${show(asset, amount)} to ${to}`, to: channelManager, data, valueWei: 0n }];
    }),
  );
  const ended = events.filter((event) => event.name === "Settled" && event.user === user);
  const reclaims = await Promise.all(
    ended.flatMap((event) =>
      "session" in event ? assets.map((asset) => reclaimStep(deps, user, event.session, asset, show)) : [],
    ),
  );
  const steps = [...reclaims.flat(), ...claims.flat()];
  const done = `Nothing waits for ${user}: no payout has failed, and ended sessions are empty.`;
  return { what: `take what waits for ${user}`, account, steps, done, next: `dispute timeline --user ${user}` };
}

async function reclaimStep(
  { manager, channelManager }: DisputeDeps,
  user: Address,
  session: bigint,
  asset: Address,
  show: (asset: Address, units: bigint) => string,
): Promise<readonly Step[]> {
  const { depositedHub, depositedUser, withdrawnHub, withdrawnUser } = await manager.ledgerOf(user, session, asset);
  const ledger = { depositedHub, depositedUser, withdrawnHub, withdrawnUser };
  if (remaining(ledger) === 0n) return [];
  const data = manager.interface.encodeFunctionData("reclaim", [user, session, asset]);
  const { amountUser, amountHub } = reclaimPayouts(ledger);
  const what = `reclaim ${show(asset, amountUser)} for the user and ${show(asset, amountHub)} for the hub from session ${session}`;
  return [{ what, to: channelManager, data, valueWei: 0n }];
}

/** A channel's events and its running exit. */
export async function channelNow(
  deps: DisputeDeps,
  user: Address,
): Promise<{ readonly events: readonly ChainEvent[]; readonly exit: OpenExit | undefined }> {
  const { provider, channelManager, fromBlock, head } = deps;
  const events = await readEvents(provider, channelManager, { fromBlock, toBlock: head.number }, user);
  const { exits } = await readDisputes(provider, channelManager, events, head);
  return { events, exit: exits.find((each) => each.user === user) };
}

async function requireExit(deps: DisputeDeps, user: Address): Promise<OpenExit> {
  const { exit } = await channelNow(deps, user);
  if (exit === undefined) throw operationError("NothingInDispute", { user, what: "running exit" });
  return exit;
}

/** The newest state of the evidence, if it is of this session. */
export function newestOf(evidence: Evidence | undefined, session: bigint): SignedState | undefined {
  const signed = evidence && parseEvidence(evidence).doubleSigned;
  return signed?.state.session === session ? signed : undefined;
}

/** What a party exits with when the other never signed anything. */
export function unsignedOf(user: Address, session: bigint, events: readonly ChainEvent[]): SignedState {
  const assets = assetsOf(events, user).slice(0, MAX_ASSETS);
  return { state: unsignedState(user, session, assets), sigHub: "0x", sigUser: "0x" };
}

export function stateStep(
  { manager, channelManager }: Pick<DisputeDeps, "manager" | "channelManager">,
  call: "startExit" | "challenge" | "settle",
  { state, sigHub, sigUser }: SignedState,
  what: string,
): Step {
  const given = { ...state, assets: [...state.assets] };
  const data = manager.interface.encodeFunctionData(call as "settle", [given, sigHub, sigUser]);
  const gas = call === "settle" ? { gasLimit: payoutGasLimit(state) } : {};
  return { what, to: channelManager, data, valueWei: 0n, ...gas };
}
