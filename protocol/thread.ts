import { ZERO_ADDRESS, type Address } from "./address";
import type { Hash } from "./hex";
import { UINT64_MAX } from "./uint";

/**
 * The terms of a thread (sender -> hub -> receiver), signed by sender and receiver, either of which may be the hub.
 * Everything about a thread is keyed by the hash of these terms. Source: docs/protocol.md "Signed types".
 */
export interface Thread {
  /** Makes two threads of the same terms two threads. */
  readonly salt: Hash;
  readonly sender: Address;
  readonly receiver: Address;
  /** Zero address for ETH. */
  readonly asset: Address;
  readonly balanceSender: bigint;
  readonly balanceReceiver: bigint;
  /** False: evidence can only raise the receiver's balance. True: mutual updates, the highest nonce wins. */
  readonly updatable: boolean;
  /**
   * Unix seconds. The dispute window ends one challenge period after this or after opening, whichever is later; with
   * an app in an updatable thread it is two periods, the last one without updates.
   */
  readonly expiry: bigint;
  /** An `IThreadApp`, or zero for none. */
  readonly app: Address;
  readonly appStateHash: Hash;
}

/** The only thing a payer signs alone: the receiver's balance is now at least this. Highest wins. */
export interface ThreadPayment {
  readonly threadHash: Hash;
  readonly balanceReceiver: bigint;
}

/** Signed by both parties of an updatable thread; the highest nonce wins. */
export interface ThreadUpdate {
  readonly threadHash: Hash;
  /** At least 1; `FINAL_NONCE` ends the thread at once. */
  readonly nonce: bigint;
  readonly balanceReceiver: bigint;
  readonly appStateHash: Hash;
}

/** A `SignedApp` arbiter's statement: what the receiver of a thread gets. */
export interface Resolution {
  readonly channelManager: Address;
  readonly threadHash: Hash;
  readonly balanceReceiver: bigint;
}

/** No update can be newer than one with this nonce. */
export const FINAL_NONCE = UINT64_MAX;

/** A channel holds at most this many open threads. */
export const MAX_THREADS = 64;

/** Whether updates and resolutions take turns: such a thread gets a window for each. */
export function isUpdatableApp(thread: Thread): boolean {
  return thread.updatable && thread.app !== ZERO_ADDRESS;
}

/** What a thread locks in each of its two channels, in the asset's smallest unit. */
export function threadSum(thread: Thread): bigint {
  return thread.balanceSender + thread.balanceReceiver;
}
