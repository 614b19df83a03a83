import type { ChannelState, Hash, SignedUpdate, WirePayment } from "../../protocol";
import type { CodedError } from "../../protocol/coded-error";
import type { TowerAlarm } from "../watchtower";
import type { OwnThread } from "../threads/own-thread";

/** What a client tells. Amounts are `bigint` or decimal strings as the wire has them. */
export interface ClientEvents {
  /** Both have signed a new state, or the hub has signed one on top. */
  onStateChange: { readonly state: ChannelState; readonly isDoubleSigned: boolean };
  /** A payment from or to this user changed. */
  payment: WirePayment;
  deposit: SignedUpdate;
  withdrawal: SignedUpdate;
  collateral: { readonly asset: string; readonly amount: string; readonly status: string };
  /** A thread of this user's was offered, opened, updated, resolved or closed. */
  thread: OwnThread;
  /** The other party has paid through a thread; it is on disk. */
  threadPayment: { readonly threadHash: Hash; readonly balanceReceiver: bigint; readonly amount: bigint };
  dispute: { readonly event: string; readonly nonce: bigint; readonly deadline: bigint };
  /** A tower guards an older state than this side's, for too long. */
  towerBehind: TowerAlarm;
  /** The hub did something against the rules. Nothing of it was signed; the evidence is kept. */
  incident: CodedError;
}

export type Listener<Name extends keyof ClientEvents> = (event: ClientEvents[Name]) => void;

/** Listeners by event. One that throws hurts nobody else (W-7). */
export class Events {
  readonly #listeners = new Map<keyof ClientEvents, Set<(event: never) => void>>();
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** @returns What takes the listener off again. */
  on<Name extends keyof ClientEvents>(name: Name, listener: Listener<Name>): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
    return () => void set.delete(listener);
  }

  emit<Name extends keyof ClientEvents>(name: Name, event: ClientEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        (listener as Listener<Name>)(event);
      } catch (error) {
        this.#log(`a listener of ${name} failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}
