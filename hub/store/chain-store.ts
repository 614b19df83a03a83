import type { ChainEvent } from "../../protocol/chain/events";
import type { Hash } from "../../protocol";
import type { Transaction } from "./database";

/** How far an event has come. `dropped`: a reorganisation took it back. */
export type EventStatus = "seen" | "confirmed" | "dropped";

/** An event that has not been told in its present status. */
export interface OpenEvent {
  readonly event: ChainEvent;
  readonly status: EventStatus;
  /** What was handled last; empty before anything. */
  readonly told: EventStatus | "";
  /** It has been as deep as the hub asks, whatever it is now. */
  readonly wasConfirmed: boolean;
  /** How often telling it in this status has failed. */
  readonly failures: number;
  /** Unix ms before which it is not told again. */
  readonly retryAtMs: number;
}

export interface BlockMark {
  readonly number: number;
  readonly hash: Hash;
}

/** What the watcher remembers: blocks it has read, by hash, and every event in them. */
export interface ChainStore {
  /** The newest block that was read completely; of those at or below a number if one is given. */
  newestBlock(atMost?: number): Promise<BlockMark | undefined>;
  /** Up to which block events are confirmed. */
  confirmedNumber(): Promise<number | undefined>;
  /** Not told yet in their present status: first what is gone, then in the order of the chain. */
  open(limit: number, after?: OpenEvent): Promise<readonly OpenEvent[]>;

  /** Blocks were read: their marks and their events, which are seen unless they are known. */
  addBlocks(tx: Transaction, blocks: readonly BlockMark[], events: readonly ChainEvent[]): void;
  /** Events at or below a number are confirmed. */
  confirmUpTo(tx: Transaction, number: number): void;
  /** Blocks above a number are no longer in the chain: their marks go, their events are dropped. */
  dropAbove(tx: Transaction, number: number): void;
  /** Forgets what was read and told from a block on, so that it is read and told again. */
  forgetFrom(tx: Transaction, number: number): void;
  /** `status` was told; the event stays open if it has another one. */
  markTold(tx: Transaction, event: ChainEvent, status: EventStatus): void;
  /** Telling it failed: it waits until then. */
  markUntold(tx: Transaction, event: ChainEvent, retryAtMs: number): void;
  /** Forgets marks of blocks without events in a range, both ends included. */
  prune(tx: Transaction, fromNumber: number, toNumber: number): void;
}
