import {
  UINT128_MAX,
  UINT40_MAX,
  UINT64_MAX,
  ZERO_ADDRESS,
  digestOf,
  hashThreadUpdate,
  type Hash,
  type Thread,
} from "../../../../protocol";
import type { Refusal, SignedThread, SignedUpdate } from "../calls";
import { threadHashOf } from "../signatures";
import type { ThreadRecord } from "./books";
import { broken, type Model } from "./model";

// What evidence about a thread must fulfil, and when the record of one is final.

export const sumOf = (thread: Thread): bigint => thread.balanceSender + thread.balanceReceiver;

/** Final at the deadline, or as soon as nothing can exceed it. */
export function isFinalRecord(model: Model, thread: Thread, record: ThreadRecord): boolean {
  if (model.now >= record.deadline) return true;
  return thread.updatable ? record.nonce === UINT64_MAX : record.balanceReceiver === sumOf(thread);
}

export interface Opened {
  readonly hash: Hash;
  /** Whether it was open before. */
  readonly isOpen: boolean;
  readonly record: ThreadRecord;
  readonly reasons: readonly Refusal[];
}

/** The record that evidence is judged against; a new one stands on the terms and both signatures. */
export function openRecord(model: Model, signed: SignedThread): Opened {
  const { thread } = signed;
  const hash = threadHashOf(thread);
  const known = model.books.record.get(hash);
  if (known.deadline !== 0n) return { hash, isOpen: true, record: known, reasons: [] };
  const start = thread.expiry > model.now ? thread.expiry : model.now;
  const periods = hasTwoWindows(thread) ? 2n : 1n;
  const deadline = start + periods * model.world.periodSeconds;
  const record = { ...known, balanceReceiver: thread.balanceReceiver, deadline };
  return { hash, isOpen: false, record, reasons: brokenByTerms(model, hash, signed, deadline) };
}

function brokenByTerms(model: Model, hash: Hash, signed: SignedThread, deadline: bigint): readonly Refusal[] {
  const { sender, receiver } = signed.thread;
  const sum = sumOf(signed.thread);
  const isInvalid = sender === receiver || sum === 0n || sum > UINT128_MAX || deadline > UINT40_MAX;
  const digest = digestOf(model.world.domain, hash);
  return [
    ...broken(isInvalid, "InvalidThread", hash),
    ...broken(!model.signatures.isValid(signed.sigSender, sender, digest), "InvalidSignature", sender),
    ...broken(!model.signatures.isValid(signed.sigReceiver, receiver, digest), "InvalidSignature", receiver),
  ];
}

export function brokenIfFinal(model: Model, thread: Thread, record: ThreadRecord): readonly Refusal[] {
  return broken(isFinalRecord(model, thread, record), "ThreadIsFinal", threadHashOf(thread));
}

/** With updates and an app: a period for updates, then one for resolutions alone. */
export function hasTwoWindows(thread: Thread): boolean {
  return thread.updatable && thread.app !== ZERO_ADDRESS;
}

export function brokenIfClosed(
  model: Model,
  hash: Hash,
  thread: Thread,
  { deadline }: ThreadRecord,
): readonly Refusal[] {
  const isClosed = hasTwoWindows(thread) && model.now >= deadline - model.world.periodSeconds;
  return broken(isClosed, "UpdatesClosed", hash, deadline);
}

export function brokenByRaise(thread: Thread, record: ThreadRecord, balanceReceiver: bigint): readonly Refusal[] {
  const { balanceReceiver: standing } = record;
  return [
    ...broken(balanceReceiver <= standing, "BalanceNotHigher", standing, balanceReceiver),
    ...brokenBySum(thread, balanceReceiver),
  ];
}

export function brokenBySum(thread: Thread, balanceReceiver: bigint): readonly Refusal[] {
  return broken(balanceReceiver > sumOf(thread), "BalanceAboveSum", sumOf(thread), balanceReceiver);
}

export function brokenByUpdate(model: Model, hash: Hash, thread: Thread, update: SignedUpdate): readonly Refusal[] {
  const { nonce, balanceReceiver, appStateHash, sigSender, sigReceiver } = update;
  const structHash = hashThreadUpdate({ threadHash: hash, nonce, balanceReceiver, appStateHash });
  const digest = digestOf(model.world.domain, structHash);
  const { sender, receiver } = thread;
  return [
    ...broken(!thread.updatable || nonce === 0n, "UpdateNotAllowed", hash),
    ...brokenBySum(thread, balanceReceiver),
    ...broken(!model.signatures.isValid(sigSender, sender, digest), "InvalidSignature", sender),
    ...broken(!model.signatures.isValid(sigReceiver, receiver, digest), "InvalidSignature", receiver),
  ];
}

export function superseded(record: ThreadRecord, { nonce, balanceReceiver }: SignedUpdate): ThreadRecord {
  return { ...record, nonce, balanceReceiver, resolved: false };
}
