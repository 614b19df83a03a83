/**
 * Where a client keeps what it must not lose: texts by key. Backends: IndexedDB in browsers (`indexed-db-store.ts`), a
 * SQLite file in Node (`node/sqlite-store.ts`), memory in tests (`memory-store.ts`).
 */
export interface ClientStore {
  get(key: string): Promise<string | undefined>;

  /** All entries whose key begins with `prefix`, in key order. */
  list(prefix: string): Promise<readonly (readonly [key: string, value: string])[]>;

  /** All changes or none; on disk when it resolves. `undefined` deletes. */
  write(changes: Readonly<Record<string, string | undefined>>): Promise<void>;

  /**
   * Makes this the only client on these entries, in whichever tab or process, until `close` or the end of the process.
   * @throws KeyInUse when another one is.
   */
  lock(): Promise<void>;

  close(): Promise<void>;
}
