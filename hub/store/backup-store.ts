import type { Address } from "../../protocol";
import type { Transaction } from "./database";

/** What a user left here: sealed with its own key, so that the hub cannot read it. */
export interface BackupRow {
  readonly user: Address;
  /** The user's own counter. */
  readonly version: bigint;
  readonly blob: string;
  readonly storedAtMs: number;
}

/** One backup per user, the newest. */
export interface BackupStore {
  load(user: Address): Promise<BackupRow | undefined>;

  /** @throws ConflictError (from the write) unless its version is above the one that is there. */
  save(tx: Transaction, row: BackupRow): void;
}
