import type { BackupStore } from "../backup-store";
import type { SqliteDatabase } from "./sqlite-database";

/** Versions reach 2^64 - 1, which is above SQLite's integers: the text is padded, so that its order is theirs. */
const DIGITS = 20;

export function sqliteBackupStore(db: SqliteDatabase): BackupStore {
  return {
    load: (user) => {
      const row = db.get("SELECT version, blob, stored_at_ms FROM backups WHERE user = ?", user);
      if (row === undefined) return db.onDisk(undefined);
      const { version, blob, stored_at_ms: storedAtMs } = row;
      const found = { user, version: BigInt(String(version)), blob: String(blob), storedAtMs: Number(storedAtMs) };
      return db.onDisk(found);
    },
    save: (tx, { user, version, blob, storedAtMs }) => {
      const sql = `INSERT INTO backups VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET version = ?2, blob = ?3, stored_at_ms = ?4`;
      db.run(tx, sql, user, version.toString().padStart(DIGITS, "0"), blob, BigInt(storedAtMs));
    },
  };
}
