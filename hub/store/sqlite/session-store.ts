import type { Address } from "../../../protocol";
import type { SessionStore } from "../session-store";
import type { SqliteDatabase } from "./sqlite-database";

export function sqliteSessionStore(db: SqliteDatabase): SessionStore {
  return {
    find: (tokenHash) => {
      const row = db.get("SELECT address, expires_at_ms FROM sessions WHERE token_hash = ?", tokenHash);
      if (row === undefined) return db.onDisk(undefined);
      const session = { tokenHash, address: row.address as Address, expiresAtMs: Number(row.expires_at_ms) };
      return db.onDisk(session);
    },
    useNonce: (tx, nonce, expiresAtMs) => {
      db.run(tx, "INSERT INTO used_nonces VALUES (?, ?)", nonce, BigInt(expiresAtMs));
    },
    insert: (tx, { tokenHash, address, expiresAtMs }) => {
      db.run(tx, "INSERT INTO sessions VALUES (?, ?, ?)", tokenHash, address, BigInt(expiresAtMs));
    },
    remove: (tx, tokenHash) => void db.run(tx, "DELETE FROM sessions WHERE token_hash = ?", tokenHash),
    prune: (tx, nowMs) => {
      db.run(tx, "DELETE FROM used_nonces WHERE expires_at_ms <= ?", BigInt(nowMs));
      db.run(tx, "DELETE FROM sessions WHERE expires_at_ms <= ?", BigInt(nowMs));
    },
  };
}
