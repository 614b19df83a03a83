import type { Address } from "../address";
import type { ChannelState } from "../channel-state";
import type { SignedState } from "../evidence";
import type { Hash } from "../hex";
import type { Ledgers } from "../ledger";
import { reclaimPayouts, settlementPayouts, type AssetSettlement } from "../payouts";
import type { Action, Party } from "./action";
import { challengeGas, settleGas } from "./gas";

/** A running exit as one block has it. */
export interface OpenExit {
  readonly user: Address;
  readonly session: bigint;
  /** The standing one. */
  readonly nonce: bigint;
  readonly stateHash: Hash;
  /** Unix seconds. */
  readonly deadline: bigint;
  readonly ledgers: Ledgers;
  /** What was given to the contract, where its transaction can be read; of nonce 0 the unsigned one. */
  readonly standing?: SignedState;
}

export interface AssetChange {
  readonly asset: Address;
  /** Base units, what the user and the hub get more by the newer state; negative: less. */
  readonly user: bigint;
  readonly hub: bigint;
}

/** What becomes of an exit. */
export interface ExitForecast extends OpenExit {
  readonly kind: "exit";
  /** Negative: that long ago. */
  readonly secondsLeft: bigint;
  /** `overdue`: the window has passed and nobody has settled. */
  readonly phase: "open" | "overdue";
  /** Per asset, if nothing more is shown; undefined where the standing state is not known. */
  readonly asItStands?: readonly AssetSettlement[];
  /** With the newest state at hand, if it is newer. */
  readonly withEvidence?: readonly AssetSettlement[];
  readonly heldNonce?: bigint;
  /** What the newer state changes. */
  readonly changes: readonly AssetChange[];
  readonly action: Action;
}

/** @param held The newest double-signed state at hand, of any session. @param nowSeconds Of the chain, or later */
export function forecastExit(exit: OpenExit, held: SignedState | undefined, nowSeconds: bigint): ExitForecast {
  const newest = held?.state.session === exit.session && held.state.user === exit.user ? held.state : undefined;
  const standing = exit.standing?.state ?? (newest?.nonce === exit.nonce ? newest : undefined);
  const isNewer = newest !== undefined && newest.nonce > exit.nonce;
  const asItStands = exit.nonce === 0n || standing !== undefined ? payoutsOf(standing, exit.ledgers) : undefined;
  const withEvidence = isNewer ? payoutsOf(newest, exit.ledgers) : undefined;
  const changes = asItStands && withEvidence ? changesBetween(asItStands, withEvidence) : [];
  const secondsLeft = exit.deadline - nowSeconds;
  const action =
    secondsLeft <= 0n
      ? settleNow(exit, asItStands)
      : isNewer
        ? challengeWith(newest, exit, changes, standing)
        : waitFor(exit, asItStands, newest);
  return {
    ...exit,
    ...{ kind: "exit", secondsLeft, phase: secondsLeft <= 0n ? "overdue" : "open", changes, action },
    ...(asItStands === undefined ? {} : { asItStands }),
    ...(withEvidence === undefined ? {} : { withEvidence }),
    ...(newest === undefined ? {} : { heldNonce: newest.nonce }),
  };
}

/** What settling a state pays, and what `reclaim` then pays of assets it does not name. @param state Undefined: nonce 0 */
function payoutsOf(state: ChannelState | undefined, ledgers: Ledgers): readonly AssetSettlement[] {
  const listed = state === undefined || state.nonce === 0n ? [] : settlementPayouts(state, ledgers);
  const names = new Set(listed.map(({ asset }) => asset));
  const rest = [...ledgers].filter(([asset]) => !names.has(asset));
  const reclaimed = rest.map(([asset, ledger]) => ({ asset, ...reclaimPayouts(ledger), locked: 0n }));
  return [...listed, ...reclaimed].filter(({ amountUser, amountHub, locked }) => amountUser + amountHub + locked > 0n);
}

function changesBetween(before: readonly AssetSettlement[], after: readonly AssetSettlement[]): readonly AssetChange[] {
  const assets = [...new Set([...before, ...after].map(({ asset }) => asset))];
  const nothing = { amountUser: 0n, amountHub: 0n };
  return assets.flatMap((asset) => {
    const [old, now] = [before, after].map((each) => each.find((row) => row.asset === asset) ?? nothing);
    const user = (now?.amountUser ?? 0n) - (old?.amountUser ?? 0n);
    const hub = (now?.amountHub ?? 0n) - (old?.amountHub ?? 0n);
    return user === 0n && hub === 0n ? [] : [{ asset, user, hub }];
  });
}

/** Whoever gets less by the older state stands up; where that state is not known, both should. */
function challengeWith(
  newest: ChannelState,
  { deadline, nonce }: OpenExit,
  changes: readonly AssetChange[],
  standing: ChannelState | undefined,
): Action {
  const isUnknown = standing === undefined && nonce !== 0n;
  const losers: readonly Party[] = [
    ...(isUnknown || changes.some(({ user }) => user > 0n) ? (["user"] as const) : []),
    ...(isUnknown || changes.some(({ hub }) => hub > 0n) ? (["hub"] as const) : []),
  ];
  const hasOtherThreads = newest.threadRoot !== (standing?.threadRoot ?? newest.threadRoot);
  return {
    move: "challenge",
    who: losers.length > 0 ? losers : hasOtherThreads ? ["user", "hub"] : ["anybody"],
    by: deadline - 1n,
    transaction: "challenge",
    gas: challengeGas(newest.assets.length),
    why: `state ${newest.nonce} is newer than the standing ${nonce}: the contract pays by the newest that it is shown in time`,
  };
}

function waitFor(
  exit: OpenExit,
  payouts: readonly AssetSettlement[] | undefined,
  newest: ChannelState | undefined,
): Action {
  const isBest = newest?.nonce === exit.nonce;
  return {
    move: "wait",
    who: ["anybody"],
    from: exit.deadline,
    transaction: "settle",
    gas: settleGas(payouts?.length ?? 1),
    why: isBest
      ? "the standing state is the newest at hand; after the deadline anybody may settle it"
      : newest === undefined
        ? "no newer state is at hand here; after the deadline anybody may settle the standing one"
        : `the standing state is newer than state ${newest.nonce} at hand; after the deadline anybody may settle it`,
  };
}

function settleNow({ deadline, nonce }: OpenExit, payouts: readonly AssetSettlement[] | undefined): Action {
  return {
    move: "settle",
    who: ["anybody"],
    from: deadline,
    transaction: "settle",
    gas: settleGas(payouts?.length ?? 1),
    why: `the window is over: nothing can change any more, and the money waits for somebody to settle state ${nonce}`,
  };
}
