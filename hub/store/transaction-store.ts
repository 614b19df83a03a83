import type { Address, Hash, Hex } from "../../protocol";
import type { Transaction } from "./database";

/** `sent`: signed and on disk, and broadcast as often as it takes. `mined` becomes final when it is deep enough. */
export type TransactionStatus = "queued" | "sent" | "mined" | "failed";

/** Something the hub's key is to send. */
export interface TransactionRow {
  /** Idempotency key, made by whoever wants it sent. */
  readonly id: string;
  readonly to: Address;
  readonly data: Hex;
  readonly valueWei: bigint;
  readonly kind: "dispute" | "normal";
  /** Unix seconds after which it is of no use. */
  readonly deadlineSeconds?: number;
  /** As whoever wanted it asked; absent: from an estimate. */
  readonly wantedGas?: bigint;
  readonly status: TransactionStatus;
  readonly nonce?: number;
  /** Of the newest attempt. */
  readonly gasLimit?: bigint;
  readonly maxFeePerGas?: bigint;
  readonly maxPriorityFeePerGas?: bigint;
  readonly sentAtMs?: number;
  /** A block in which the nonce was still free. */
  readonly freeBlock?: number;
  /** Once mined: of the attempt that was. */
  readonly transactionHash?: Hash;
  readonly minedBlock?: number;
  /** Why it failed, or would if it were sent now: the code of the contract's error where it has one. */
  readonly error?: string;
  /** The block since when it would fail. */
  readonly refusedBlock?: number;
  /** How often it was mined and had failed. */
  readonly reverts: number;
  readonly isFinal: boolean;
  /** Whoever wanted it has heard of its end. */
  readonly isTold: boolean;
  /** How often in a row it could not be sent, or its end not be told. */
  readonly failures: number;
  readonly createdAtMs: number;
}

/** One signed form of a transaction. Several may be on their way with one nonce; the chain takes one. */
export interface Attempt {
  readonly transactionHash: Hash;
  readonly raw: Hex;
}

export interface TransactionStore {
  find(id: string): Promise<TransactionRow | undefined>;
  /** Those that do not wait for a retry: disputes first, then as they came. */
  queued(limit: number, nowMs: number): Promise<readonly TransactionRow[]>;
  /** Sent or mined, not final, by nonce. */
  inFlight(): Promise<readonly TransactionRow[]>;
  /** Final, and their ends not told; without those that wait for a retry. */
  untold(limit: number, nowMs: number): Promise<readonly TransactionRow[]>;
  /** Of a row with its present nonce, the newest first. */
  attempts(row: Pick<TransactionRow, "id" | "nonce">): Promise<readonly Attempt[]>;
  /** Rows that hold a nonce from this one on, by nonce. */
  holders(fromNonce: number): Promise<readonly TransactionRow[]>;
  list(limit: number): Promise<readonly TransactionRow[]>;
  countOpen(): Promise<number>;

  /** Does nothing if the id is known. */
  enqueue(
    tx: Transaction,
    row: Pick<
      TransactionRow,
      "id" | "to" | "data" | "valueWei" | "kind" | "deadlineSeconds" | "wantedGas" | "createdAtMs"
    >,
  ): void;
  /** A new attempt, before it is broadcast. @throws ConflictError if another row has its nonce */
  markSent(tx: Transaction, row: TransactionRow, attempt: Attempt): void;
  markMined(tx: Transaction, id: string, transactionHash: Hash, block: number): void;
  /** A reorganisation took it back, even if it was final. */
  markUnmined(tx: Transaction, id: string): void;
  /** Its nonce was used without its effect: it starts again. */
  requeue(tx: Transaction, id: string, reverts: number): void;
  /** It cannot be sent now; a refusal names its error and the block since when. */
  postpone(
    tx: Transaction,
    id: string,
    retryAtMs: number,
    refusal?: { readonly error: string; readonly refusedBlock: number },
  ): void;
  /** Final without a nonce. */
  markFailed(tx: Transaction, id: string, error: string): void;
  /** Final: deep enough, or failed; a reverted one has an error. */
  markFinal(tx: Transaction, id: string, error?: string): void;
  markTold(tx: Transaction, id: string): void;
}
