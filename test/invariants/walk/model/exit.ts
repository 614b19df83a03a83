import { ZERO_HASH, type Address, type AssetState } from "../../../../protocol";
import { hub, treasury } from "../actors";
import type { Refusal, SignedState } from "../calls";
import { stateHashOf } from "../signatures";
import type { Channel, Ledger } from "./books";
import { broken, type Model, type Rules } from "./model";
import { brokenByState } from "./state";

type Exit = Pick<Rules, "startExit" | "challenge" | "settle" | "reclaim">;

const EMPTY: Ledger = { depositedHub: 0n, withdrawnHub: 0n, depositedUser: 0n, withdrawnUser: 0n };

export const exit: Exit = {
  startExit: (model, signed, { from }) => {
    const { state } = signed;
    const { session, exitDeadline } = model.books.channel.get(state.user);
    const isParty = from === state.user || from === hub.address || from === treasury.address;
    const hasAnything = state.assets.some(
      (row) => remaining(model.books.ledger.get(state.user, session, row.asset)) > 0n,
    );
    const reasons = [
      ...broken(!isParty, "NotParty", from),
      ...broken(exitDeadline !== 0n, "ChannelExiting", exitDeadline),
      ...brokenByState(model, signed),
      ...broken(!hasAnything, "NothingToExit", state.user),
    ];
    if (reasons.length > 0) return reasons;
    const deadline = model.now + model.world.periodSeconds;
    model.books.channel.set({ session, exitNonce: state.nonce, exitDeadline: deadline }, state.user);
    logExit(model, "ExitStarted", signed, from, session, deadline);
    return [];
  },

  challenge: (model, signed, { from }) => {
    const { state } = signed;
    const channel = model.books.channel.get(state.user);
    const { session, exitNonce, exitDeadline } = channel;
    const reasons = [
      ...brokenUnlessExiting(channel),
      ...broken(exitDeadline !== 0n && model.now >= exitDeadline, "DeadlinePassed", exitDeadline),
      ...broken(exitDeadline !== 0n && state.nonce <= exitNonce, "NonceNotHigher", exitNonce, state.nonce),
      ...brokenByState(model, signed),
    ];
    if (reasons.length > 0) return reasons;
    model.books.channel.set({ session, exitNonce: state.nonce, exitDeadline }, state.user);
    logExit(model, "ExitChallenged", signed, from, session, exitDeadline);
    return [];
  },

  settle: (model, signed) => {
    const { state } = signed;
    const channel = model.books.channel.get(state.user);
    const { session, exitNonce, exitDeadline } = channel;
    const reasons = [
      ...brokenUnlessExiting(channel),
      ...broken(model.now < exitDeadline, "DeadlineNotReached", exitDeadline),
      ...broken(exitDeadline !== 0n && state.nonce !== exitNonce, "NonceDiffers", exitNonce, state.nonce),
      ...brokenByState(model, signed),
    ];
    if (reasons.length > 0) return reasons;
    model.books.channel.set({ session: session + 1n, exitNonce: 0n, exitDeadline: 0n }, state.user);
    if (state.threadRoot !== ZERO_HASH) model.books.root.set(state.threadRoot, state.user, session);
    model.log("Settled", state.user, session, state.nonce, stateHashOf(state), state.threadRoot);
    const payouts = state.assets.map((row) => settleAsset(model, state.user, session, row));
    for (const [i, { asset }] of state.assets.entries()) model.payOut(state.user, state.user, asset, payouts[i]!);
    return [];
  },

  reclaim: (model, { user, session, asset }) => {
    const current = model.books.channel.get(user).session;
    const ledger = model.books.ledger.get(user, session, asset);
    const rest = remaining(ledger);
    const reasons = [
      ...broken(session >= current, "SessionNotEnded", current, session),
      ...broken(rest === 0n, "NothingToReclaim", user, session, asset),
    ];
    if (reasons.length > 0) return reasons;
    const own = ledger.depositedUser - ledger.withdrawnUser;
    const amountUser = own < 0n ? 0n : own < rest ? own : rest;
    model.books.ledger.set(EMPTY, user, session, asset);
    model.addReserve(asset, rest - amountUser);
    model.log("Reclaimed", user, asset, session, amountUser, rest - amountUser);
    model.payOut(user, user, asset, amountUser);
    return [];
  },
};

/** Deposits minus withdrawals. */
export function remaining(ledger: Ledger): bigint {
  return ledger.depositedHub + ledger.depositedUser - ledger.withdrawnHub - ledger.withdrawnUser;
}

function brokenUnlessExiting({ exitDeadline }: Channel): readonly Refusal[] {
  return broken(exitDeadline === 0n, "ChannelNotExiting");
}

function logExit(
  model: Model,
  event: string,
  { state, sigHub, sigUser }: SignedState,
  caller: Address,
  session: bigint,
  deadline: bigint,
): void {
  model.log(event, state.user, caller, session, state.nonce, stateHashOf(state), deadline, sigHub, sigUser);
}

/** Books an asset of a settlement. Answers with what the user gets. */
function settleAsset(model: Model, user: Address, session: bigint, row: AssetState): bigint {
  const { asset, locked } = row;
  const ledger = model.books.ledger.get(user, session, asset);
  const unaccounted = ledger.depositedUser - row.depositedUser;
  const unexecuted = row.withdrawnUser - ledger.withdrawnUser;
  const amountUser = row.balanceUser + unaccounted + unexecuted;
  // Written as what is left, not as the hub's own sum: settling an asset pays all of it.
  const amountHub = remaining(ledger) - amountUser - locked;
  model.books.ledger.set(EMPTY, user, session, asset);
  if (locked > 0n) model.books.locked.set(locked, user, session, asset);
  model.addReserve(asset, amountHub);
  model.log("AssetSettled", user, asset, session, amountUser, amountHub, locked);
  return amountUser;
}
