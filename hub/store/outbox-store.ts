import type { Address, ChannelEvent } from "../../protocol";
import type { Transaction } from "./database";

/** Newest events kept per user, and up to about 256 more; what is older, a sync and the history tell. */
export const KEPT_EVENTS = 1_000;

export interface OutboxRow {
  /** Rises over all users. */
  readonly cursor: bigint;
  /** A `ChannelEvent` as JSON: it is sent as it was stored. */
  readonly event: string;
}

/** What users are told, in order, kept for those who are away. */
export interface OutboxStore {
  after(user: Address, cursor: bigint, limit: number): Promise<readonly OutboxRow[]>;
  /** The cursor of the newest event of all users; 0 before any. */
  newestCursor(): Promise<bigint>;
  append(tx: Transaction, user: Address, event: ChannelEvent, atMs: number): void;
  prune(tx: Transaction, beforeMs: number): void;
}
