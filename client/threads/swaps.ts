import {
  bytesToHex,
  hashAppState,
  hashlockOf,
  parseAddress,
  protocolError,
  toWire,
  type Address,
  type Hash,
  type Hex,
  type PureApps,
} from "../../protocol";
import type { Events } from "../engine/events";
import { clientError, messageOf } from "../errors";
import type { Schedule } from "../schedule";
import { Answers } from "./answers";
import type { Apps } from "./apps";
import type { OwnThread } from "./own-thread";
import { requireRole } from "./standing";
import type { ThreadBook } from "./thread-book";

export interface OfAsset {
  readonly asset: Address;
  /** Base units. */
  readonly amount: bigint;
}

export interface SwapWish {
  /** Who is to give the other part. */
  readonly to: string;
  readonly give: OfAsset;
  readonly want: OfAsset;
  /** Unix seconds until which the other side's part waits for this one; default an hour from now. */
  readonly expiry?: bigint;
}

export interface SwapDeps {
  readonly apps: Apps;
  readonly book: ThreadBook;
  readonly user: Address;
  readonly events: Events;
  readonly pureApps: PureApps;
  readonly challengePeriodSeconds: bigint;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Unix ms. */
  readonly now: () => number;
  readonly schedule: Schedule;
  /** How long the other side has to give its part, ms. */
  readonly answerMs: number;
  readonly log: (line: string) => void;
}

const DEFAULT_SECONDS = 3_600n;

/** Where begun swaps are kept, and what stands there afterwards. */
const KEPT = "swap:";
const ENDED = "ended";

/** What the side that made the secret remembers. */
interface BegunSwap {
  readonly preimage: Hex;
  readonly giver: Address;
  readonly want: OfAsset;
}

/**
 * A swap between two users: two hashlocked threads with one hash, in opposite directions. Who made the secret claims first,
 * which shows it to the other one. The part that is claimed second can be claimed for two challenge periods longer: one in
 * which the first can still be claimed at the contract, and one to do the same after seeing that.
 */
export class Swaps {
  readonly #deps: SwapDeps;
  readonly #claimed: Answers<Hash, Hash>;
  /** Swaps that this side has begun and not ended, by the hash of their app state. */
  readonly #begun = new Map<Hash, BegunSwap>();
  readonly #claiming = new Set<Hash>();
  readonly #unsubscribe: () => void;

  constructor(deps: SwapDeps) {
    this.#deps = deps;
    this.#claimed = new Answers(deps.schedule);
    this.#unsubscribe = deps.events.on("thread", (own) => this.#look(own));
  }

  /**
   * Gives, and takes as soon as the other side has given. `offered` gets what the other side needs for `join`.
   * @throws see `Threads.open`; SwapUnsafe if the other side gives something else; TimedOut if it gives nothing. What was
   * given comes back after its expiry
   */
  async swap(
    { to, give, want, expiry }: SwapWish,
    offered: (offer: { readonly threadHash: Hash; readonly hashlock: Hash }) => void,
  ): Promise<{ readonly gave: Hash; readonly got: Hash }> {
    const { apps, randomBytes, now, challengePeriodSeconds, answerMs } = this.#deps;
    const preimage = bytesToHex(randomBytes(32));
    const hashlock = hashlockOf(preimage);
    const firstExpiry = expiry ?? BigInt(Math.floor(now() / 1000)) + DEFAULT_SECONDS;
    const lastExpiry = firstExpiry + 2n * challengePeriodSeconds;
    const key = await this.#begin({ preimage, giver: parseAddress(to, "to"), want });
    const own = await apps.payHashlocked({ ...give, to, expiry: lastExpiry }, hashlock);
    const claimed = this.#claimed.wait(key, `the other side's part of the swap ${own.hash}`, answerMs);
    offered({ threadHash: own.hash, hashlock });
    return { gave: own.hash, got: await claimed };
  }

