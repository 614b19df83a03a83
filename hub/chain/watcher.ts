import type { Provider } from "ethers";
import type { Address } from "../../protocol";
import { readHead, type Head } from "../../protocol/chain/channel-view";
import type { Clock } from "../clock";
import type { Log } from "../log";
import type { BlockMark } from "../store/chain-store";
import type { Store } from "../store/store";
import { commonBlock, isInChain, readByHash, readRange, requireBlock, type BlocksRead } from "./chain-reader";
import { deliver, type WatcherListener } from "./event-delivery";
import { Turns } from "./turns";

export interface WatcherDeps {
  readonly provider: Provider;
  readonly store: Pick<Store, "database" | "chain">;
  readonly clock: Clock;
  readonly log: Log;
  readonly channelManager: Address;
  /** Block of the deployment: nothing is older. */
  readonly startBlock: number;
  /** Blocks that an event must be under, itself included; 1 is "mined". */
  readonly confirmations: number;
  readonly pollIntervalMs: number;
  readonly maxBlocksPerQuery?: number;
}

export interface WatcherStatus {
  /** The newest block that the node has shown. */
  readonly headNumber?: number;
  /** Its time, Unix seconds. */
  readonly headTimestamp?: number;
  /** Up to here events have been read and told. */
  readonly processedNumber?: number;
  /** Why the last poll failed; absent after one that did not. */
  readonly lastError?: string;
}

const MAX_BLOCKS_PER_QUERY = 2_000;

/** Further below the head only marks of blocks with events are kept: enough to find any fork, however deep. */
const DENSE_MARKS = 10_000;

const MAX_CLOSE_MS = 5_000;

/**
 * Follows the chain by block hash. New blocks are read one by one, by hash; once they are as deep as configured they are
 * read again in ranges, so that a node that was behind with its logs hides nothing for good. What was read is on disk
 * before anybody is told: a restart goes on where it stopped, and a fork is noticed whatever its depth (H-8).
 */
