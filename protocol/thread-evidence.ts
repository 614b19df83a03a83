import { Type, type Static } from "typebox";
import type { Address } from "./address";
import { closed } from "./api/closed";
import { resolveHashlock } from "./apps/hashlock";
import { resolveSigned } from "./apps/signed";
import type { Domain } from "./eip712/domain";
import { hashThread } from "./eip712/hash";
import { protocolError, type ProtocolError } from "./errors";
import { bytesToHex, type Hash, type Hex } from "./hex";
import { keccakOfHex } from "./keccak";
import type { Signature } from "./signature";
import type { Thread, ThreadPayment, ThreadUpdate } from "./thread";
import { verifyThread, verifyThreadPayment, verifyThreadUpdate, type ThreadContext } from "./verify-thread";
import { signatureSchema, threadPaymentSchema, threadSchema, threadUpdateSchema, uint64Schema } from "./wire/schemas";
import {
  formatThread,
  formatThreadPayment,
  formatThreadUpdate,
  parseThread,
  parseThreadPayment,
  parseThreadUpdate,
} from "./wire/statements";

/** The payer's own statement; the payee needs nothing else. */
export interface SignedThreadPayment {
  readonly payment: ThreadPayment;
  readonly sigSender: Signature;
}

export interface SignedThreadUpdate {
  readonly update: ThreadUpdate;
  readonly sigSender: Signature;
  readonly sigReceiver: Signature;
}

/** What an app is shown to decide about a thread. */
export interface ThreadResolution {
  readonly appState: Hex;
  readonly resolver: Hex;
  /** Nonce of the update whose app state this is; 0 for the one of the terms. */
  readonly nonce: bigint;
}

/** Everything that proves a thread's outcome to the contract. Source: docs/protocol.md "Threads". */
export interface ThreadEvidence {
  readonly thread: Thread;
  readonly sigSender: Signature;
  readonly sigReceiver: Signature;
  /** The highest one known. */
  readonly payment?: SignedThreadPayment;
  /** The newest one known. */
  readonly update?: SignedThreadUpdate;
  readonly resolution?: ThreadResolution;
}

/** The prebuilt apps of one chain, whose outcomes this code can compute. */
export interface PureApps {
  readonly hashlock?: Address;
  readonly signed?: Address;
}

export interface ThreadEvidenceContext extends ThreadContext {
  readonly apps: PureApps;
}

/**
 * What the contract would pay the receiver once shown all of this and nothing better, in base units. A resolution counts
 * where its app is one of `apps`; for others the chain must be asked.
 */
export function bestBalance(evidence: ThreadEvidence, { apps, domain }: ThreadEvidenceContext): bigint {
  const { thread, payment, update } = evidence;
  const standing = update?.update.balanceReceiver ?? payment?.payment.balanceReceiver ?? thread.balanceReceiver;
  const resolved = resolvedBalance(evidence, apps, domain);
  if (resolved === undefined) return standing;
  return thread.updatable || resolved > standing ? resolved : standing;
}

/** What a prebuilt app answers to the resolution; nothing without one, for other apps, and where the app reverts. */
export function resolvedBalance(evidence: ThreadEvidence, apps: PureApps, domain: Domain): bigint | undefined {
  const { thread, resolution } = evidence;
  if (resolution === undefined || hashAppState(resolution.appState) !== appStateHashOf(evidence)) return undefined;
  if (resolution.nonce !== (evidence.update?.update.nonce ?? 0n)) return undefined;
  const { appState, resolver } = resolution;
  if (thread.app === apps.hashlock) return resolveHashlock(thread, appState, resolver);
  if (thread.app === apps.signed) return resolveSigned(thread, appState, resolver, domain);
  return undefined;
}

/** The app state that stands: of the newest update, or of the terms. */
export function appStateHashOf({ thread, update }: ThreadEvidence): Hash {
  return update?.update.appStateHash ?? thread.appStateHash;
}

export function hashAppState(appState: Hex): Hash {
  return bytesToHex(keccakOfHex(appState));
}

/**
 * Whether all of it is what it claims to be; a resolution only as far as its app is known here.
 * @returns what `verifyThread`, `verifyThreadPayment` and `verifyThreadUpdate` return, AppStateMismatch, AppFailed
 */
export function verifyThreadEvidence(
  evidence: ThreadEvidence,
  context: ThreadEvidenceContext,
): ProtocolError | undefined {
  const { thread, sigSender, sigReceiver, payment, update } = evidence;
  const { domain } = context;
  return (
    verifyThread(thread, sigSender, sigReceiver, context) ??
    (payment && verifyThreadPayment(thread, payment.payment, payment.sigSender, domain)) ??
    (update && verifyThreadUpdate(thread, update.update, update.sigSender, update.sigReceiver, domain)) ??
    verifyResolver(evidence, context)
  );
}

