import { closeSync, fdatasync, fdatasyncSync, openSync } from "node:fs";

/**
 * Puts SQLite's write-ahead log on disk beside the event loop; SQLite itself would hold the loop up for as long as the disk
 * takes. With `synchronous=NORMAL` SQLite appends a commit to the log and leaves it to the operating system when that
 * reaches the disk, but it syncs the log before it copies it into the database and before it starts it anew. So a commit
 * is durable once the log has been synced after it. Source: https://sqlite.org/wal.html "Performance Considerations".
 */
export class LogSync {
  readonly #descriptor: number | undefined;

  /** @param file The database, opened in WAL mode and read from at least once: then its log exists, until it is closed. */
  constructor(file: string) {
    this.#descriptor = file === ":memory:" ? undefined : openSync(`${file}-wal`, "r+");
  }

  /** Resolves when all that SQLite has appended up to now is on disk. */
  sync(): Promise<void> {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => fdatasync(descriptor, (error) => (error ? reject(error) : resolve())));
  }

  /** As `sync`, while everything waits. */
  syncNow(): void {
    if (this.#descriptor !== undefined) fdatasyncSync(this.#descriptor);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }
}
