import type { Address, ChannelState, Hash, Ledgers, Signature, SignedUpdate } from "../../protocol";
import type { Transaction } from "./database";

/** A state with the signatures of both sides. */
export interface DoubleSigned {
  readonly state: ChannelState;
  readonly sigHub: Signature;
  readonly sigUser: Signature;
}

/** Where an exit stands: the nonce on chain and the end of the window, Unix seconds. */
export interface Exit {
  readonly nonce: bigint;
  readonly deadline: bigint;
}

/** What the hub keeps of one channel; what is older lies in the updates. */
export interface ChannelRow {
  readonly user: Address;
  readonly session: bigint;
  /** Absent before both signed something in this session. */
  readonly doubleSigned?: DoubleSigned;
  /** Hashes of the threads that are open in `doubleSigned`: what its root is made of. */
  readonly threads: readonly Hash[];
  /** The chain's counters as this side may count on them: deposits confirmed, withdrawals at first sight. */
  readonly ledgers: Ledgers;
  readonly exit?: Exit;
  /** After a restore: the user must show its newest state before anything is signed. */
  readonly needsProof: boolean;
  /** Rises with each save; a save on top of another version is refused. */
  readonly version: bigint;
}

/** An update of the hub that the user has not countersigned. */
export interface PendingUpdate {
  readonly update: SignedUpdate;
  /** Whether the user may have seen it. One that it cannot have seen may be folded into the next. */
  readonly isDelivered: boolean;
}

export interface ChannelStore {
  load(user: Address): Promise<ChannelRow | undefined>;

  /** Updates of a session above a nonce, in order. */
  updatesAfter(user: Address, session: bigint, nonce: bigint, limit: number): Promise<readonly PendingUpdate[]>;

  /** Openings and closings of threads in a session up to a nonce, in order. */
  threadUpdates(user: Address, session: bigint, upToNonce: bigint): Promise<readonly SignedUpdate[]>;

  latestUpdate(user: Address, session: bigint): Promise<SignedUpdate | undefined>;

  list(after: Address | undefined, limit: number): Promise<readonly ChannelRow[]>;

  /** Channels in which an exit runs, in order. */
  exiting(after: Address | undefined, limit: number): Promise<readonly Address[]>;

  /** Channels whose exit has passed its deadline. */
  exitsDue(nowSeconds: bigint): Promise<readonly Address[]>;

  count(): Promise<{ readonly channels: number; readonly exiting: number }>;

  /** Inserts version 1, or replaces the version before. @throws ConflictError (from the write) if it is not there. */
  save(tx: Transaction, row: ChannelRow): void;

  /** @throws ConflictError (from the write) if the channel has an update with this nonce. */
  insertUpdate(tx: Transaction, user: Address, session: bigint, pending: PendingUpdate): void;

  /** Adds the user's signature to an update of the hub. */
  countersign(tx: Transaction, user: Address, session: bigint, nonce: bigint, sigUser: Signature): void;

  /** Takes back an update that its user cannot have seen. @throws ConflictError (from the write) if it was delivered. */
  deleteUndelivered(tx: Transaction, user: Address, session: bigint, nonce: bigint): void;

  markDelivered(tx: Transaction, user: Address, session: bigint): void;

  /** Forgets updates above a nonce that were superseded by a state the hub did not know. */
  deleteAfter(tx: Transaction, user: Address, session: bigint, nonce: bigint): void;

  /** After a restore: every channel needs a proof. */
  requireProofs(tx: Transaction): void;
}