  /** Gives the other part of a swap. What is due for it is claimed by itself once the secret is shown. @throws SwapUnsafe */
  async join(offer: { readonly threadHash: Hash; readonly hashlock: Hash }, give: OfAsset): Promise<OwnThread> {
    const { book, user, apps, challengePeriodSeconds, now } = this.#deps;
    const { hash, thread, leg, onChain } = book.get(offer.threadHash);
    requireRole(book.get(hash), user, "receiver");
    const expiry = thread.expiry - 2n * challengePeriodSeconds;
    const unsafe = (reason: string): Error => clientError("SwapUnsafe", { threadHash: hash, reason });
    if (leg !== "open" || onChain !== undefined) throw unsafe("its first part is not open");
    if (thread.app !== this.#deps.pureApps.hashlock || thread.updatable) throw unsafe("its first part has no hashlock");
    if (hashAppState(offer.hashlock) !== thread.appStateHash) {
      throw protocolError("AppStateMismatch", { expected: thread.appStateHash, given: hashAppState(offer.hashlock) });
    }
    if (expiry <= BigInt(Math.floor(now() / 1000))) throw unsafe("its first part ends too early");
    return apps.payHashlocked({ ...give, to: thread.sender, expiry }, offer.hashlock);
  }

  /** Goes on with what was begun before a restart. */
  async resume(): Promise<void> {
    const { book } = this.#deps;
    for (const [key, text] of await book.keptUnder(KEPT)) {
      if (text !== ENDED) this.#begun.set(key as Hash, parseSwap(text));
    }
    for (const own of book.all()) this.#look(own);
  }

  close(): void {
    this.#unsubscribe();
  }

  /** The secret is on disk before anything is locked under it. */
  async #begin(begun: BegunSwap): Promise<Hash> {
    const key = hashAppState(hashlockOf(begun.preimage));
    await this.#deps.book.keep(KEPT + key, JSON.stringify(toWire(begun)));
    this.#begun.set(key, begun);
    return key;
  }

  #look(own: OwnThread): void {
    const { pureApps, user } = this.#deps;
    const { app, appStateHash, receiver, sender } = own.thread;
    if (app !== pureApps.hashlock) return;
    const begun = this.#begun.get(appStateHash);
    if (receiver === user && own.leg === "open" && begun !== undefined) void this.#take(own, begun);
    if (sender === user && own.resolution !== undefined) void this.#claimTwins(own, own.resolution.resolver);
  }

  /** The other side has given. Before the secret is shown: it is what was wanted. */
  async #take({ hash, thread }: OwnThread, { preimage, giver, want }: BegunSwap): Promise<void> {
    if (this.#claiming.has(hash)) return;
    this.#claiming.add(hash);
    const key = thread.appStateHash;
    try {
      const unsafe = (reason: string): Error => clientError("SwapUnsafe", { threadHash: hash, reason });
      if (thread.sender !== giver) throw unsafe("its second part is somebody else's");
      if (thread.updatable) throw unsafe("its second part could be changed");
      if (thread.asset !== want.asset || thread.balanceSender < want.amount)
        throw unsafe("its second part is too small");
      await this.#deps.apps.claimHashlocked(hash, preimage);
      this.#begun.delete(key);
      await this.#deps.book.keep(KEPT + key, ENDED);
      this.#claimed.hear(key, hash);
    } catch (error) {
      this.#deps.log(`the other part of a swap is not taken: ${messageOf(error)}`);
      this.#claimed.fail(key, error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** The secret that somebody took this side's part with unlocks the other part. */
  async #claimTwins({ thread }: OwnThread, preimage: Hex): Promise<void> {
    const { book, user, apps, log } = this.#deps;
    for (const twin of book.all()) {
      const isDue = twin.thread.receiver === user && twin.leg === "open" && twin.resolution === undefined;
      const isTwin = twin.thread.app === thread.app && twin.thread.appStateHash === thread.appStateHash;
      if (!isDue || !isTwin || this.#claiming.has(twin.hash)) continue;
      this.#claiming.add(twin.hash);
      await apps
        .claimHashlocked(twin.hash, preimage)
        .catch((error: unknown) => log(`the other part of the swap could not be claimed yet: ${messageOf(error)}`));
    }
  }
}

function parseSwap(text: string): BegunSwap {
  const { preimage, giver, want } = JSON.parse(text) as BegunSwap & { readonly want: { readonly amount: string } };
  return { preimage, giver, want: { asset: want.asset, amount: BigInt(want.amount) } };
}
