import type { Provider } from "ethers";
import type { Address } from "../../protocol";
import { CHANNEL_TOPICS, decodeEvent, type ChainEvent } from "../../protocol/chain/events";
import { readBlock, readHead, type Head } from "../../protocol/chain/channel-view";
import type { Clock } from "../clock";
import type { Log } from "../log";
import type { BlockMark, OpenEvent } from "../store/chain-store";
import type { Store } from "../store/store";

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

/** Whom the watcher tells. Each is told at least once; a failure is told again later and stops nobody else's events. */
export interface WatcherListener {
  head?(head: Head): void;
  /** At first sight. */
  seen(event: ChainEvent): Promise<void>;
  /** Once as deep as configured. */
  confirmed(event: ChainEvent): Promise<void>;
  /** Gone from the chain, whether it had been confirmed or not. */
  dropped(event: ChainEvent): Promise<void>;
}

const MAX_BLOCKS_PER_QUERY = 2_000;
const EVENTS_AT_A_TIME = 500;

/** Marks are kept this far below the head: a deeper reorganisation is read again from the deployment on. */
const KEPT_BLOCKS = 10_000;

/**
 * Follows the chain by block hash. What it has read is on disk before anybody is told, so that a restart goes on where it
 * stopped, and a block that is no longer in the chain is noticed whatever its depth (H-8).
 */
export class Watcher {
  readonly #deps: WatcherDeps;
  readonly #listener: WatcherListener;
  #head: Head | undefined;
  #headAtMs = 0;
  #lastError: string | undefined;
  #polling: Promise<void> | undefined;
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

  /** Reads what is new and tells it. One at a time; a call while one runs waits for it and reads again. */
  async poll(): Promise<void> {
    await this.#polling?.catch(() => undefined);
    this.#polling = this.#pollOnce();
    await this.#polling;
  }

  status(): { readonly head?: Head; readonly seenAtMs: number; readonly lastError?: string } {
    const base = { seenAtMs: this.#headAtMs };
    return {
      ...base,
      ...(this.#head === undefined ? {} : { head: this.#head }),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    };
  }

  /** Age of the newest block by this side's clock, seconds; infinite before the first. */
  ageSeconds(): number {
    if (this.#head === undefined) return Infinity;
    return Math.max(0, Math.floor(this.#deps.clock.now() / 1000) - this.#head.timestamp);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#polling?.catch(() => undefined);
  }

  /** Forgets what was read from a block on, and reads and tells it again. Everybody who is told bears hearing it twice. */
  async replayFrom(blockNumber: number): Promise<void> {
    const { store } = this.#deps;
    await store.database.write((tx) => store.chain.dropAbove(tx, blockNumber - 1));
    await this.poll();
  }

  async #pollOnce(): Promise<void> {
    const head = await readHead(this.#deps.provider);
    await this.#follow(head);
    if (this.#head === undefined || head.hash !== this.#head.hash) this.#listener.head?.(head);
    this.#head = head;
    this.#headAtMs = this.#deps.clock.now();
    await this.#tell();
    this.#lastError = undefined;
  }

  /** Reads from the newest block that is still in the chain up to the head. */
  async #follow(head: Head): Promise<void> {
    const { store, startBlock, confirmations, maxBlocksPerQuery = MAX_BLOCKS_PER_QUERY } = this.#deps;
    let from = await this.#commonBlock(head);
    while (from < head.number) {
      const to = Math.min(from + maxBlocksPerQuery, head.number);
      await this.#readRange(from + 1, to, to === head.number ? head : undefined);
      from = to;
    }
    const deep = head.number - confirmations + 1;
    if (deep < startBlock) return;
    await store.database.write((tx) => {
      store.chain.confirmUpTo(tx, deep);
      store.chain.prune(tx, head.number - KEPT_BLOCKS);
    });
  }

  /** The newest block read that the chain still has; what is above it is dropped. A lagging node drops nothing. */
  async #commonBlock(head: Head): Promise<number> {
    const { store, startBlock, provider } = this.#deps;
    let mark = await store.chain.newestBlock();
    if (mark === undefined) return startBlock - 1;
    if (mark.number > head.number) {
      const own = await store.chain.block(head.number);
      if (own?.hash === head.hash) return mark.number; // the node lags behind what we have read
      mark = await this.#below(head.number);
    }
    while (mark !== undefined && (await readBlock(provider, mark.number))?.hash !== mark.hash) {
      mark = await this.#below(mark.number - 1);
    }
    const common = mark?.number ?? startBlock - 1;
    await store.database.write((tx) => store.chain.dropAbove(tx, common));
    return common;
  }

  async #below(number: number): Promise<BlockMark | undefined> {
    for (let each = number; each >= number - KEPT_BLOCKS && each >= this.#deps.startBlock; each--) {
      const mark = await this.#deps.store.chain.block(each);
      if (mark !== undefined) return mark;
    }
    return undefined;
  }

  /** The mark goes on the last block of the range, read before and after the logs: a chain that moved is read again. */
  async #readRange(from: number, to: number, known: Head | undefined): Promise<void> {
    const { provider, store, channelManager } = this.#deps;
    const last = known ?? (await readBlock(provider, to));
    const logs = await provider.getLogs({
      address: channelManager,
      topics: [[...CHANNEL_TOPICS]],
      fromBlock: from,
      toBlock: to,
    });
    if (last === undefined || (await readBlock(provider, to))?.hash !== last.hash) {
      throw new Error(`block ${to} changed while it was read`);
    }
    const events = logs.flatMap((log) => decodeEvent(log) ?? []);
    this.#requireInRange(events, from, to);
    await store.database.write((tx) => store.chain.addBlock(tx, { number: to, hash: last.hash }, events));
  }

  /** A node that answers with logs of other blocks is not believed. */
  #requireInRange(events: readonly ChainEvent[], from: number, to: number): void {
    const outside = events.find(({ blockNumber }) => blockNumber < from || blockNumber > to);
    if (outside !== undefined) throw new Error(`the node answered with a log of block ${outside.blockNumber}`);
  }

  async #tell(): Promise<void> {
    const { store, log } = this.#deps;
    for (const open of await store.chain.open(EVENTS_AT_A_TIME)) {
      if (this.#isClosed) return;
      try {
        await this.#listener[open.status](open.event);
        await store.database.write((tx) => store.chain.markTold(tx, open));
      } catch (error) {
        log.error(`event ${describe(open)} could not be handled; it is tried again`, error);
      }
    }
  }

  async #pollSafely(): Promise<void> {
    try {
      await this.poll();
    } catch (error) {
      this.#lastError = error instanceof Error ? error.message : String(error);
      this.#deps.log.warn(`the chain could not be read: ${this.#lastError}`);
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

function describe({ event, status }: OpenEvent): string {
  return `${event.name} (${status}) in block ${event.blockNumber}`;
}
