import type { Address } from "../../protocol";
import type { Log } from "../log";
import type { OutboxStore } from "../store/outbox-store";

/** Rows in memory at a time. */
const PAGE_ROWS = 64;

/**
 * What one subscriber is told of its channel, read from the outbox after its own cursor: in order, nothing before its
 * commit, nothing left out, and no faster than the subscriber takes it.
 */
export class ChannelFeed {
  readonly user: Address;
  readonly #outbox: Pick<OutboxStore, "after">;
  readonly #send: (frame: string) => Promise<void>;
  readonly #log: Log;
  #cursor: bigint;
  #isReading = false;
  #isWoken = false;
  #isClosed = false;

  constructor(
    user: Address,
    cursor: bigint,
    outbox: Pick<OutboxStore, "after">,
    send: (frame: string) => Promise<void>,
    log: Log,
  ) {
    this.user = user;
    this.#cursor = cursor;
    this.#outbox = outbox;
    this.#send = send;
    this.#log = log;
  }

  /** The frame of something that was not kept: it has the cursor of what came before. */
  frameOf(event: string): string {
    return `{"topic":"channel","cursor":"${this.#cursor}","data":${event}}`;
  }

  /** There may be something new. */
  wake(): void {
    this.#isWoken = true;
    if (!this.#isReading) void this.#read();
  }

  close(): void {
    this.#isClosed = true;
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#isWoken && !this.#isClosed) {
        this.#isWoken = false;
        await this.#sendPage();
      }
    } catch (error) {
      this.#log.error(`the outbox of ${this.user} could not be read`, error);
    } finally {
      this.#isReading = false;
    }
  }

  async #sendPage(): Promise<void> {
    const rows = await this.#outbox.after(this.user, this.#cursor, PAGE_ROWS);
    if (rows.length === PAGE_ROWS) this.#isWoken = true;
    let sent: Promise<void> = Promise.resolve();
    for (const { cursor, event } of rows) {
      if (this.#isClosed) return;
      this.#cursor = cursor;
      sent = this.#send(this.frameOf(event));
    }
    await sent;
  }
}
