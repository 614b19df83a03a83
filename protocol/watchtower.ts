import { Type, type Static } from "typebox";
import { ZERO_HASH, bytesToHex, type Hash } from "./hex";
import type { Address } from "./address";
import { closed } from "./api/closed";
import { signedStateSchema } from "./api/schemas";
import { MAX_BACKUP_LENGTH } from "./api/operations";
import { defineStruct } from "./eip712/struct";
import { keccakOfHex, keccakOfText } from "./keccak";
import { MAX_THREADS } from "./thread";
import { threadEvidenceSchema, threadHashOf, type ThreadEvidence } from "./thread-evidence";
import { addressSchema, hashSchema, signatureSchema, uint128Schema, uint64Schema } from "./wire/schemas";

/** A tower's promise to guard a state: one a nonce. Signed in `watchtowerDomain`. Source: docs/watchtower.md "Receipts". */
export interface WatchReceipt {
  /** Whose key signs it. */
  readonly tower: Address;
  readonly user: Address;
  readonly session: bigint;
  readonly nonce: bigint;
  readonly stateHash: Hash;
  /** Unix seconds. */
  readonly receivedAt: bigint;
}

/** A tower's promise to show what it has of a thread; of what is not there the field is zero. */
export interface WatchThreadReceipt {
  readonly tower: Address;
  readonly user: Address;
  readonly threadHash: Hash;
  /** Receiver's balance of the highest payment. */
  readonly payment: bigint;
  /** Of the newest update. */
  readonly updateNonce: bigint;
  readonly updateBalance: bigint;
  /** keccak256 of the resolver. */
  readonly resolverHash: Hash;
  /** Unix seconds. */
  readonly receivedAt: bigint;
}

/** A user's order to keep a sealed backup. */
export interface TowerBackup {
  readonly user: Address;
  readonly version: bigint;
  /** keccak256 of the sealed text. */
  readonly blobHash: Hash;
}

/** A user's order to hand its backup out. */
export interface TowerBackupRequest {
  readonly user: Address;
  /** Unix seconds; good for a few minutes. */
  readonly at: bigint;
}

export const watchReceiptType = defineStruct<WatchReceipt>("WatchReceipt", {
  tower: "address",
  user: "address",
  session: "uint64",
  nonce: "uint64",
  stateHash: "bytes32",
  receivedAt: "uint64",
});

export const watchThreadReceiptType = defineStruct<WatchThreadReceipt>("WatchThreadReceipt", {
  tower: "address",
  user: "address",
  threadHash: "bytes32",
  payment: "uint128",
  updateNonce: "uint64",
  updateBalance: "uint128",
  resolverHash: "bytes32",
  receivedAt: "uint64",
});

export const towerBackupType = defineStruct<TowerBackup>("TowerBackup", {
  user: "address",
  version: "uint64",
  blobHash: "bytes32",
});

export const towerBackupRequestType = defineStruct<TowerBackupRequest>("TowerBackupRequest", {
  user: "address",
  at: "uint64",
});

export function hashWatchReceipt(receipt: WatchReceipt): Hash {
  return bytesToHex(watchReceiptType.hash(receipt));
}

export function hashWatchThreadReceipt(receipt: WatchThreadReceipt): Hash {
  return bytesToHex(watchThreadReceiptType.hash(receipt));
}

export function hashTowerBackup(backup: TowerBackup): Hash {
  return bytesToHex(towerBackupType.hash(backup));
}

export function hashTowerBackupRequest(request: TowerBackupRequest): Hash {
  return bytesToHex(towerBackupRequestType.hash(request));
}

export function blobHashOf(blob: string): Hash {
  return bytesToHex(keccakOfText(blob));
}

/** What a tower that has this evidence, and nothing else, says it has. */
export function threadReceiptOf(
  tower: Address,
  user: Address,
  evidence: ThreadEvidence,
  receivedAt: bigint,
): WatchThreadReceipt {
  const { payment, update, resolution } = evidence;
  return {
    ...{ tower, user, receivedAt, threadHash: threadHashOf(evidence) },
    payment: payment?.payment.balanceReceiver ?? 0n,
    updateNonce: update?.update.nonce ?? 0n,
    updateBalance: update?.update.balanceReceiver ?? 0n,
    resolverHash: resolution === undefined ? ZERO_HASH : bytesToHex(keccakOfHex(resolution.resolver)),
  };
}

const userParams = closed({ user: addressSchema });

const watchReceiptSchema = closed({
  tower: addressSchema,
  user: addressSchema,
  session: uint64Schema,
  nonce: uint64Schema,
  stateHash: hashSchema,
  receivedAt: uint64Schema,
});

