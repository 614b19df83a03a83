import type { Address, ChannelState, Hash, Hex, Signature, ThreadEvidence } from "../../protocol";

/** The one state that is guarded for a user. Session and nonce only rise. */
export interface GuardedChannel {
  readonly state: ChannelState;
  readonly sigHub: Signature;
  readonly sigUser: Signature;
  readonly stateHash: Hash;
  /** Unix seconds. */
  readonly receivedAt: bigint;
  readonly sigReceipt: Signature;
}

/** A thread of a guarded user's session. */
export interface GuardedThread {
  readonly user: Address;
  readonly session: bigint;
  readonly hash: Hash;
  readonly evidence: ThreadEvidence;
  /** Unix seconds. */
  readonly receivedAt: bigint;
  readonly sigReceipt: Signature;
}

export interface Watched {
  readonly user: Address;
  /** There may be something to do on chain. */
  readonly isActive: boolean;
  /** Unix seconds; absent where nothing was ever paid. */
  readonly paidUntil?: bigint;
}

export interface KeptBackup {
  readonly user: Address;
  readonly version: bigint;
  readonly blob: string;
}

export interface Alarm {
  readonly user: Address;
  /** Unix seconds. */
  readonly at: bigint;
  readonly text: string;
}

/** A call that the tower wants mined. One row an id, whatever happens to it. */
export interface TowerCall {
  /** What it does to whose channel: `challenge:0x…:0:5`. */
  readonly id: string;
  readonly data: Hex;
  /** Unix seconds, of the chain; absent: nothing hurries. */
  readonly deadline?: bigint;
  readonly gasLimit?: bigint;
}

/** What was broadcast, or is about to be: it is on disk before it leaves. */
export interface Sending {
  readonly nonce: number;
  readonly raw: Hex;
  /** Of every attempt with this nonce, newest first. */
  readonly hashes: readonly Hash[];
  readonly gasLimit: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  /** Unix ms, of the newest attempt. */
  readonly sentAtMs: number;
}

export interface CallRow extends TowerCall {
  /** How often it was mined without effect. */
  readonly reverts: number;
  readonly status: "queued" | "sent" | "mined" | "reverted";
  readonly sending?: Sending;
}

/**
 * Everything that a tower must not forget, in constant space for each channel. Reads and writes are synchronous: a tower is
 * asked rarely. What runs inside one `write` happens whole or not at all, and is on disk when `write` returns.
 */
export interface TowerStore {
  write(step: () => void): void;
  close(): void;

  channel(user: Address): GuardedChannel | undefined;
  watched(user: Address): Watched | undefined;
  /** Those with something to do, by address. */
  active(): readonly Address[];
  /** Guarded users after this one, by address. */
  users(after: string, limit: number): readonly Address[];
  saveChannel(channel: GuardedChannel): void;
  setActive(user: Address, isActive: boolean): void;
  setPaidUntil(user: Address, paidUntil: bigint): void;
  /** Takes a fee's payment once. @returns Whether it had not been taken. */
  takeFee(paymentId: Hash, user: Address): boolean;
  /** Forgets who has not paid since then and has nothing going on. Backups stay. @returns How many. */
  forgetUnpaid(before: bigint): number;

  threads(user: Address, session: bigint): readonly GuardedThread[];
  /** Sessions of a user with threads, ascending. */
  sessionsWithThreads(user: Address): readonly bigint[];
  /** Users who have this thread guarded. */
  usersOfThread(hash: Hash): readonly Address[];
  saveThread(thread: GuardedThread): void;
  dropThreads(user: Address, session: bigint, except: readonly Hash[]): void;

  call(id: string): CallRow | undefined;
  /** Queued and sent ones: the most urgent first. */
  openCalls(): readonly CallRow[];
  calls(limit: number): readonly CallRow[];
  saveCall(row: CallRow): void;
  dropCall(id: string): void;
  /** Forgets all but the newest of those that are over. */
  pruneCalls(keep: number): void;

  backup(user: Address): KeptBackup | undefined;
  saveBackup(backup: KeptBackup): void;

  alarms(user: Address, limit: number): readonly Alarm[];
  /** The same text again changes nothing; the oldest give way. */
  alarm(alarm: Alarm): void;

  /** The next block whose events were not read yet. */
  nextBlock(): number | undefined;
  setNextBlock(block: number): void;
  /** Rows and bytes of everything about a user but its backup and alarms. */
  footprint(user: Address): { readonly rows: number; readonly bytes: number };
}
