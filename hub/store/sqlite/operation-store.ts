import { exchangeQuoteType, formatStruct, parseStruct, type Address } from "../../../protocol";
import type { AuditEntry, OperationStore } from "../operation-store";
import type { Row, SqliteDatabase } from "./sqlite-database";

/** An unused quote is kept for this long after it expired, so that its user gets the right answer. */
const KEPT_SECONDS = 600n;

export function sqliteOperationStore(db: SqliteDatabase): OperationStore {
  return {
    quote: (quoteId) => {
      const row = db.get("SELECT quote, used FROM quotes WHERE quote_id = ?", quoteId);
      if (row === undefined) return db.onDisk(undefined);
      const quote = parseStruct(exchangeQuoteType, JSON.parse(String(row.quote)), "quote");
      return db.onDisk({ quote, isUsed: row.used === 1n });
    },
    setting: (name) => {
      const row = db.get("SELECT value FROM settings WHERE name = ?", name);
      return db.onDisk(row === undefined ? undefined : String(row.value));
    },
    audit: (limit) => db.onDisk(db.all(`SELECT * FROM audit ORDER BY id DESC LIMIT ${limit}`).map(entryOf)),
    incidents: () => {
      const row = db.get("SELECT count(*) AS count FROM audit WHERE kind GLOB 'incident:*'");
      return db.onDisk(Number(row?.count ?? 0));
    },
    insertQuote: (tx, quote) => {
      const values = [quote.quoteId, JSON.stringify(formatStruct(exchangeQuoteType, quote)), quote.expiresAt] as const;
      db.run(tx, "INSERT INTO quotes (quote_id, quote, expires_at) VALUES (?, ?, ?)", ...values);
    },
    useQuote: (tx, quoteId) => {
      const sql = "UPDATE quotes SET used = 1 WHERE quote_id = ? AND used = 0";
      db.runOne(tx, `unused quote ${quoteId}`, sql, quoteId);
    },
    setSetting: (tx, name, value) => {
      db.run(tx, "INSERT INTO settings VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2", name, value);
    },
    log: (tx, { atMs, kind, user, details }) => {
      const sql = "INSERT INTO audit (at_ms, kind, user, details) VALUES (?, ?, ?, ?)";
      db.run(tx, sql, BigInt(atMs), kind, user ?? null, details);
    },
    prune: (tx, nowSeconds) => {
      db.run(tx, "DELETE FROM quotes WHERE used = 0 AND expires_at < ?", nowSeconds - KEPT_SECONDS);
    },
  };
}

function entryOf({ at_ms, kind, user, details }: Row): AuditEntry {
  return {
    atMs: Number(at_ms),
    kind: String(kind),
    ...(user === null ? {} : { user: user as Address }),
    details: String(details),
  };
}
