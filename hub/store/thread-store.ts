import type {
  Address,
  Hash,
  Signature,
  SignedThreadPayment,
  SignedThreadUpdate,
  Thread,
  ThreadResolution,
} from "../../protocol";
import type { Transaction } from "./database";

/**
 * `proposed`: signed by the sender; `accepted`: by both; `open`: in both channels; `receiverClosed`: the sender's leg
 * closes as soon as its channel takes it; `closed`: in neither; `void`: never opened, and never will be.
 */
export type ThreadStatus = "proposed" | "accepted" | "open" | "receiverClosed" | "closed" | "void";

/** Where a thread's stake is in one of its two channels. `settled`: paid by the contract. */
export type Leg = "none" | "open" | "closed" | "settled";

/** A thread's adjudication as the chain was last seen. */
export interface ThreadOnChain {
  readonly balanceReceiver: bigint;
  readonly nonce: bigint;
  /** Unix seconds. */
  readonly deadline: bigint;
  readonly resolved: boolean;
}

/** A thread between two users of this hub. Kept for ever: a hash is opened once. */
export interface ThreadRow {
  readonly hash: Hash;
  readonly thread: Thread;
  readonly sigSender: Signature;
  readonly sigReceiver?: Signature;
  readonly status: ThreadStatus;
  readonly senderLeg: Leg;
  readonly receiverLeg: Leg;
  /** Session of each channel in which the leg was opened. */
  readonly senderSession?: bigint;
  readonly receiverSession?: bigint;
  /** The newest evidence that the hub was shown. */
  readonly payment?: SignedThreadPayment;
  readonly update?: SignedThreadUpdate;
  readonly resolution?: ThreadResolution;
  readonly record?: ThreadOnChain;
  /** What the receiver got, once a leg is closed by it. */
  readonly outcome?: bigint;
  readonly createdAtMs: number;
}

export interface ThreadStore {
  load(hash: Hash): Promise<ThreadRow | undefined>;

  /** Threads of a user, newest first. */
  of(user: Address, limit: number): Promise<readonly ThreadRow[]>;

  /** Threads whose leg in this user's channel is open, oldest first. */
  openIn(user: Address): Promise<readonly ThreadRow[]>;

  /** Threads with a leg that is open while the other is closed or settled, or that the chain has a record of. */
  unfinished(limit: number): Promise<readonly ThreadRow[]>;

  /** Threads with an open leg that the chain has a record of, by hash, after one of them. */
  disputed(after: Hash | undefined, limit: number): Promise<readonly Hash[]>;

  count(): Promise<{ readonly open: number }>;

  /** @throws ConflictError (from the write) if there is a thread of this hash: each is opened once, ever. */
  insert(tx: Transaction, row: ThreadRow): void;

  /** The receiver has signed the terms. @throws ConflictError (from the write) unless it is `proposed` */
  accept(tx: Transaction, hash: Hash, sigReceiver: Signature): void;

  /** Never opened, and never will be. @throws ConflictError (from the write) if it was opened */
  void(tx: Transaction, hash: Hash): void;

  /** Its leaf joins both channels. @throws ConflictError (from the write) unless it is `accepted` */
  open(tx: Transaction, hash: Hash, sessions: { readonly sender: bigint; readonly receiver: bigint }): void;

  /** Its leaf leaves a user's channel, or the contract has paid it there. */
  endLeg(tx: Transaction, hash: Hash, user: Address, end: "closed" | "settled"): void;

  /** Replaces what is given, keeps the rest. */
  note(tx: Transaction, hash: Hash, what: ThreadNote): void;
}

/** What is learned about a thread: newer evidence, its record on chain, its outcome. */
export type ThreadNote = Partial<Pick<ThreadRow, "payment" | "update" | "resolution" | "record" | "outcome">>;
