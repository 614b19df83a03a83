import type { Address } from "../../protocol";
import type { Transaction } from "./database";

/** Collateral that was granted to a channel and is on its way, until it is credited or has expired. */
export interface CollateralReservation {
  readonly id: bigint;
  readonly user: Address;
  readonly asset: Address;
  readonly amount: bigint;
  readonly status: "queued" | "sent" | "credited" | "failed";
  /** The transaction that carries it, by the sender's id. */
  readonly transactionId?: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface CollateralProfile {
  readonly asset: Address;
  readonly target: bigint;
}

export interface CollateralStore {
  queued(limit: number): Promise<readonly CollateralReservation[]>;
  /** Queued or sent, not expired. */
  onItsWay(user: Address, asset: Address, nowMs: number): Promise<bigint>;
  sent(): Promise<readonly CollateralReservation[]>;
  /** Granted since a time, whatever became of it: for one user, or in total. */
  grantedSince(
    asset: Address,
    sinceMs: number,
    user?: Address,
  ): Promise<{ readonly count: number; readonly amount: bigint }>;
  profiles(user: Address): Promise<readonly CollateralProfile[]>;
  /** What a user says it is about to deposit, per asset. */
  expectedDeposit(user: Address, asset: Address): Promise<bigint>;

  insert(tx: Transaction, reservation: Omit<CollateralReservation, "id" | "status">): void;
  markSent(tx: Transaction, ids: readonly bigint[], transactionId: string): void;
  endSent(tx: Transaction, transactionId: string, status: "credited" | "failed"): void;
  expire(tx: Transaction, nowMs: number): void;
  setProfile(tx: Transaction, user: Address, profile: CollateralProfile): void;
  setExpectedDeposit(tx: Transaction, user: Address, asset: Address, amount: bigint): void;
}
