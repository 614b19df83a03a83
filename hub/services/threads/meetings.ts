import { hubError, type Address, type Hash, type SignedUpdate, type WireSync } from "../../../protocol";

/** A party that has signed its leg and waits for the other one. In memory: after a crash both sign again. */
export interface Waiting {
  readonly user: Address;
  readonly update: SignedUpdate;
  readonly resolve: (sync: WireSync) => void;
  readonly reject: (error: unknown) => void;
}

/** Two parties whose legs must be signed in one step: the first to come waits for the second. */
export class Meetings {
  readonly #waiting = new Map<string, Waiting>();
  readonly #patienceMs: number;

  /** @param patienceMs How long a party waits with its request open. */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** Takes the other party out, if it waits. */
  take(key: string, user: Address): Waiting | undefined {
    const found = this.#waiting.get(key);
    if (found === undefined || found.user === user) return undefined;
    this.#waiting.delete(key);
    return found;
  }

  /** Resolves with what the other party's coming leads to. @throws ThreadNotJoined if nobody comes in time */
  wait(key: string, hash: Hash, user: Address, update: SignedUpdate): Promise<WireSync> {
    this.#waiting.get(key)?.reject(hubError("ThreadNotJoined", { hash })); // an older try of the same party
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        if (this.#waiting.get(key) === waiting) this.#waiting.delete(key);
      };
      const waiting: Waiting = {
        ...{ user, update },
        resolve: (sync) => {
          end();
          resolve(sync);
        },
        reject: (error) => {
          end();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      };
      const timer = setTimeout(() => waiting.reject(hubError("ThreadNotJoined", { hash })), this.#patienceMs);
      timer.unref();
      this.#waiting.set(key, waiting);
    });
  }

  /** Goes on waiting: what went wrong was the other party's. */
  putBack(key: string, waiting: Waiting): void {
    if (!this.#waiting.has(key)) this.#waiting.set(key, waiting);
  }

  /** Nobody comes any more. */
  close(): void {
    for (const waiting of [...this.#waiting.values()]) waiting.reject(hubError("Stopping", {}));
  }
}
