import { openDB, type IDBPDatabase } from "idb";
import { clientError } from "./errors";
import type { ClientStore } from "./store";

const TABLE = "entries";

/** What this file needs of the page; named here because the rest of the client runs without a page. */
interface Page {
  readonly navigator: { readonly locks?: PageLocks };
}

interface PageLocks {
  request(name: string, options: { ifAvailable: true }, use: (lock: object | null) => Promise<void>): Promise<void>;
}

/** A browser's own database. Writes are `strict`: on disk when they resolve, as far as browsers promise that. */
export async function indexedDbStore(name: string): Promise<ClientStore> {
  const db = await openDB(name, 1, { upgrade: (database) => void database.createObjectStore(TABLE) });
  let release: (() => void) | undefined;
  return {
    get: (key) => db.get(TABLE, key) as Promise<string | undefined>,
    list: (prefix) => list(db, prefix),
    write: async (changes) => {
      const transaction = db.transaction(TABLE, "readwrite", { durability: "strict" });
      for (const [key, value] of Object.entries(changes)) {
        void (value === undefined ? transaction.store.delete(key) : transaction.store.put(value, key));
      }
      await transaction.done;
    },
    lock: async () => {
      release = await lockOf(name);
    },
    close: () => {
      release?.();
      db.close();
      return Promise.resolve();
    },
  };
}

async function list(db: IDBPDatabase, prefix: string): Promise<readonly (readonly [string, string])[]> {
  const range = globalThis as unknown as { IDBKeyRange: { bound(from: string, to: string): never } };
  const bound = range.IDBKeyRange.bound(prefix, `${prefix}\uffff`);
  const transaction = db.transaction(TABLE);
  const [keys, values] = await Promise.all([transaction.store.getAllKeys(bound), transaction.store.getAll(bound)]);
  return keys.map((key, i) => [String(key), String(values[i])]);
}

/** One tab at a time; the lock goes with the tab. @throws KeyInUse */
function lockOf(name: string): Promise<() => void> {
  const { locks } = (globalThis as unknown as Page).navigator;
  if (locks === undefined)
    return Promise.reject(clientError("KeyInUse", { name: `${name} (this browser has no locks)` }));
  return new Promise((resolve, reject) => {
    void locks
      .request(`channel-client:${name}`, { ifAvailable: true }, (lock) => {
        if (lock === null) {
          reject(clientError("KeyInUse", { name }));
          return Promise.resolve();
        }
        return new Promise<void>((release) => resolve(release));
      })
      .catch(reject);
  });
}
