import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type DatabaseSyncInstance } from "@photostructure/sqlite";
import { clientError } from "../errors";
import type { ClientStore } from "../store";

const OWNER_ONLY = 0o600;

/** The last character there is: every key with a prefix is below the prefix followed by it. */
const LAST_CHARACTER = "\u{10ffff}";

type Changes = Readonly<Record<string, string | undefined>>;

/** Locks end with their handle, and a handle with the last reference to it: a store that nobody uses holds its lock too. */
const held = new Set<DatabaseSyncInstance>();

/**
 * A client's record in a SQLite file: durable at every write, readable by its owner alone. The lock is a transaction held
 * on a file beside it, so it ends with the process, however that ends.
 */
export function sqliteStore(file: string): ClientStore {
  const db = openEntries(file);
  const get = db.prepare("SELECT value FROM entries WHERE key = ?");
  const list = db.prepare("SELECT key, value FROM entries WHERE key >= ? AND key < ? ORDER BY key");
  const write = writerOf(db);
  let lock: DatabaseSyncInstance | undefined;
  return {
    get: (key) => promised(() => (get.get(key) as { value: string } | undefined)?.value),
    list: (prefix) =>
      promised(() => {
        const rows = list.all(prefix, prefix + LAST_CHARACTER) as unknown as { key: string; value: string }[];
        return rows.map(({ key, value }) => [key, value] as const);
      }),
    write: (changes) => promised(() => write(changes)),
    lock: () => promised(() => void (lock ??= lockBeside(file))),
    close: () =>
      promised(() => {
        if (lock !== undefined) held.delete(lock);
        lock?.close();
        lock = undefined;
        if (db.isOpen) db.close();
      }),
  };
}

function openEntries(file: string): DatabaseSyncInstance {
  mkdirSync(dirname(file), { recursive: true });
  makeForOwner(file); // SQLite gives its journal the same mode
  const db = new DatabaseSync(file);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000");
  db.exec("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID");
  return db;
}

function writerOf(db: DatabaseSyncInstance): (changes: Changes) => void {
  const put = db.prepare("INSERT INTO entries VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2");
  const remove = db.prepare("DELETE FROM entries WHERE key = ?");
  return (changes) => {
    db.exec("BEGIN IMMEDIATE");
    try {
      for (const [key, value] of Object.entries(changes)) {
        if (value === undefined) remove.run(key);
        else put.run(key, value);
      }
      db.exec("COMMIT");
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  };
}

/** @throws KeyInUse */
function lockBeside(file: string): DatabaseSyncInstance {
  const path = `${file}.lock`;
  makeForOwner(path);
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
    held.add(db);
    return db;
  } catch (error) {
    db.close();
    throw isBusy(error) ? clientError("KeyInUse", { name: file }, error) : error;
  }
}

function isBusy(error: unknown): boolean {
  return (error as { sqliteCodeName?: unknown }).sqliteCodeName === "SQLITE_BUSY";
}

/**
 * Nobody else can open it, not even for the moment in which it is made. A file that exists is not opened: closing any
 * handle of it would end the locks that this process holds on it (POSIX `fcntl`).
 */
function makeForOwner(file: string): void {
  if (existsSync(file)) chmodSync(file, OWNER_ONLY);
  else closeSync(openSync(file, "a", OWNER_ONLY));
}

function promised<Value>(run: () => Value): Promise<Value> {
  return new Promise((resolve) => resolve(run()));
}
