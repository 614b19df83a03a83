import type { ChainEvent } from "../../protocol/chain/events";
import type { Hash } from "../../protocol";
import type { Transaction } from "./database";

/** How far an event has come. `dropped`: a reorganisation took it back. */
export type EventStatus = "seen" | "confirmed" | "dropped";

/** An event that some listener has not handled yet, and what it is to be told. */
export interface OpenEvent {
  readonly event: ChainEvent;
  readonly status: EventStatus;
}

export interface BlockMark {
  readonly number: number;
  readonly hash: Hash;
}

/** What the watcher remembers: the blocks it has read, by hash, and the events in them. */
export interface ChainStore {
  /** The newest block that was read completely. */
  newestBlock(): Promise<BlockMark | undefined>;
  block(number: number): Promise<BlockMark | undefined>;
  /** Told to nobody yet in their present status, in order. */
  open(limit: number): Promise<readonly OpenEvent[]>;

  /** A block was read: its mark and its events. */
  addBlock(tx: Transaction, block: BlockMark, events: readonly ChainEvent[]): void;
  /** Blocks above a number are no longer in the chain: their events are dropped, to be told again. */
  dropAbove(tx: Transaction, number: number): void;
  /** Events at or below a number are confirmed, to be told again. */
  confirmUpTo(tx: Transaction, number: number): void;
  markTold(tx: Transaction, open: OpenEvent): void;
  /** Forgets marks of blocks below a number and events there that were told. */
  prune(tx: Transaction, belowNumber: number): void;
}
