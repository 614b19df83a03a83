import type { Address } from "../../protocol";
import type { Clock } from "../clock";

/** How long the hub lets a user go first after the two have collided (docs/protocol.md "Channel updates"). */
const PRECEDENCE_MS = 5_000;

/** One step at a time per channel; different channels in parallel. */
export class Lanes {
  readonly #tails = new Map<Address, Promise<void>>();
  readonly #precedence = new Map<
    Address,
    { readonly untilMs: number; readonly release: () => void; readonly released: Promise<void> }
  >();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Runs `work` while it holds the lanes of all these users. They are taken in address order, so that two that need
   * each other's never wait for one another.
   */
  async run<T>(users: readonly Address[], work: () => Promise<T>): Promise<T> {
    const releases: (() => void)[] = [];
    try {
      for (const user of [...new Set(users)].sort()) releases.push(await this.#take(user));
      return await work();
    } finally {
      for (const release of releases) release();
    }
  }

  /** After a collision: what the hub would sign for this user waits, until the user has got through or time is up. */
  giveUserPrecedence(user: Address): void {
    if (this.#precedence.has(user)) return;
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.endPrecedence(user), PRECEDENCE_MS);
      timer.unref();
      release = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#precedence.set(user, { untilMs: this.#clock.now() + PRECEDENCE_MS, release, released });
  }

  endPrecedence(user: Address): void {
    const held = this.#precedence.get(user);
    this.#precedence.delete(user);
    held?.release();
  }

  /** Resolves when none of these users has precedence. Ask before taking lanes, never while holding one. */
  async precedencePassed(users: readonly Address[]): Promise<void> {
    for (const user of users) await this.#precedence.get(user)?.released;
  }

  /** Waits for whatever runs, and lets nobody wait for a user. */
  async close(): Promise<void> {
    for (const user of [...this.#precedence.keys()]) this.endPrecedence(user);
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  async #take(user: Address): Promise<() => void> {
    const before = this.#tails.get(user);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const tail = before === undefined ? held : before.then(() => held);
    this.#tails.set(user, tail);
    await before;
    return () => {
      if (this.#tails.get(user) === tail) this.#tails.delete(user);
      release();
    };
  }
}
