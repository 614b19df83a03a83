import {
  parseStruct,
  receiptType,
  toWire,
  type Address,
  type Hash,
  type PaymentStatus,
  type PaymentType,
  type Signature,
} from "../../../protocol";
import type { PaymentRow, PaymentStore, PurchaseRow } from "../payment-store";
import type { Row, SqliteDatabase } from "./sqlite-database";

export function sqlitePaymentStore(db: SqliteDatabase): PaymentStore {
  const payments = (sql: string, ...values: (string | bigint)[]): Promise<readonly PaymentRow[]> =>
    db.onDisk(db.all(`SELECT * FROM payments WHERE ${sql}`, ...values).map(paymentOf));
  const first = async (sql: string, value: string): Promise<PaymentRow | undefined> => (await payments(sql, value))[0];

  return {
    purchase: (payer, id) => {
      const row = db.get("SELECT * FROM purchases WHERE payer = ? AND id = ?", payer, id);
      return db.onDisk(row === undefined ? undefined : purchaseOf(row));
    },
    paymentsOf: (payer, id) => payments("payer = ? AND purchase_id = ? ORDER BY position", payer, id),
    payment: (id) => first("payment_id = ?", id),
    byLink: (link) => first("link = ?", link),
    history: (user, beforeMs, limit) => {
      const one = (column: string): string =>
        `SELECT * FROM (SELECT * FROM payments WHERE ${column} = ?1 AND created_at_ms < ?2 ORDER BY created_at_ms DESC LIMIT ${limit})`;
      const sql = `${one("payer")} UNION ${one("payee")} ORDER BY created_at_ms DESC, payment_id LIMIT ${limit}`;
      return db.onDisk(db.all(sql, user, BigInt(beforeMs)).map(paymentOf));
    },
    waitingFor: (payee, limit) =>
      payments(`payee = ? AND status = 'waiting' ORDER BY created_at_ms LIMIT ${limit}`, payee),
    expired: (nowSeconds, limit) =>
      payments(`status = 'waiting' AND expires_at <= ? ORDER BY expires_at LIMIT ${limit}`, nowSeconds),
    reservedIn: (payer, session, asset) => {
      const sql =
        "SELECT amount FROM payments WHERE payer = ? AND status IN ('waiting', 'open') AND payer_session = ? AND asset = ?";
      return db.onDisk(sumOf(db.all(sql, payer, session, asset)));
    },
    reservedTotals: () =>
      db.onDisk(totals(db.all("SELECT asset, amount FROM payments WHERE status IN ('waiting', 'open')"))),
    receivedSince: (payee, asset, sinceMs) => {
      const sql =
        "SELECT payer, amount FROM payments WHERE payee = ? AND created_at_ms >= ? AND asset = ? AND status <> 'refunded' ORDER BY created_at_ms DESC LIMIT 1000";
      const rows = db.all(sql, payee, BigInt(sinceMs), asset);
      return db.onDisk({ payers: new Set(rows.map(({ payer }) => payer)).size, amount: sumOf(rows) });
    },
    count: () => db.onDisk(Number(db.get("SELECT count(*) AS count FROM payments")?.count ?? 0)),

    insertPurchase: (tx, { payer, id, requestHash, meta, createdAtMs }) => {
      const values = [payer, id, requestHash, json(meta), BigInt(createdAtMs)];
      db.run(
        tx,
        "INSERT INTO purchases (payer, id, request_hash, meta, created_at_ms) VALUES (?, ?, ?, ?, ?)",
        ...values,
      );
    },
    insertPayment: (tx, row) => {
      const values = [
        row.paymentId, row.payer, row.purchaseId, BigInt(row.index), row.type, row.status, row.payee ?? null,
        row.link ?? null, row.asset, row.amount.toString(), row.payerSession, row.expiresAt ?? null,
        BigInt(row.createdAtMs), json(row.meta), json(row.receipt), row.sigReceipt ?? null,
      ]; // prettier-ignore
      db.run(tx, `INSERT INTO payments VALUES (${values.map(() => "?").join(", ")})`, ...values);
    },
    change: (tx, { paymentId, from, to, payee, receipt, sigReceipt }) => {
      db.runOne(
        tx,
        `payment ${paymentId} in ${from}`,
        `UPDATE payments SET status = ?, payee = coalesce(?, payee), receipt = ?, sig_receipt = ?
           WHERE payment_id = ? AND status = ?`,
        ...[to, payee ?? null, json(receipt), sigReceipt ?? null, paymentId, from],
      );
    },
  };
}

function paymentOf(row: Row): PaymentRow {
  return {
    paymentId: row.payment_id as Hash,
    payer: row.payer as Address,
    purchaseId: String(row.purchase_id),
    index: Number(row.position),
    type: row.type as PaymentType,
    status: row.status as PaymentStatus,
    ...(row.payee === null ? {} : { payee: row.payee as Address }),
    ...(row.link === null ? {} : { link: row.link as Address }),
    asset: row.asset as Address,
    amount: BigInt(row.amount ?? 0),
    payerSession: BigInt(row.payer_session ?? 0),
    ...(row.expires_at === null ? {} : { expiresAt: BigInt(row.expires_at ?? 0) }),
    createdAtMs: Number(row.created_at_ms),
    ...metaOf(row),
    ...receiptOf(row),
  };
}

function receiptOf({ receipt, sig_receipt }: Row): Pick<PaymentRow, "receipt" | "sigReceipt"> {
  if (typeof receipt !== "string") return {};
  const parsed = parseStruct(receiptType, JSON.parse(receipt), "receipt");
  return { receipt: parsed, sigReceipt: sig_receipt as Signature };
}

function purchaseOf(row: Row): PurchaseRow {
  return {
    payer: row.payer as Address,
    id: String(row.id),
    requestHash: row.request_hash as Hash,
    createdAtMs: Number(row.created_at_ms),
    ...metaOf(row),
  };
}

function metaOf({ meta }: Row): { readonly meta?: Readonly<Record<string, string>> } {
  return typeof meta === "string" ? { meta: JSON.parse(meta) as Record<string, string> } : {};
}

function json(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(toWire(value));
}

/** Amounts have up to 128 bits, which SQL cannot add. */
function sumOf(rows: readonly Row[]): bigint {
  return rows.reduce((sum, { amount }) => sum + BigInt(amount ?? 0), 0n);
}

function totals(rows: readonly Row[]): ReadonlyMap<Address, bigint> {
  const sums = new Map<Address, bigint>();
  for (const { asset, amount } of rows) {
    sums.set(asset as Address, (sums.get(asset as Address) ?? 0n) + BigInt(amount ?? 0));
  }
  return sums;
}
