import {
  formatSignedThreadPayment,
  formatSignedThreadUpdate,
  formatThread,
  formatThreadResolution,
  formatThreadUpdate,
  hashThread,
  parseSignedThreadPayment,
  parseSignedThreadUpdate,
  parseThread,
  parseThreadResolution,
  parseThreadUpdate,
  toWire,
  type Address,
  type Hash,
  type Hex,
  type Json,
  type Signature,
  type SignedThreadPayment,
  type SignedThreadUpdate,
  type Thread,
  type ThreadEvidence,
  type ThreadResolution,
  type ThreadUpdate,
} from "../../protocol";
import type { ThreadRecord } from "../../protocol/chain/thread-record";

/** Where this side's stake is. `open`: in its channel's state; `closed`: back in it; `settled`: paid by the contract. */
export type OwnLeg = "none" | "open" | "closed" | "settled";

/** An update that this side has signed: the other one may have completed it, or still can. */
export interface OwnUpdate {
  readonly update: ThreadUpdate;
  readonly signature: Signature;
}

/** What a party knows of one thread, on disk before anything of it is sent. */
export interface OwnThread {
  readonly hash: Hash;
  readonly thread: Thread;
  readonly sigSender?: Signature;
  readonly sigReceiver?: Signature;
  readonly leg: OwnLeg;
  /** Of the own channel in which the leg was opened. */
  readonly session?: bigint;
  /** The highest payment that was signed. */
  readonly payment?: SignedThreadPayment;
  /** The newest update that both have signed. */
  readonly update?: SignedThreadUpdate;
  /** The newest update that this side has signed, whether or not the other one has. */
  readonly ownUpdate?: OwnUpdate;
  /** App states by their hashes: those of the terms and of every update that may still stand. */
  readonly appStates: Readonly<Record<Hash, Hex>>;
  /** What the app was shown of the standing state, */
  readonly resolution?: ThreadResolution;
  /** and what it answers to that: the receiver's balance. */
  readonly resolved?: bigint;
  /** Its adjudication as this side last saw it, once anybody has shown evidence. */
  readonly onChain?: ThreadRecord;
  /** This side has signed its leg's end: nothing that comes later counts any more. */
  readonly isEnding?: boolean;
  /** What the receiver got, once the leg is closed. */
  readonly outcome?: bigint;
}

/** A record of terms of which nothing has happened yet. @param appState What `appStateHash` is the hash of, with an app. */
export function newOwnThread(thread: Thread, appState?: Hex): OwnThread {
  const appStates = appState === undefined ? {} : { [thread.appStateHash]: appState };
  return { hash: hashThread(thread), thread, leg: "none", appStates };
}

export function isSender({ thread }: OwnThread, user: Address): boolean {
  return thread.sender === user;
}

/** The other party. */
export function peerOf({ thread }: OwnThread, user: Address): Address {
  return thread.sender === user ? thread.receiver : thread.sender;
}

/** What both have agreed to last: of the newest update, or of the terms. */
export function standingOf({ thread, update }: OwnThread): Omit<ThreadUpdate, "threadHash"> {
  if (update !== undefined) return update.update;
  return { nonce: 0n, balanceReceiver: thread.balanceReceiver, appStateHash: thread.appStateHash };
}

/** The highest balance that the sender has signed for the receiver of a thread that is not updatable. */
export function paidOf({ thread, payment }: OwnThread): bigint {
  return payment?.payment.balanceReceiver ?? thread.balanceReceiver;
}

/** What this record proves; nothing before both have signed the terms. */
export function threadEvidenceOf(record: OwnThread): ThreadEvidence | undefined {
  const { thread, sigSender, sigReceiver, payment, update, resolution } = record;
  if (sigSender === undefined || sigReceiver === undefined) return undefined;
  return {
    ...{ thread, sigSender, sigReceiver },
    ...(payment === undefined ? {} : { payment }),
    ...(update === undefined ? {} : { update }),
    ...(resolution === undefined ? {} : { resolution }),
  };
}

/**
 * What the receiver gets by what this side can prove, in base units. An app's answer replaces what both had agreed to, or,
 * where evidence can only raise, counts if it is more.
 */
export function provenOf(own: OwnThread): bigint {
  const { thread, resolution, resolved } = own;
  const standing = thread.updatable ? standingOf(own).balanceReceiver : paidOf(own);
  if (resolved === undefined || resolution?.nonce !== standingOf(own).nonce) return standing;
  return thread.updatable || resolved > standing ? resolved : standing;
}

export function formatOwnThread(record: OwnThread): string {
  const { thread, payment, update, ownUpdate, resolution, resolved, session, onChain, outcome, ...rest } = record;
  return JSON.stringify({
    ...rest,
    thread: formatThread(thread),
    payment: payment && formatSignedThreadPayment(payment),
    update: update && formatSignedThreadUpdate(update),
    ownUpdate: ownUpdate && { update: formatThreadUpdate(ownUpdate.update), signature: ownUpdate.signature },
    resolution: resolution && formatThreadResolution(resolution),
    resolved: resolved?.toString(),
    session: session?.toString(),
    onChain: onChain && toWire(onChain),
    outcome: outcome?.toString(),
  });
}

/** Reads what `formatOwnThread` wrote. */
export function parseOwnThread(text: string): OwnThread {
  const stored = JSON.parse(text) as StoredThread;
  const { thread, payment, update, ownUpdate, resolution, resolved, session, onChain, outcome, ...rest } = stored;
  return {
    ...rest,
    thread: parseThread(thread),
    ...(payment === undefined ? {} : { payment: parseSignedThreadPayment(payment) }),
    ...(update === undefined ? {} : { update: parseSignedThreadUpdate(update) }),
    ...(ownUpdate === undefined
      ? {}
      : { ownUpdate: { update: parseThreadUpdate(ownUpdate.update), signature: ownUpdate.signature } }),
    ...(resolution === undefined ? {} : { resolution: parseThreadResolution(resolution) }),
    ...(resolved === undefined ? {} : { resolved: BigInt(resolved) }),
    ...(session === undefined ? {} : { session: BigInt(session) }),
    ...(onChain === undefined ? {} : { onChain: parseRecord(onChain) }),
    ...(outcome === undefined ? {} : { outcome: BigInt(outcome) }),
  };
}

type StoredRecord = Json<ThreadRecord>;

interface StoredThread extends Pick<
  OwnThread,
  "hash" | "leg" | "appStates" | "sigSender" | "sigReceiver" | "isEnding"
> {
  readonly thread: unknown;
  readonly payment?: ReturnType<typeof formatSignedThreadPayment>;
  readonly update?: ReturnType<typeof formatSignedThreadUpdate>;
  readonly ownUpdate?: { readonly update: unknown; readonly signature: Signature };
  readonly resolution?: ReturnType<typeof formatThreadResolution>;
  readonly resolved?: string;
  readonly session?: string;
  readonly onChain?: StoredRecord;
  readonly outcome?: string;
}

function parseRecord({ balanceReceiver, nonce, deadline, ...flags }: StoredRecord): ThreadRecord {
  return { ...flags, balanceReceiver: BigInt(balanceReceiver), nonce: BigInt(nonce), deadline: BigInt(deadline) };
}
