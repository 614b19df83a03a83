import { ZERO_ADDRESS, type Address } from "./address";
import type { Domain } from "./eip712/domain";
import { hashResolution, hashThread, hashThreadPayment, hashThreadUpdate } from "./eip712/hash";
import { protocolError, type ProtocolError } from "./errors";
import type { Hash } from "./hex";
import type { Signature } from "./signature";
import {
  isUpdatableApp,
  threadSum,
  type Resolution,
  type Thread,
  type ThreadPayment,
  type ThreadUpdate,
} from "./thread";
import { UINT128_MAX, UINT40_MAX } from "./uint";
import { answer, checkSignature } from "./verify-signature";

// What the contract would say to evidence about a thread: the same rules in the same order, errors by the same names.
// A check answers with what is wrong, or with nothing. The contract computes the thread's hash itself; here a statement
// that names another thread is a ThreadHashMismatch.

export interface ThreadContext {
  readonly domain: Domain;
  /** The contract's `challengePeriodSeconds`. */
  readonly challengePeriodSeconds: bigint;
}

/** The terms with both signatures. @returns InvalidThread InvalidSignature InvalidValue */
export function verifyThread(
  thread: Thread,
  sigSender: Signature,
  sigReceiver: Signature,
  context: ThreadContext,
): ProtocolError | undefined {
  return answer(() => {
    const threadHash = hashThread(thread);
    return (
      checkTerms(thread, threadHash, context.challengePeriodSeconds) ??
      checkSignature(thread.sender, threadHash, sigSender, context.domain) ??
      checkSignature(thread.receiver, threadHash, sigReceiver, context.domain)
    );
  });
}

/** The terms alone: what a side asks before it signs them. @returns InvalidThread InvalidValue */
export function checkThread(thread: Thread, context: ThreadContext): ProtocolError | undefined {
  return answer(() => checkTerms(thread, hashThread(thread), context.challengePeriodSeconds));
}

/**
 * A payment the sender signed, for terms that were verified.
 * @param standing The highest balance known so far: the terms' own, or that of the newest payment.
 * @returns PaymentNotAllowed ThreadHashMismatch InvalidSignature BalanceNotHigher BalanceAboveSum InvalidValue
 */
export function verifyThreadPayment(
  thread: Thread,
  payment: ThreadPayment,
  signature: Signature,
  domain: Domain,
  standing: bigint = thread.balanceReceiver,
): ProtocolError | undefined {
  return answer(() => {
    const threadHash = hashThread(thread);
    if (thread.updatable || thread.app !== ZERO_ADDRESS) return protocolError("PaymentNotAllowed", { threadHash });
    return (
      checkThreadHash(threadHash, payment.threadHash) ??
      checkSignature(thread.sender, hashThreadPayment(payment), signature, domain) ??
      checkHigher(standing, payment.balanceReceiver) ??
      checkWithinSum(thread, payment.balanceReceiver)
    );
  });
}

/**
 * An update both parties signed, for terms that were verified.
 * @param standingNonce The nonce of the newest update so far; 0 for the terms alone.
 * @returns NonceNotHigher UpdateNotAllowed ThreadHashMismatch BalanceAboveSum InvalidSignature InvalidValue
 */
export function verifyThreadUpdate(
  thread: Thread,
  update: ThreadUpdate,
  sigSender: Signature,
  sigReceiver: Signature,
  domain: Domain,
  standingNonce = 0n,
): ProtocolError | undefined {
  return answer(() => {
    const [threadHash, updateHash] = [hashThread(thread), hashThreadUpdate(update)];
    return (
      checkNonceHigher(standingNonce, update.nonce) ??
      (thread.updatable ? undefined : protocolError("UpdateNotAllowed", { threadHash })) ??
      checkThreadHash(threadHash, update.threadHash) ??
      checkWithinSum(thread, update.balanceReceiver) ??
      checkSignature(thread.sender, updateHash, sigSender, domain) ??
      checkSignature(thread.receiver, updateHash, sigReceiver, domain)
    );
  });
}

/**
 * What a `SignedApp` would say to its arbiter's statement about a thread.
 * @param domain The app's own, see `signedAppDomain`. @param channelManager The contract the thread is adjudicated in.
 * @returns ThreadHashMismatch BalanceAboveSum InvalidSignature InvalidValue
 */
export function verifyResolution(
  thread: Thread,
  resolution: Resolution,
  signature: Signature,
  arbiter: Address,
  domain: Domain,
): ProtocolError | undefined {
  return answer(
    () =>
      checkThreadHash(hashThread(thread), resolution.threadHash) ??
      checkWithinSum(thread, resolution.balanceReceiver) ??
      checkSignature(arbiter, hashResolution(resolution), signature, domain),
  );
}

function checkTerms(thread: Thread, threadHash: Hash, challengePeriodSeconds: bigint): ProtocolError | undefined {
  const reason = termsProblem(thread, challengePeriodSeconds);
  return reason === undefined ? undefined : protocolError("InvalidThread", { threadHash, reason });
}

function termsProblem(thread: Thread, challengePeriodSeconds: bigint): string | undefined {
  const sum = threadSum(thread);
  if (thread.sender === thread.receiver) return "sender and receiver are the same";
  if (sum === 0n) return "its sum is zero";
  if (sum > UINT128_MAX) return "its sum is above 2^128 - 1";
  const windows = isUpdatableApp(thread) ? 2n : 1n;
  if (thread.expiry + windows * challengePeriodSeconds > UINT40_MAX) return "its expiry is too late";
  return undefined;
}

function checkThreadHash(expected: Hash, given: Hash): ProtocolError | undefined {
  return given === expected ? undefined : protocolError("ThreadHashMismatch", { expected, given });
}

function checkHigher(standing: bigint, given: bigint): ProtocolError | undefined {
  return given > standing ? undefined : protocolError("BalanceNotHigher", { standing, given });
}

function checkNonceHigher(standing: bigint, given: bigint): ProtocolError | undefined {
  return given > standing ? undefined : protocolError("NonceNotHigher", { standing, given });
}

function checkWithinSum(thread: Thread, given: bigint): ProtocolError | undefined {
  const sum = threadSum(thread);
  return given <= sum ? undefined : protocolError("BalanceAboveSum", { sum, given });
}
