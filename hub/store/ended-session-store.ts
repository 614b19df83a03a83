import type { Address, Hash } from "../../protocol";
import type { Transaction } from "./database";

/** A session that the contract has settled. Kept for ever: its threads are paid out of it whenever they are final. */
export interface EndedSession {
  readonly user: Address;
  readonly session: bigint;
  /** Of the state that was settled. */
  readonly nonce: bigint;
  readonly threadRoot: Hash;
  /** Hashes of the threads that the root is made of; empty also where the hub does not know them. */
  readonly threads: readonly Hash[];
  readonly endedAtMs: number;
}

/** A thread's stake in an ended session, which the contract has not paid yet. */
export interface EndedLeg {
  readonly user: Address;
  readonly session: bigint;
  readonly hash: Hash;
}

/** What the contract paid out of an ended session, in base units of the asset. */
export interface EndedPayout {
  readonly user: Address;
  readonly session: bigint;
  readonly asset: Address;
  readonly kind: "settled" | "reclaimed" | "thread";
  /** Hash of the thread, for one. */
  readonly thread?: Hash;
  readonly amountUser: bigint;
  readonly amountHub: bigint;
  readonly transactionHash: Hash;
}

export interface EndedSessionStore {
  load(user: Address, session: bigint): Promise<EndedSession | undefined>;
  /** Unpaid legs, in order, after one of them. */
  openLegs(after: EndedLeg | undefined, limit: number): Promise<readonly EndedLeg[]>;
  /** Unpaid legs of one thread. */
  legsOf(hash: Hash): Promise<readonly EndedLeg[]>;
  /** Newest session first. */
  payouts(user: Address, limit: number): Promise<readonly EndedPayout[]>;

  /** @throws ConflictError (from the write) if the session has ended before. */
  end(tx: Transaction, row: EndedSession): void;
  /** The contract has paid it; again changes nothing. */
  payLeg(tx: Transaction, leg: EndedLeg): void;
  /** Each payout once: the same one again changes nothing. */
  book(tx: Transaction, payout: EndedPayout): void;
  /** A reorganisation took it back. */
  unbook(tx: Transaction, payout: EndedPayout): void;
}
