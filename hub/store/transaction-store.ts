import type { Address, Hash, Hex } from "../../protocol";
import type { Transaction } from "./database";

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
  readonly status: TransactionStatus;
  readonly nonce?: number;
  /** Of the newest attempt. */
  readonly gasLimit?: bigint;
  readonly maxFeePerGas?: bigint;
  readonly maxPriorityFeePerGas?: bigint;
  readonly sentAtMs?: number;
  /** Once mined: of the attempt that was. */
  readonly transactionHash?: Hash;
  readonly minedBlock?: number;
  readonly error?: string;
  /** Whoever wanted it has heard of its end. */
  readonly isTold: boolean;
  readonly createdAtMs: number;
}

/** One signed form of a transaction. Several may be on their way with one nonce; the chain takes one. */
export interface Attempt {
  readonly transactionHash: Hash;
  readonly raw: Hex;
}

export interface TransactionStore {
  find(id: string): Promise<TransactionRow | undefined>;
  /** Disputes first, then as they came. */
  queued(limit: number): Promise<readonly TransactionRow[]>;
  /** Sent or mined, not final, by nonce. */
  inFlight(): Promise<readonly TransactionRow[]>;
  untold(limit: number): Promise<readonly TransactionRow[]>;
  attempts(id: string): Promise<readonly Attempt[]>;
  list(limit: number): Promise<readonly TransactionRow[]>;
  countOpen(): Promise<number>;

  /** Does nothing if the id is known. */
  enqueue(
    tx: Transaction,
    row: Pick<TransactionRow, "id" | "to" | "data" | "valueWei" | "kind" | "deadlineSeconds" | "createdAtMs">,
  ): void;
  /** A new attempt, before it is broadcast. */
  markSent(tx: Transaction, row: TransactionRow, attempt: Attempt): void;
  markMined(tx: Transaction, id: string, transactionHash: Hash, block: number): void;
  /** A reorganisation took it back. */
  markUnmined(tx: Transaction, id: string): void;
  /** Its nonce was used by something else: it starts again. */
  requeue(tx: Transaction, id: string): void;
  markFailed(tx: Transaction, id: string, error: string): void;
  /** Final: deep enough, or failed; a reverted one has an error. */
  markFinal(tx: Transaction, id: string, error?: string): void;
  markTold(tx: Transaction, id: string): void;
}
