import type { Address } from "../../../protocol";
import type { CollateralReservation, CollateralStore } from "../collateral-store";
import type { Row, SqliteDatabase } from "./sqlite-database";

export function sqliteCollateralStore(db: SqliteDatabase): CollateralStore {
  return {
    queued: (limit) => {
      const sql = `SELECT * FROM collateral_reservations WHERE status = 'queued' ORDER BY asset, id LIMIT ${limit}`;
      return db.onDisk(db.all(sql).map(reservationOf));
    },
    onItsWay: (user, asset, nowMs) => {
      const sql = `SELECT amount FROM collateral_reservations
        WHERE user = ? AND asset = ? AND (status = 'sent' OR (status = 'queued' AND expires_at_ms > ?))`;
      return db.onDisk(sumOf(db.all(sql, user, asset, BigInt(nowMs))));
    },
    sent: () => {
      return db.onDisk(db.all("SELECT * FROM collateral_reservations WHERE status = 'sent'").map(reservationOf));
    },
    grantedSince: (asset, sinceMs, user) => {
      const where = "status <> 'failed' AND asset = ? AND created_at_ms >= ?";
      const rows =
        user === undefined
          ? db.all(`SELECT amount FROM collateral_reservations WHERE ${where}`, asset, BigInt(sinceMs))
          : db.all(
              `SELECT amount FROM collateral_reservations WHERE ${where} AND user = ?`,
              asset,
              BigInt(sinceMs),
              user,
            );
      return db.onDisk({ count: rows.length, amount: sumOf(rows) });
    },
    profiles: (user) => {
      const rows = db.all("SELECT asset, target FROM collateral_profiles WHERE user = ? ORDER BY asset", user);
      return db.onDisk(rows.map(({ asset, target }) => ({ asset: asset as Address, target: BigInt(target ?? 0) })));
    },
    expectedDeposit: (user, asset) => {
      const row = db.get("SELECT amount FROM expected_deposits WHERE user = ? AND asset = ?", user, asset);
      return db.onDisk(BigInt(row?.amount ?? 0));
    },
    insert: (tx, { user, asset, amount, createdAtMs, expiresAtMs }) => {
      const sql = `INSERT INTO collateral_reservations (user, asset, amount, status, created_at_ms, expires_at_ms)
        VALUES (?, ?, ?, 'queued', ?, ?)`;
      db.run(tx, sql, user, asset, amount.toString(), BigInt(createdAtMs), BigInt(expiresAtMs));
    },
    markSent: (tx, ids, transactionId) => {
      const sql =
        "UPDATE collateral_reservations SET status = 'sent', transaction_id = ? WHERE id = ? AND status = 'queued'";
      for (const id of ids) db.runOne(tx, `queued collateral ${id}`, sql, transactionId, id);
    },
    endSent: (tx, transactionId, status) => {
      const sql = "UPDATE collateral_reservations SET status = ? WHERE transaction_id = ? AND status = 'sent'";
      db.run(tx, sql, status, transactionId);
    },
    expire: (tx, nowMs) => {
      const sql = "UPDATE collateral_reservations SET status = 'failed' WHERE status = 'queued' AND expires_at_ms <= ?";
      db.run(tx, sql, BigInt(nowMs));
    },
    setProfile: (tx, user, { asset, target }) => {
      const sql = "INSERT INTO collateral_profiles VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET target = ?3";
      db.run(tx, sql, user, asset, target.toString());
    },
    setExpectedDeposit: (tx, user, asset, amount) => {
      const sql = "INSERT INTO expected_deposits VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET amount = ?3";
      db.run(tx, sql, user, asset, amount.toString());
    },
  };
}

function reservationOf(row: Row): CollateralReservation {
  return {
    id: BigInt(row.id ?? 0),
    user: row.user as Address,
    asset: row.asset as Address,
    amount: BigInt(row.amount ?? 0),
    status: row.status as CollateralReservation["status"],
    ...(row.transaction_id === null ? {} : { transactionId: String(row.transaction_id) }),
    createdAtMs: Number(row.created_at_ms),
    expiresAtMs: Number(row.expires_at_ms),
  };
}

function sumOf(rows: readonly Row[]): bigint {
  return rows.reduce((sum, { amount }) => sum + BigInt(amount ?? 0), 0n);
}
