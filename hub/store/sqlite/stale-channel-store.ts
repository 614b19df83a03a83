import type { Address } from "../../../protocol";
import type { StaleChannelStore } from "../stale-channel-store";
import type { SqliteDatabase } from "./sqlite-database";

export function sqliteStaleChannelStore(db: SqliteDatabase): StaleChannelStore {
  return {
    load: (user) => {
      const row = db.get("SELECT * FROM standstills WHERE user = ?", user);
      if (row === undefined) return db.onDisk(undefined);
      const { session, nonce, since_ms } = row;
      const [at, of] = [BigInt(session ?? 0), BigInt(nonce ?? 0)];
      return db.onDisk({ user: row.user as Address, session: at, nonce: of, sinceMs: Number(since_ms) });
    },
    note: (tx, { user, session, nonce, sinceMs }) => {
      const sql = `INSERT INTO standstills (user, session, nonce, since_ms) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (user) DO UPDATE SET session = ?2, nonce = ?3, since_ms = ?4`;
      db.run(tx, sql, user, session, nonce, BigInt(sinceMs));
    },
  };
}
