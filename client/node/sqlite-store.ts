import { chmodSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { clientError } from "../errors";
import type { ClientStore } from "../store";

/**
 * A client's record in a SQLite file: durable at every write, readable by its owner alone. The lock is a transaction held
 * on a file beside it, so it ends with the process, however that ends.
 */
export function sqliteStore(file: string): ClientStore {
  mkdirSync(dirname(file), { recursive: true });
  const db = new DatabaseSync(file);
  chmodSync(file, 0o600);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000");
  db.exec("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID");
  const get = db.prepare("SELECT value FROM entries WHERE key = ?");
  const list = db.prepare("SELECT key, value FROM entries WHERE key >= ? AND key < ? ORDER BY key");
  const put = db.prepare("INSERT INTO entries VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2");
  const remove = db.prepare("DELETE FROM entries WHERE key = ?");
  let lock: { close(): void } | undefined;
  return {
    get: (key) => Promise.resolve((get.get(key) as { value: string } | undefined)?.value),
    list: (prefix) => {
      const rows = list.all(prefix, `${prefix}\uffff`) as unknown as { key: string; value: string }[];
      return Promise.resolve(rows.map(({ key, value }) => [key, value] as const));
    },
    write: (changes) => {
      db.exec("BEGIN IMMEDIATE");
      try {
        for (const [key, value] of Object.entries(changes)) {
          if (value === undefined) remove.run(key);
          else put.run(key, value);
        }
        db.exec("COMMIT");
        return Promise.resolve();
      } catch (error) {
        db.exec("ROLLBACK");
        return Promise.reject(error instanceof Error ? error : new Error(String(error)));
      }
    },
    lock: () => {
      try {
        lock ??= lockFile(`${file}.lock`);
        return Promise.resolve();
      } catch (error) {
        return Promise.reject(clientError("KeyInUse", { name: file }, error));
      }
    },
    close: () => {
      lock?.close();
      db.close();
      return Promise.resolve();
    },
  };
}

function lockFile(file: string): { close(): void } {
  const db = new DatabaseSync(file);
  try {
    db.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