const watchThreadReceiptSchema = closed({
  tower: addressSchema,
  user: addressSchema,
  threadHash: hashSchema,
  payment: uint128Schema,
  updateNonce: uint64Schema,
  updateBalance: uint128Schema,
  resolverHash: hashSchema,
  receivedAt: uint64Schema,
});

/** Both kinds of receipt with their signatures: everything that `scripts/verify-receipt.ts` needs. */
export const watchReceiptsSchema = closed({
  domain: closed({
    name: Type.Literal("Watchtower"),
    version: Type.Literal("1"),
    chainId: Type.Integer({ minimum: 1 }),
    verifyingContract: addressSchema,
  }),
  receipt: watchReceiptSchema,
  signature: signatureSchema,
  threads: Type.Array(closed({ receipt: watchThreadReceiptSchema, signature: signatureSchema }), {
    maxItems: MAX_THREADS,
  }),
});

export type WireWatchReceipts = Static<typeof watchReceiptsSchema>;

/** The hub's signed receipt of a payment to the tower. */
export const feeProofSchema = closed({
  receipt: closed({
    purchaseId: Type.String({ minLength: 1, maxLength: 128 }),
    paymentId: hashSchema,
    payer: addressSchema,
    payee: addressSchema,
    asset: addressSchema,
    amount: uint128Schema,
    payeeNonce: uint64Schema,
  }),
  signature: signatureSchema,
});

export const guardRequestSchema = closed({
  signed: signedStateSchema,
  threads: Type.Array(threadEvidenceSchema, { maxItems: MAX_THREADS }),
  /** Pays for the time after what is paid already; each counts once. */
  fee: Type.Optional(feeProofSchema),
});

export type WireGuardRequest = Static<typeof guardRequestSchema>;

const atSeconds = Type.Integer({ minimum: 0, description: "Unix seconds" });

const feeSchema = closed({
  /** Who is to be paid through the hub. */
  payee: addressSchema,
  asset: addressSchema,
  /** Per period. */
  amount: uint128Schema,
  days: Type.Integer({ minimum: 1 }),
});

const backupSchema = Type.String({ minLength: 1, maxLength: MAX_BACKUP_LENGTH, pattern: "^[A-Za-z0-9._-]+$" });

const statusSchema = closed({
  user: addressSchema,
  guarded: Type.Optional(watchReceiptsSchema),
  /** A dispute that the tower acts in, or a settled session whose threads are not all paid. */
  isActive: Type.Boolean(),
  /** Absent: for nothing, or never. */
  paidUntil: Type.Optional(atSeconds),
  alarms: Type.Array(closed({ at: atSeconds, text: Type.String() })),
});

export type WireTowerStatus = Static<typeof statusSchema>;

/** What a tower does over HTTP, below `/api/watchtower`. Nobody signs in: what matters is signed itself. */
export const WATCHTOWER_OPERATIONS = {
  getConfig: {
    method: "GET",
    path: "/config",
    summary: "Whose channels this tower guards, by which key, and what it costs",
    response: closed({
      chainId: Type.Integer({ minimum: 1 }),
      channelManager: addressSchema,
      hub: addressSchema,
      tower: addressSchema,
      fee: Type.Optional(feeSchema),
    }),
  },
  guard: {
    method: "POST",
    path: "/channel",
    summary: "Guards a state that both have signed, and the threads in it, in place of an older one",
    body: guardRequestSchema,
    response: watchReceiptsSchema,
  },
  getStatus: {
    method: "GET",
    path: "/channel/:user",
    summary: "What is guarded for a user, with the receipts for it",
    params: userParams,
    response: statusSchema,
  },
  putBackup: {
    method: "POST",
    path: "/backup/:user",
    summary: "Keeps a sealed backup in place of an older one, on the user's signed order",
    params: userParams,
    body: closed({ version: uint64Schema, blob: backupSchema, signature: signatureSchema }),
    response: closed({ version: uint64Schema }),
  },
  getBackup: {
    method: "GET",
    path: "/backup/:user",
    summary: "The sealed backup, on the user's signed order",
    params: userParams,
    query: closed({ at: uint64Schema, signature: signatureSchema }),
    response: closed({ backup: Type.Optional(closed({ version: uint64Schema, blob: backupSchema })) }),
  },
} as const;

export type WatchtowerOperationName = keyof typeof WATCHTOWER_OPERATIONS;

export type WatchtowerOutput<Name extends WatchtowerOperationName> = Static<
  (typeof WATCHTOWER_OPERATIONS)[Name]["response"]
>;
