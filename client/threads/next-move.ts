import { isUpdatableApp, ZERO_ADDRESS, type Address } from "../../protocol";
import { isFinalOnChain, type ThreadRecord } from "../../protocol/chain/thread-record";
import { paidOf, provenOf, standingOf, type OwnThread } from "./own-thread";
import { shareOf } from "./standing";

/**
 * What a party does about a thread on chain. `open`: show the terms; `payment`, `update`, `resolve`: show that; `settle`:
 * have the leg paid out of an ended session; `close`: sign its end in the channel, which goes on.
 */
export type Move = "open" | "payment" | "update" | "resolve" | "settle" | "close";

export interface Situation {
  readonly user: Address;
  /** The contract's, at head. */
  readonly record: ThreadRecord | undefined;
  /** Unix seconds, of the head. */
  readonly nowSeconds: bigint;
  readonly challengePeriodSeconds: bigint;
  /** The leg's session: whether it goes on, an exit of it runs, or it is over. */
  readonly session: "open" | "exiting" | "ended";
}

/** The next thing to do, or nothing. */
export function nextMove(own: OwnThread, situation: Situation): Move | undefined {
  const { record, session, nowSeconds, user } = situation;
  if (record === undefined) return isEnding(own, situation) ? bestEvidence(own, undefined, situation) : undefined;
  if (!isFinalOnChain(own.thread, record, nowSeconds)) return bestEvidence(own, record, situation);
  if (session === "ended") return isPaid(own, record, user) ? undefined : "settle";
  return session === "open" ? "close" : undefined;
}

/**
 * Without its channel a thread needs the contract. So does one whose app could pay the receiver later and later: its sender
 * has the window begin, well before one that a longer thread leaves for it has passed.
 */
function isEnding({ thread }: OwnThread, { session, user, nowSeconds, challengePeriodSeconds }: Situation): boolean {
  if (session !== "open") return true;
  const isConditional = thread.app !== ZERO_ADDRESS && !thread.updatable && thread.sender === user;
  return isConditional && nowSeconds > thread.expiry + challengePeriodSeconds / 2n;
}

/** What of this side's evidence the record does not have yet; without a record at least the terms. */
export function bestEvidence(
  own: OwnThread,
  record: ThreadRecord | undefined,
  situation: Pick<Situation, "user" | "nowSeconds" | "challengePeriodSeconds">,
): Move | undefined {
  const move = own.thread.updatable ? mutual(own, record, situation) : raising(own, record, situation);
  return move ?? (record === undefined ? "open" : undefined);
}

export function isPaid({ thread }: OwnThread, record: ThreadRecord, user: Address): boolean {
  return thread.sender === user ? record.senderPaid : record.receiverPaid;
}

/** Evidence that can only raise the receiver's balance is the receiver's to show. */
function raising(own: OwnThread, record: ThreadRecord | undefined, { user }: { user: Address }): Move | undefined {
  const { thread } = own;
  const shown = record?.balanceReceiver ?? thread.balanceReceiver;
  if (thread.receiver !== user || provenOf(own) <= shown) return undefined;
  return paidOf(own) > shown ? "payment" : "resolve";
}

/** The newest update is shown whomever it favours: it is what both agreed to. */
function mutual(
  own: OwnThread,
  record: ThreadRecord | undefined,
  { user, nowSeconds, challengePeriodSeconds }: Pick<Situation, "user" | "nowSeconds" | "challengePeriodSeconds">,
): Move | undefined {
  const { thread, resolved } = own;
  const { nonce } = standingOf(own);
  const [shownNonce, shown] = [record?.nonce ?? 0n, record?.balanceReceiver ?? thread.balanceReceiver];
  const isNewer = nonce > shownNonce;
  const closesAt =
    record !== undefined && isUpdatableApp(thread) ? record.deadline - challengePeriodSeconds : undefined;
  if (isNewer && closesAt !== undefined && nowSeconds >= closesAt) return undefined;
  const isStanding = isNewer || nonce === shownNonce;
  const isOpen = isNewer || record?.resolved !== true;
  const before = isNewer ? standingOf(own).balanceReceiver : shown;
  const gains = resolved !== undefined && shareOf(own, user, resolved) > shareOf(own, user, before);
  if (thread.app !== ZERO_ADDRESS && isStanding && isOpen && gains) return "resolve";
  return isNewer ? "update" : undefined;
}
