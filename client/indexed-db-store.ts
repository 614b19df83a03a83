import { openDB } from "idb";
import { clientError } from "./errors";
import type { ClientStore } from "./store";

const TABLE = "entries";

/** In IndexedDB's order, that of UTF-16 units, every key with a prefix is at or below the prefix followed by this. */
const LAST_UNIT = "\uffff";

/** A browser's own database. Writes are `strict`: on disk when they resolve, as far as browsers promise that. */
export async function indexedDbStore(name: string): Promise<ClientStore> {
  const db = await openEntries(name);
  let release: (() => void) | undefined;
  return {
    get: (key) => db.get(TABLE, key),
    list: (prefix) => list(db, prefix),
    write: (changes) => write(db, changes),
    lock: async () => {
      release ??= await lockOf(name);
    },
    close: () => {
      db.close();
      release?.();
      release = undefined;
      return Promise.resolve();
    },
  };
}

async function openEntries(name: string): Promise<EntriesDb> {
  const upgrade = (database: unknown): void => (database as EntriesDb).createObjectStore(TABLE);
  return (await openDB(name, 1, { upgrade })) as unknown as EntriesDb;
}

/** Keys and values of one moment: one transaction. */
async function list(db: EntriesDb, prefix: string): Promise<readonly (readonly [string, string])[]> {
  const range = page().IDBKeyRange.bound(prefix, prefix + LAST_UNIT);
  const { store } = db.transaction(TABLE);
  const [keys, values] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
  return keys.map((key, i) => [key, values[i] ?? ""]);
}

/** All are waited for: a failed one ends the transaction, and none of its requests may fail unheard. */
async function write(db: EntriesDb, changes: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { store, done } = db.transaction(TABLE, "readwrite", { durability: "strict" });
  const requests = Object.entries(changes).map(([key, value]) =>
    value === undefined ? store.delete(key) : store.put(value, key),
  );
  await Promise.all([...requests, done]);
}

/** One tab at a time; the lock goes with the tab. @throws KeyInUse at once when another tab has it */
function lockOf(name: string): Promise<() => void> {
  const { locks } = page().navigator;
  if (locks === undefined) {
    return Promise.reject(
      clientError("KeyInUse", { name: `${name}, perhaps: this page is not secure and has no locks` }),
    );
  }
  return new Promise((resolve, reject) => {
    const holdOrRefuse = (lock: object | null): Promise<void> => {
      if (lock !== null) return new Promise((release) => resolve(release));
      reject(clientError("KeyInUse", { name }));
      return Promise.resolve();
    };
    locks.request(`channel-client:${name}`, { ifAvailable: true }, holdOrRefuse).catch(reject);
  });
}

// What this file needs of a page and of `idb`; named here because the rest of the client is compiled without a page.

interface Page {
  readonly IDBKeyRange: { bound(lower: string, upper: string): KeyRange };
  readonly navigator: { readonly locks?: PageLocks };
}

interface PageLocks {
  request(name: string, options: { ifAvailable: true }, use: (lock: object | null) => Promise<void>): Promise<void>;
}

type KeyRange = Readonly<Record<"lower" | "upper", unknown>>;

interface EntriesDb {
  createObjectStore(name: string): void;
  get(table: string, key: string): Promise<string | undefined>;
  transaction(table: string, mode?: "readwrite", options?: { durability: "strict" }): EntriesTransaction;
  close(): void;
}

interface EntriesTransaction {
  readonly store: {
    getAllKeys(range: KeyRange): Promise<readonly string[]>;
    getAll(range: KeyRange): Promise<readonly string[]>;
    put(value: string, key: string): Promise<unknown>;
    delete(key: string): Promise<void>;
  };
  readonly done: Promise<void>;
}

function page(): Page {
  return globalThis as unknown as Page;
}
