import { clientError } from "./errors";
import type { ClientStore } from "./store";

const locked = new WeakSet<Map<string, string>>();

/** For tests and for clients that need nothing to outlive them. @param entries Shared by stores that stand for one file. */
export function memoryStore(entries: Map<string, string> = new Map()): ClientStore {
  let holdsLock = false;
  return {
    get: (key) => Promise.resolve(entries.get(key)),
    list: (prefix) => {
      const found = [...entries].filter(([key]) => key.startsWith(prefix));
      return Promise.resolve(found.sort(([a], [b]) => (a < b ? -1 : 1)));
    },
    write: (changes) => {
      for (const [key, value] of Object.entries(changes)) {
        if (value === undefined) entries.delete(key);
        else entries.set(key, value);
      }
      return Promise.resolve();
    },
    lock: () => {
      if (!holdsLock && locked.has(entries)) return Promise.reject(clientError("KeyInUse", { name: "this store" }));
      locked.add(entries);
      holdsLock = true;
      return Promise.resolve();
    },
    close: () => {
      if (holdsLock) locked.delete(entries);
      holdsLock = false;
      return Promise.resolve();
    },
  };
}
