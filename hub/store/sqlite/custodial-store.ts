import type { Address, Hash } from "../../../protocol";
import { HUB_ACCOUNT, type CustodialEntry, type CustodialStore, type CustodialWithdrawal } from "../custodial-store";
import type { Transaction } from "../database";
import type { Row, SqliteDatabase } from "./sqlite-database";

export function sqliteCustodialStore(db: SqliteDatabase): CustodialStore {
  return {
    balance: (user, asset) => {
      const row = db.get("SELECT amount FROM custodial_balances WHERE user = ? AND asset = ?", user, asset);
      return db.onDisk(BigInt(row?.amount ?? 0));
    },
    balances: (user) => {
      const rows = db.all("SELECT asset, amount FROM custodial_balances WHERE user = ? ORDER BY asset", user);
      return db.onDisk(new Map(rows.map(({ asset, amount }) => [asset as Address, BigInt(amount ?? 0)])));
    },
    liabilities: () => {
      const sums = new Map<Address, bigint>();
      for (const { asset, amount } of db.all("SELECT asset, amount FROM custodial_balances")) {
        sums.set(asset as Address, (sums.get(asset as Address) ?? 0n) + BigInt(amount ?? 0));
      }
      return db.onDisk(sums);
    },
    withdrawal: (user, id) => {
      const row = db.get("SELECT * FROM custodial_withdrawals WHERE user = ? AND id = ?", user, id);
      return db.onDisk(row === undefined ? undefined : withdrawalOf(row));
    },
    withdrawals: (user, limit) => {
      const sql = `SELECT * FROM custodial_withdrawals WHERE user = ? ORDER BY created_at_ms DESC LIMIT ${limit}`;
      return db.onDisk(db.all(sql, user).map(withdrawalOf));
    },
    pendingWithdrawals: () => {
      const rows = db.all("SELECT * FROM custodial_withdrawals WHERE status = 'pending' ORDER BY created_at_ms");
      return db.onDisk(rows.map(withdrawalOf));
    },
    book: (tx, entry, balance) => book(db, tx, entry, balance),
    insertWithdrawal: (tx, { user, id, asset, amount, to, status, createdAtMs }) => {
      const sql = `INSERT INTO custodial_withdrawals (user, id, asset, amount, destination, status, created_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?)`;
      db.run(tx, sql, user, id, asset, amount.toString(), to, status, BigInt(createdAtMs));
    },
    endWithdrawal: (tx, user, id, status, transactionHash) => {
      const sql = `UPDATE custodial_withdrawals SET status = ?, transaction_hash = ?
        WHERE user = ? AND id = ? AND status = 'pending'`;
      db.runOne(tx, `pending custodial withdrawal ${id}`, sql, status, transactionHash ?? null, user, id);
    },
  };
}

function book(db: SqliteDatabase, tx: Transaction, entry: CustodialEntry, balance: bigint): void {
  const { asset, debit, credit, amount, kind, reference, createdAtMs } = entry;
  db.run(
    tx,
    `INSERT INTO custodial_entries (kind, reference, asset, debit, credit, amount, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ...[kind, reference, asset, debit, credit, amount.toString(), BigInt(createdAtMs)],
  );
  const user = debit === HUB_ACCOUNT ? credit : debit;
  const after = debit === HUB_ACCOUNT ? balance + amount : balance - amount;
  db.runOne(
    tx,
    `custodial balance of ${user}, expected ${balance}`,
    `INSERT INTO custodial_balances VALUES (?1, ?2, ?3) ON CONFLICT (user, asset) DO UPDATE SET amount = ?3 WHERE amount = ?4`,
    ...[user, asset, after.toString(), balance.toString()],
  );
}

function withdrawalOf(row: Row): CustodialWithdrawal {
  return {
    user: row.user as Address,
    id: String(row.id),
    asset: row.asset as Address,
    amount: BigInt(row.amount ?? 0),
    to: row.destination as Address | "channel",
    status: row.status as CustodialWithdrawal["status"],
    ...(row.transaction_hash === null ? {} : { transactionHash: row.transaction_hash as Hash }),
    createdAtMs: Number(row.created_at_ms),
  };
}
