import type { ThreadUpdate } from "../../protocol";
import { aboveEverything, withDoubleSigned, type ChannelRecord } from "../engine/record";
import type { OwnThread } from "../threads/own-thread";

/**
 * A record with what a backup adds to it. Whatever comes from a backup may be old: the result is not complete, so that the
 * hub is asked before anything is signed, and its own nonces begin a thousand steps above everything that was shown. Wishes
 * for withdrawals are not taken over: one of an old backup may have been fulfilled since, and would be signed again.
 * The device number stays this store's own: the store that the backup was made of has another one.
 * @param shown Nonces that chain, tower or anybody has shown.
 */
export function restoredRecord(
  own: ChannelRecord,
  given: ChannelRecord | undefined,
  shown: readonly bigint[],
): ChannelRecord {
  if (given === undefined || addsNothing(own, given)) return withShown(own, shown);
  const merged = given.session === own.session ? merge(own, given) : own;
  return { ...aboveEverything(merged, given.highestSigned, ...noncesOf(given), ...shown), isComplete: false };
}

/** A complete record stays so as long as nobody shows anything above it. */
function withShown(own: ChannelRecord, shown: readonly bigint[]): ChannelRecord {
  const isKnown = own.isComplete && shown.every((nonce) => nonce <= own.highestSigned);
  return isKnown ? own : { ...aboveEverything(own, ...shown), isComplete: false };
}

/** An older copy of this very record. */
function addsNothing(own: ChannelRecord, given: ChannelRecord): boolean {
  const known = own.isComplete ? own.highestSigned : -1n;
  return own.session >= given.session && [given.highestSigned, ...noncesOf(given)].every((nonce) => nonce <= known);
}

export function noncesOf({ doubleSigned, pending, issued }: ChannelRecord): readonly bigint[] {
  const own = issued.map(({ state }) => state.nonce);
  return [doubleSigned?.state.nonce ?? 0n, ...pending.map(({ nonce }) => nonce), ...own];
}

/** The newest state both signed; on top of it what this side once signed, since the hub may still countersign that. */
function merge(own: ChannelRecord, given: ChannelRecord): ChannelRecord {
  const isNewer = nonceOf(given) > nonceOf(own);
  const issued = [
    ...own.issued,
    ...given.issued.filter(({ state }) => own.issued.every((each) => each.state.nonce !== state.nonce)),
  ];
  const sorted = issued.sort((a, b) => (a.state.nonce < b.state.nonce ? -1 : 1));
  const all = { ...own, issued: sorted };
  if (!isNewer || given.doubleSigned === undefined) {
    const hasMore = nonceOf(given) === nonceOf(own) && own.pending.length === 0;
    return { ...all, pending: hasMore ? given.pending : own.pending };
  }
  const base = withDoubleSigned(all, given.doubleSigned, given.threads);
  return { ...base, threads: given.threads, pending: given.pending };
}

function nonceOf({ doubleSigned }: ChannelRecord): bigint {
  return doubleSigned?.state.nonce ?? 0n;
}

/** Of two records of one thread the better proof of each kind. The state of the leg is the store's own where it has one. */
export function mergedThread(own: OwnThread | undefined, given: OwnThread): OwnThread {
  if (own === undefined) return given;
  const payment = higher(own.payment, given.payment, (each) => each.payment.balanceReceiver);
  const update = higher(own.update, given.update, (each) => each.update.nonce);
  const ownUpdate = higher(
    own.ownUpdate,
    given.ownUpdate,
    (each: { readonly update: ThreadUpdate }) => each.update.nonce,
  );
  const resolution = higher(own.resolution, given.resolution, ({ nonce }) => nonce);
  const { resolved } = resolution === given.resolution ? given : own;
  const leg = own.leg === "none" ? given.leg : own.leg;
  return {
    ...given,
    ...own,
    leg,
    appStates: { ...given.appStates, ...own.appStates },
    ...(payment === undefined ? {} : { payment }),
    ...(update === undefined ? {} : { update }),
    ...(ownUpdate === undefined ? {} : { ownUpdate }),
    ...(resolution === undefined ? {} : { resolution }),
    ...(resolved === undefined ? {} : { resolved }),
  };
}

function higher<Value>(
  own: Value | undefined,
  given: Value | undefined,
  of: (value: Value) => bigint,
): Value | undefined {
  if (own === undefined || given === undefined) return own ?? given;
  return of(given) > of(own) ? given : own;
}
