import type { Transaction } from "../store/database";

/** A transaction for the hub's key to send. */
export interface OutgoingRequest {
  /** Idempotency key: the same id again changes nothing. */
  readonly id: string;
  readonly to: string;
  readonly data: string;
  readonly valueWei: bigint;
  /** Disputes go first. */
  readonly kind: "dispute" | "normal";
  /** Unix seconds after which it is of no use. */
  readonly deadlineSeconds?: number;
  /** Absent: from the node's estimate. */
  readonly gasLimit?: bigint;
}

/** What the services need of the transaction sender. */
export interface Outgoing {
  /** Queues a transaction in the same commit as what it belongs to. */
  enqueue(tx: Transaction, request: OutgoingRequest): void;
  /** After that commit: there is something to send. */
  wake(): void;
}
