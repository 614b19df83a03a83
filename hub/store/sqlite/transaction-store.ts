import type { Address, Hash, Hex } from "../../../protocol";
import type { Attempt, TransactionRow, TransactionStatus, TransactionStore } from "../transaction-store";
import type { Row, SqliteDatabase } from "./sqlite-database";

const FINAL = "is_final = 1, failures = 0, retry_at_ms = 0";

export function sqliteTransactionStore(db: SqliteDatabase): TransactionStore {
  const rows = (sql: string, ...values: (string | bigint)[]): Promise<readonly TransactionRow[]> =>
    db.onDisk(db.all(`SELECT * FROM transactions ${sql}`, ...values).map(rowOf));
  const set = (
    tx: Parameters<TransactionStore["requeue"]>[0],
    id: string,
    change: string,
    ...values: (string | bigint | null)[]
  ): void => db.runOne(tx, `transaction ${id}`, `UPDATE transactions SET ${change} WHERE id = ?`, ...values, id);

  return {
    find: async (id) => (await rows("WHERE id = ?", id))[0],
    queued: (limit, nowMs) => {
      const order = "kind = 'normal', created_at_ms, rowid";
      return rows(`WHERE status = 'queued' AND retry_at_ms <= ? ORDER BY ${order} LIMIT ${limit}`, BigInt(nowMs));
    },
    inFlight: () => rows("WHERE is_final = 0 AND status IN ('sent', 'mined') ORDER BY nonce"),
    untold: (limit, nowMs) => {
      const sql = "WHERE is_final = 1 AND is_told = 0 AND retry_at_ms <= ? ORDER BY rowid";
      return rows(`${sql} LIMIT ${limit}`, BigInt(nowMs));
    },
    attempts: ({ id, nonce = -1 }) => {
      const sql =
        "SELECT transaction_hash, raw FROM transaction_attempts WHERE id = ? AND nonce = ? ORDER BY rowid DESC";
      return db.onDisk(db.all(sql, id, BigInt(nonce)).map(attemptOf));
    },
    holders: (fromNonce) => rows("WHERE nonce >= ? ORDER BY nonce", BigInt(fromNonce)),
    list: (limit) => rows(`ORDER BY created_at_ms DESC, rowid DESC LIMIT ${limit}`),
    countOpen: () => db.onDisk(Number(db.get("SELECT count(*) AS count FROM transactions WHERE is_final = 0")?.count)),

    enqueue: (tx, { id, to, data, valueWei, kind, deadlineSeconds, wantedGas, createdAtMs }) => {
      const sql = `INSERT INTO transactions
        (id, recipient, data, value_wei, kind, deadline_seconds, wanted_gas, status, created_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', ?) ON CONFLICT (id) DO NOTHING`;
      const deadline = deadlineSeconds === undefined ? null : BigInt(deadlineSeconds);
      db.run(tx, sql, id, to, data, valueWei.toString(), kind, deadline, text(wantedGas), BigInt(createdAtMs));
    },
    markSent: (tx, row, { transactionHash, raw }) => {
      const { id, nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas, sentAtMs, freeBlock } = row;
      const fields =
        "nonce = ?, gas_limit = ?, max_fee_per_gas = ?, max_priority_fee_per_gas = ?, sent_at_ms = ?, free_block = ?";
      set(
        tx,
        id,
        `status = 'sent', failures = 0, retry_at_ms = 0, error = NULL, refused_block = NULL, ${fields}`,
        ...[integer(nonce), text(gasLimit), text(maxFeePerGas), text(maxPriorityFeePerGas)],
        ...[integer(sentAtMs), integer(freeBlock)],
      );
      const sql =
        "INSERT INTO transaction_attempts (transaction_hash, id, nonce, raw) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
      db.run(tx, sql, transactionHash, id, integer(nonce), raw);
    },
    markMined: (tx, id, transactionHash, block) =>
      set(tx, id, "status = 'mined', transaction_hash = ?, mined_block = ?", transactionHash, BigInt(block)),
    markUnmined: (tx, id) =>
      set(
        tx,
        id,
        "status = 'sent', error = NULL, transaction_hash = NULL, mined_block = NULL, is_final = 0, is_told = 0",
      ),
    requeue: (tx, id, reverts) => {
      const fields = "nonce = NULL, transaction_hash = NULL, mined_block = NULL, free_block = NULL, reverts = ?";
      set(tx, id, `status = 'queued', ${fields}`, BigInt(reverts));
    },
    postpone: (tx, id, retryAtMs, refusal) => {
      const base = "failures = failures + 1, retry_at_ms = ?";
      if (refusal === undefined) set(tx, id, base, BigInt(retryAtMs));
      else {
        const { error, refusedBlock } = refusal;
        set(tx, id, `${base}, error = ?, refused_block = ?`, BigInt(retryAtMs), error, BigInt(refusedBlock));
      }
    },
    markFailed: (tx, id, error) => set(tx, id, `status = 'failed', error = ?, ${FINAL}`, error),
    markFinal: (tx, id, error) => {
      const status = error === undefined ? "mined" : "failed";
      set(tx, id, `status = ?, error = ?, ${FINAL}`, status, error ?? null);
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
    isFinal: row.is_final === 1n,
    isTold: row.is_told === 1n,
    reverts: Number(row.reverts),
    failures: Number(row.failures),
    createdAtMs: Number(row.created_at_ms),
    ...optional("deadlineSeconds", row.deadline_seconds, Number),
    ...optional("wantedGas", row.wanted_gas, BigInt),
    ...optional("nonce", row.nonce, Number),
    ...optional("gasLimit", row.gas_limit, BigInt),
    ...optional("maxFeePerGas", row.max_fee_per_gas, BigInt),
    ...optional("maxPriorityFeePerGas", row.max_priority_fee_per_gas, BigInt),
    ...optional("sentAtMs", row.sent_at_ms, Number),
    ...optional("freeBlock", row.free_block, Number),
    ...optional("transactionHash", row.transaction_hash, (value) => value as Hash),
    ...optional("minedBlock", row.mined_block, Number),
    ...optional("error", row.error, String),
    ...optional("refusedBlock", row.refused_block, Number),
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

function integer(value: number | undefined): bigint | null {
  return value === undefined ? null : BigInt(value);
}

function text(value: bigint | undefined): string | null {
  return value === undefined ? null : value.toString();
}
