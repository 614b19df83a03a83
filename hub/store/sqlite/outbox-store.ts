import type { OutboxStore } from "../outbox-store";
import { KEPT_EVENTS } from "../outbox-store";
import type { SqliteDatabase } from "./sqlite-database";

/**
 * After so many appends of all users, the user of the last one loses what is too old. So each is tidied about every 256
 * of its own events, whoever else is busy, and nothing is counted per user. Prime, so that no pattern spares anybody.
 */
const TIDY_EVERY = 257;

const TIDY = `DELETE FROM outbox WHERE user = ?1 AND cursor <=
  (SELECT cursor FROM outbox WHERE user = ?1 ORDER BY cursor DESC LIMIT 1 OFFSET ${KEPT_EVENTS})`;

const LARGEST_CURSOR = 2n ** 63n - 1n;

export function sqliteOutboxStore(db: SqliteDatabase): OutboxStore {
  let appended = 0;
  return {
    after: (user, cursor, limit) => {
      const sql = `SELECT cursor, event FROM outbox WHERE user = ? AND cursor > ? ORDER BY cursor LIMIT ${limit}`;
      const rows = db.all(sql, user, cursor > LARGEST_CURSOR ? LARGEST_CURSOR : cursor);
      return db.onDisk(rows.map((row) => ({ cursor: BigInt(row.cursor ?? 0), event: String(row.event) })));
    },
    // Not the highest that is left: cursors are never used again, even when every row is gone.
    newestCursor: () => db.onDisk(BigInt(db.get("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'")?.seq ?? 0)),
    append: (tx, user, event, atMs) => {
      db.run(tx, "INSERT INTO outbox (user, event, at_ms) VALUES (?, ?, ?)", user, JSON.stringify(event), BigInt(atMs));
      if (++appended % TIDY_EVERY === 0) db.run(tx, TIDY, user);
    },
    prune: (tx, beforeMs) => void db.run(tx, "DELETE FROM outbox WHERE at_ms < ?", BigInt(beforeMs)),
  };
}
