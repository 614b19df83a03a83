import type { ClientStore } from "../store";

/**
 * Writes entries together: whatever is asked for while one write runs joins the next one, and of several values of one
 * key only the last is made. So a stream of payments costs one write to disk for many of them.
 */
export class GroupedWriter {
  readonly #store: Pick<ClientStore, "write">;
  #waiting = new Map<string, () => string | undefined>();
  #next: Promise<void> | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(store: Pick<ClientStore, "write">) {
    this.#store = store;
  }

  /**
   * Resolves when this value of the key, or a later one, is on disk.
   * @param value Asked when the write begins; `undefined` deletes.
   */
  write(key: string, value: () => string | undefined): Promise<void> {
    this.#waiting.set(key, value);
    this.#next ??= this.#enqueue();
    return this.#next;
  }

  /** Waits for everything that was asked for so far, whatever came of it. */
  async idle(): Promise<void> {
    await this.#next?.catch(() => undefined);
    await this.#running;
  }

  #enqueue(): Promise<void> {
    const written = this.#running.then(soon).then(() => this.#flush());
    this.#running = written.catch(() => undefined);
    return written;
  }

  #flush(): Promise<void> {
    const changes = Object.fromEntries([...this.#waiting].map(([key, value]) => [key, value()]));
    this.#waiting = new Map();
    this.#next = undefined;
    return this.#store.write(changes);
  }
}

/** After everything that can go on now: a store may block while it writes, and then nobody could join. */
function soon(): Promise<void> {
  const { setImmediate = setTimeout } = globalThis as { setImmediate?: (run: () => void) => unknown };
  return new Promise((resolve) => void setImmediate(resolve));
}