export class Watcher {
  readonly #deps: WatcherDeps;
  readonly #listener: WatcherListener;
  readonly #turns = new Turns();
  /** As the node says. */
  #shown: Head | undefined;
  /** The newest block up to which everything has been read and told. */
  #processed: Head | undefined;
  #lastError: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(deps: WatcherDeps, listener: WatcherListener) {
    this.#deps = deps;
    this.#listener = listener;
  }

  /** Polls until `close`. The first poll has ended when it resolves, well or badly. */
  async start(): Promise<void> {
    await this.#pollSafely();
    this.#schedule();
  }

  /** Reads what is new and tells it, after any poll that runs. @throws Error if the node cannot be used now */
  poll(): Promise<void> {
    return this.#turns.run(() => this.#poll());
  }

  status(): WatcherStatus {
    return {
      ...(this.#shown === undefined ? {} : { headNumber: this.#shown.number, headTimestamp: this.#shown.timestamp }),
      ...(this.#processed === undefined ? {} : { processedNumber: this.#processed.number }),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    };
  }

  /** Age of the newest block whose events are known, by this side's clock, seconds; infinite before the first. */
  ageSeconds(): number {
    return ageOf(this.#processed, this.#deps.clock.now());
  }

  /** Whether too much may have happened since: then nothing may be signed that moves value away (H-20). */
  isViewOld(nowMs: number, limitSeconds: number): boolean {
    return ageOf(this.#processed, nowMs) > limitSeconds;
  }

  /** Reads and tells everything from a block on again. Whoever is told bears hearing it twice. */
  async replayFrom(blockNumber: number): Promise<void> {
    const { store } = this.#deps;
    await this.#turns.run(async () => {
      await store.database.write((tx) => store.chain.forgetFrom(tx, blockNumber));
      await this.#poll();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#turns.ended(MAX_CLOSE_MS);
  }

  async #poll(): Promise<void> {
    if (this.#isClosed) return;
    try {
      const reached = await this.#read();
      await deliver(this.#listener, { ...this.#deps, isClosed: () => this.#isClosed });
      this.#reach(reached);
      this.#lastError = undefined;
    } catch (error) {
      this.#lastError = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  #reach(head: Head | undefined): void {
    if (head === undefined || head.hash === this.#processed?.hash) return;
    this.#processed = head;
    this.#listener.head?.(head);
  }

  /** @returns The block up to which everything is read; undefined if the node is behind what it has shown before. */
  async #read(): Promise<Head | undefined> {
    const { provider, startBlock, confirmations } = this.#deps;
    const head = await readHead(provider);
    this.#shown = head;
    const common = await this.#commonNumber(head);
    if (common === undefined) return undefined;
    const deep = head.number - confirmations + 1;
    await this.#readDeep(deep);
    await this.#readNew(Math.max(common, deep, startBlock - 1), head);
    return head;
  }

  /** The newest block read that is in the chain; what is above it is dropped. A lagging node drops nothing. */
  async #commonNumber(head: Head): Promise<number | undefined> {
    const { provider, store, startBlock, log } = this.#deps;
    const newest = await store.chain.newestBlock();
    if (newest === undefined) return startBlock - 1;
    const known = newest.number <= head.number ? newest : await store.chain.newestBlock(head.number);
    if (known === undefined || (await isInChain(provider, known))) {
      if (known === newest) return newest.number;
      log.warn(`the node is at block ${head.number}, behind block ${newest.number} that was read before`);
      return undefined;
    }
    const common = (await commonBlock(provider, store.chain, known.number))?.number ?? startBlock - 1;
    log.warn(`the chain forked above block ${common}; ${newest.number - common} blocks are read again`);
    await store.database.write((tx) => store.chain.dropAbove(tx, common));
    return common;
  }

  async #readDeep(deep: number): Promise<void> {
    const { store, startBlock, maxBlocksPerQuery = MAX_BLOCKS_PER_QUERY } = this.#deps;
    let from = Math.max((await store.chain.confirmedNumber()) ?? 0, startBlock - 1);
    while (from < deep && !this.#isClosed) {
      const to = Math.min(from + maxBlocksPerQuery, deep);
      await this.#keep(await readRange(this.#deps, from + 1, to), to);
      from = to;
    }
  }

  /** Blocks between the deep ones and the head, each of which must stand on the one before. */
  async #readNew(common: number, head: Head): Promise<void> {
    const { provider, store } = this.#deps;
    let below = await store.chain.newestBlock(common);
    for (let number = common + 1; number <= head.number && !this.#isClosed; number++) {
      const block = number === head.number ? head : await requireBlock(provider, number);
      if (below?.number === number - 1 && below.hash !== block.parentHash) await this.#requireBoth(below, block);
      await this.#keep(await readByHash(this.#deps, block));
      below = block;
    }
  }

  /** A block that does not name the one before: the chain moved, unless the node has both (Hardhat's `hardhat_mine`). */
  async #requireBoth(...marks: readonly BlockMark[]): Promise<void> {
    const [a, b] = await Promise.all(marks.map((mark) => isInChain(this.#deps.provider, mark)));
    if (a !== true || b !== true) throw new Error(`the chain moved above block ${marks[0]?.number} while it was read`);
  }

  async #keep({ blocks, events }: BlocksRead, confirmedNumber?: number): Promise<void> {
    const { store } = this.#deps;
    await this.#requireSame(blocks);
    await store.database.write((tx) => {
      store.chain.addBlocks(tx, blocks, events);
      if (confirmedNumber === undefined) return;
      store.chain.confirmUpTo(tx, confirmedNumber);
      store.chain.prune(tx, confirmedNumber - 2 * DENSE_MARKS, confirmedNumber - DENSE_MARKS);
    });
  }

  /** A block that was read before must be the same one now; otherwise the next poll looks for the fork. */
  async #requireSame(blocks: readonly BlockMark[]): Promise<void> {
    for (const { number, hash } of blocks) {
      const known = await this.#deps.store.chain.newestBlock(number);
      if (known?.number === number && known.hash !== hash) throw new Error(`block ${number} changed while it was read`);
    }
  }

  async #pollSafely(): Promise<void> {
    try {
      await this.poll();
    } catch {
      this.#deps.log.warn(`the chain could not be read: ${this.#lastError ?? ""}`);
    }
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      void this.#pollSafely().then(() => this.#schedule());
    }, this.#deps.pollIntervalMs);
    this.#timer.unref();
  }
}

function ageOf(head: Head | undefined, nowMs: number): number {
  return head === undefined ? Infinity : Math.max(0, Math.floor(nowMs / 1000) - head.timestamp);
}