function verifyResolver(evidence: ThreadEvidence, { apps, domain }: ThreadEvidenceContext): ProtocolError | undefined {
  const { thread, resolution } = evidence;
  if (resolution === undefined) return undefined;
  const [expected, given] = [appStateHashOf(evidence), hashAppState(resolution.appState)];
  if (expected !== given) return protocolError("AppStateMismatch", { expected, given });
  const isPure = thread.app === apps.hashlock || thread.app === apps.signed;
  if (!isPure || resolvedBalance(evidence, apps, domain) !== undefined) return undefined;
  return protocolError("AppFailed", { app: thread.app });
}

export const hexSchema = Type.String({
  pattern: "^0x(?:[0-9a-fA-F]{2}){0,4096}$",
  description: "bytes in hex, at most 4,096",
});

export const signedThreadPaymentSchema = closed({ payment: threadPaymentSchema, sigSender: signatureSchema });

export const signedThreadUpdateSchema = closed({
  update: threadUpdateSchema,
  sigSender: signatureSchema,
  sigReceiver: signatureSchema,
});

export const threadResolutionSchema = closed({ appState: hexSchema, resolver: hexSchema, nonce: uint64Schema });

export const threadEvidenceSchema = closed({
  thread: threadSchema,
  sigSender: signatureSchema,
  sigReceiver: signatureSchema,
  payment: Type.Optional(signedThreadPaymentSchema),
  update: Type.Optional(signedThreadUpdateSchema),
  resolution: Type.Optional(threadResolutionSchema),
});

export type WireThreadEvidence = Static<typeof threadEvidenceSchema>;

/** From what the schema accepts. @throws InvalidValue for ranges and checksums. */
export function parseThreadEvidence(wire: WireThreadEvidence, path = "evidence"): ThreadEvidence {
  const { payment, update, resolution } = wire;
  return {
    thread: parseThread(wire.thread, `${path}.thread`),
    sigSender: lower(wire.sigSender),
    sigReceiver: lower(wire.sigReceiver),
    ...(payment === undefined ? {} : { payment: parseSignedThreadPayment(payment, `${path}.payment`) }),
    ...(update === undefined ? {} : { update: parseSignedThreadUpdate(update, `${path}.update`) }),
    ...(resolution === undefined ? {} : { resolution: parseThreadResolution(resolution) }),
  };
}

export function formatThreadEvidence(evidence: ThreadEvidence): WireThreadEvidence {
  const { thread, sigSender, sigReceiver, payment, update, resolution } = evidence;
  return {
    ...{ thread: formatThread(thread), sigSender, sigReceiver },
    ...(payment === undefined ? {} : { payment: formatSignedThreadPayment(payment) }),
    ...(update === undefined ? {} : { update: formatSignedThreadUpdate(update) }),
    ...(resolution === undefined ? {} : { resolution: formatThreadResolution(resolution) }),
  };
}

export function parseSignedThreadPayment(
  wire: Static<typeof signedThreadPaymentSchema>,
  path = "payment",
): SignedThreadPayment {
  return { payment: parseThreadPayment(wire.payment, `${path}.payment`), sigSender: lower(wire.sigSender) };
}

export function formatSignedThreadPayment({
  payment,
  sigSender,
}: SignedThreadPayment): Static<typeof signedThreadPaymentSchema> {
  return { payment: formatThreadPayment(payment), sigSender };
}

export function parseSignedThreadUpdate(
  wire: Static<typeof signedThreadUpdateSchema>,
  path = "update",
): SignedThreadUpdate {
  const update = parseThreadUpdate(wire.update, `${path}.update`);
  return { update, sigSender: lower(wire.sigSender), sigReceiver: lower(wire.sigReceiver) };
}

export function formatSignedThreadUpdate({
  update,
  sigSender,
  sigReceiver,
}: SignedThreadUpdate): Static<typeof signedThreadUpdateSchema> {
  return { update: formatThreadUpdate(update), sigSender, sigReceiver };
}

export function parseThreadResolution(wire: Static<typeof threadResolutionSchema>): ThreadResolution {
  return { appState: lower(wire.appState), resolver: lower(wire.resolver), nonce: BigInt(wire.nonce) };
}

export function formatThreadResolution(resolution: ThreadResolution): Static<typeof threadResolutionSchema> {
  return { ...resolution, nonce: resolution.nonce.toString() };
}

/** The key of everything about the thread. */
export function threadHashOf({ thread }: Pick<ThreadEvidence, "thread">): Hash {
  return hashThread(thread);
}

function lower(hex: string): Hex {
  return hex.toLowerCase() as Hex;
}
