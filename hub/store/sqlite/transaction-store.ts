import type { Address, Hash, Hex } from "../../../protocol";
import type { Attempt, TransactionRow, TransactionStatus, TransactionStore } from "../transaction-store";
import type { Row, SqliteDatabase } from "./sqlite-database";

export function sqliteTransactionStore(db: SqliteDatabase): TransactionStore {
  const rows = (sql: string, ...values: (string | bigint)[]): Promise<readonly TransactionRow[]> =>
    Promise.resolve(db.all(`SELECT * FROM transactions ${sql}`, ...values).map(rowOf));
  const set = (
    tx: Parameters<TransactionStore["requeue"]>[0],
    id: string,
    change: string,
    ...values: (string | bigint | null)[]
  ): void => db.runOne(tx, `transaction ${id}`, `UPDATE transactions SET ${change} WHERE id = ?`, ...values, id);

  return {
    find: async (id) => (await rows("WHERE id = ?", id))[0],
    queued: (limit) => rows(`WHERE status = 'queued' ORDER BY kind = 'normal', created_at_ms, rowid LIMIT ${limit}`),
    inFlight: () => rows("WHERE is_final = 0 AND status IN ('sent', 'mined') ORDER BY nonce"),
    untold: (limit) => rows(`WHERE is_final = 1 AND is_told = 0 ORDER BY rowid LIMIT ${limit}`),
    attempts: (id) => {
      const sql = "SELECT transaction_hash, raw FROM transaction_attempts WHERE id = ? ORDER BY rowid DESC";
      return Promise.resolve(db.all(sql, id).map(attemptOf));
    },
    list: (limit) => rows(`ORDER BY created_at_ms DESC, rowid DESC LIMIT ${limit}`),
    countOpen: () =>
      Promise.resolve(Number(db.get("SELECT count(*) AS count FROM transactions WHERE is_final = 0")?.count)),

    enqueue: (tx, { id, to, data, valueWei, kind, deadlineSeconds, createdAtMs }) => {
      const sql = `INSERT INTO transactions (id, recipient, data, value_wei, kind, deadline_seconds, status, created_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, 'queued', ?) ON CONFLICT (id) DO NOTHING`;
      const deadline = deadlineSeconds === undefined ? null : BigInt(deadlineSeconds);
      db.run(tx, sql, id, to, data, valueWei.toString(), kind, deadline, BigInt(createdAtMs));
    },
    markSent: (tx, row, { transactionHash, raw }) => {
      set(
        tx,
        row.id,
        "status = 'sent', nonce = ?, gas_limit = ?, max_fee_per_gas = ?, max_priority_fee_per_gas = ?, sent_at_ms = ?",
        ...[BigInt(row.nonce ?? 0), text(row.gasLimit), text(row.maxFeePerGas), text(row.maxPriorityFeePerGas)],
        BigInt(row.sentAtMs ?? 0),
      );
      db.run(
        tx,
        "INSERT INTO transaction_attempts (transaction_hash, id, raw) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        transactionHash,
        row.id,
        raw,
      );
    },
    markMined: (tx, id, transactionHash, block) =>
      set(tx, id, "status = 'mined', transaction_hash = ?, mined_block = ?", transactionHash, BigInt(block)),
    markUnmined: (tx, id) => set(tx, id, "status = 'sent', transaction_hash = NULL, mined_block = NULL"),
    requeue: (tx, id) => {
      set(tx, id, "status = 'queued', nonce = NULL, transaction_hash = NULL, mined_block = NULL");
      db.run(tx, "DELETE FROM transaction_attempts WHERE id = ?", id);
    },
    markFailed: (tx, id, error) => set(tx, id, "status = 'failed', error = ?, is_final = 1", error),
    markFinal: (tx, id, error) => {
      const status = error === undefined ? "mined" : "failed";
      set(tx, id, "status = ?, error = ?, is_final = 1", status, error ?? null);
    },
    markTold: (tx, id) => set(tx, id, "is_told = 1"),
  };
}

function rowOf(row: Row): TransactionRow {
  return {
    id: String(row.id),
    to: row.recipient as Address,
    data: row.data as Hex,
    valueWei: BigInt(row.value_wei ?? 0),
    kind: row.kind as TransactionRow["kind"],
    status: row.status as TransactionStatus,
    isTold: row.is_told === 1n,
    createdAtMs: Number(row.created_at_ms),
    ...optional("deadlineSeconds", row.deadline_seconds, Number),
    ...optional("nonce", row.nonce, Number),
    ...optional("gasLimit", row.gas_limit, BigInt),
    ...optional("maxFeePerGas", row.max_fee_per_gas, BigInt),
    ...optional("maxPriorityFeePerGas", row.max_priority_fee_per_gas, BigInt),
    ...optional("sentAtMs", row.sent_at_ms, Number),
    ...optional("transactionHash", row.transaction_hash, (value) => value as Hash),
    ...optional("minedBlock", row.mined_block, Number),
    ...optional("error", row.error, String),
  };
}

function optional<Name extends string, Value>(
  name: Name,
  value: Row[string] | undefined,
  read: (value: string | bigint) => Value,
): { readonly [Each in Name]?: Value } {
  return value === null || value === undefined ? {} : ({ [name]: read(value) } as { readonly [Each in Name]: Value });
}

function attemptOf({ transaction_hash, raw }: Row): Attempt {
  return { transactionHash: transaction_hash as Hash, raw: raw as Hex };
}

function text(value: bigint | undefined): string | null {
  return value === undefined ? null : value.toString();
}
