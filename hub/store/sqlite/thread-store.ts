import {
  formatSignedThreadPayment,
  formatSignedThreadUpdate,
  formatThread,
  formatThreadResolution,
  parseSignedThreadPayment,
  parseSignedThreadUpdate,
  parseThread,
  parseThreadResolution,
  toWire,
  type Hash,
  type Signature,
} from "../../../protocol";
import type { Leg, ThreadOnChain, ThreadRow, ThreadStatus, ThreadStore } from "../thread-store";
import type { Row, SqliteDatabase, SqlValue } from "./sqlite-database";

const UNFINISHED =
  "(sender_leg = 'open' OR receiver_leg = 'open') AND (sender_leg <> receiver_leg OR record IS NOT NULL)";

const COLUMNS = [
  ...["hash", "sender", "receiver", "terms", "sig_sender", "sig_receiver", "status", "sender_leg", "receiver_leg"],
  ...["sender_session", "receiver_session", "payment", "thread_update", "resolution", "record", "outcome"],
  "created_at_ms",
];

export function sqliteThreadStore(db: SqliteDatabase): ThreadStore {
  const rows = (sql: string, ...values: SqlValue[]): Promise<readonly ThreadRow[]> =>
    db.onDisk(db.all(sql, ...values).map(rowOf));
  return {
    load: async (hash) => (await rows("SELECT * FROM threads WHERE hash = ?", hash))[0],
    of: (user, limit) =>
      rows(
        `SELECT * FROM threads WHERE sender = ?1 OR receiver = ?1 ORDER BY created_at_ms DESC, hash LIMIT ${limit}`,
        user,
      ),
    openIn: (user) =>
      rows(
        `SELECT * FROM threads WHERE (sender = ?1 AND sender_leg = 'open') OR (receiver = ?1 AND receiver_leg = 'open')
           ORDER BY created_at_ms, hash`,
        user,
      ),
    unfinished: (limit) => rows(`SELECT * FROM threads WHERE ${UNFINISHED} ORDER BY created_at_ms LIMIT ${limit}`),
    disputed: (after, limit) => {
      const sql = `SELECT hash FROM threads
        WHERE record IS NOT NULL AND (sender_leg = 'open' OR receiver_leg = 'open') AND hash > ? ORDER BY hash LIMIT ${limit}`;
      return db.onDisk(db.all(sql, after ?? "").map(({ hash }) => hash as Hash));
    },
    count: () => {
      const sql = "SELECT count(*) AS open FROM threads WHERE sender_leg = 'open' OR receiver_leg = 'open'";
      return db.onDisk({ open: Number(db.get(sql)?.open ?? 0) });
    },
    insert: (tx, row) => {
      const marks = COLUMNS.map(() => "?").join(", ");
      db.run(tx, `INSERT INTO threads (${COLUMNS.join(", ")}) VALUES (${marks})`, ...valuesOf(row));
    },
    accept: (tx, hash, sigReceiver) => {
      const sql = "UPDATE threads SET status = 'accepted', sig_receiver = ? WHERE hash = ? AND status = 'proposed'";
      db.runOne(tx, `proposed thread ${hash}`, sql, sigReceiver, hash);
    },
    void: (tx, hash) => {
      const sql = "UPDATE threads SET status = 'void' WHERE hash = ? AND status IN ('proposed', 'accepted')";
      db.runOne(tx, `thread ${hash}, not opened`, sql, hash);
    },
    open: (tx, hash, { sender, receiver }) => {
      const sql = `UPDATE threads SET status = 'open', sender_leg = 'open', receiver_leg = 'open',
        sender_session = ?, receiver_session = ? WHERE hash = ? AND status = 'accepted'`;
      db.runOne(tx, `accepted thread ${hash}`, sql, sender, receiver, hash);
    },
    endLeg: (tx, hash, user, end) => {
      const sql = `UPDATE threads SET
        sender_leg = iif(sender = ?2, ?3, sender_leg), receiver_leg = iif(receiver = ?2, ?3, receiver_leg),
        status = CASE
          WHEN iif(sender = ?2, receiver_leg, sender_leg) <> 'open' THEN 'closed'
          WHEN receiver = ?2 THEN 'receiverClosed' ELSE status END
        WHERE hash = ?1`;
      db.runOne(tx, `thread ${hash}`, sql, hash, user, end);
    },
    note: (tx, hash, { payment, update, resolution, record, outcome }) => {
      const sql = `UPDATE threads SET payment = coalesce(?2, payment), thread_update = coalesce(?3, thread_update),
        resolution = coalesce(?4, resolution), record = coalesce(?5, record), outcome = coalesce(?6, outcome)
        WHERE hash = ?1`;
      const evidence = [text(payment, formatSignedThreadPayment), text(update, formatSignedThreadUpdate)] as const;
      const rest = [text(resolution, formatThreadResolution), text(record, toWire), outcome?.toString() ?? null];
      db.runOne(tx, `thread ${hash}`, sql, hash, ...evidence, ...rest);
    },
  };
}

function valuesOf(row: ThreadRow): SqlValue[] {
  const { thread, payment, update, resolution, record } = row;
  return [
    ...[row.hash, thread.sender, thread.receiver, JSON.stringify(formatThread(thread))],
    ...[row.sigSender, row.sigReceiver ?? null, row.status, row.senderLeg, row.receiverLeg],
    ...[row.senderSession ?? null, row.receiverSession ?? null],
    ...[text(payment, formatSignedThreadPayment), text(update, formatSignedThreadUpdate)],
    ...[text(resolution, formatThreadResolution), text(record, toWire)],
    ...[row.outcome?.toString() ?? null, BigInt(row.createdAtMs)],
  ];
}

function rowOf(row: Row): ThreadRow {
  return {
    hash: row.hash as Hash,
    thread: parseThread(json(row.terms)),
    sigSender: row.sig_sender as Signature,
    ...(row.sig_receiver === null ? {} : { sigReceiver: row.sig_receiver as Signature }),
    status: row.status as ThreadStatus,
    senderLeg: row.sender_leg as Leg,
    receiverLeg: row.receiver_leg as Leg,
    ...(row.sender_session === null ? {} : { senderSession: BigInt(row.sender_session ?? 0) }),
    ...(row.receiver_session === null ? {} : { receiverSession: BigInt(row.receiver_session ?? 0) }),
    ...evidenceOf(row),
    ...(row.record === null ? {} : { record: recordOf(json(row.record)) }),
    ...(row.outcome === null ? {} : { outcome: BigInt(row.outcome ?? 0) }),
    createdAtMs: Number(row.created_at_ms),
  };
}

function evidenceOf({ payment, thread_update, resolution }: Row): Pick<ThreadRow, "payment" | "update" | "resolution"> {
  return {
    ...(payment === null ? {} : { payment: parseSignedThreadPayment(json(payment)) }),
    ...(thread_update === null ? {} : { update: parseSignedThreadUpdate(json(thread_update)) }),
    ...(resolution === null ? {} : { resolution: parseThreadResolution(json(resolution)) }),
  };
}

function recordOf(stored: {
  readonly balanceReceiver: string;
  readonly nonce: string;
  readonly deadline: string;
  readonly resolved: boolean;
}): ThreadOnChain {
  const { balanceReceiver, nonce, deadline, resolved } = stored;
  return { balanceReceiver: BigInt(balanceReceiver), nonce: BigInt(nonce), deadline: BigInt(deadline), resolved };
}

function text<Value>(value: Value | undefined, format: (value: Value) => unknown): string | null {
  return value === undefined ? null : JSON.stringify(format(value));
}

/** Written by this store from a checked value. */
function json(stored: SqlValue | undefined): never {
  return JSON.parse(String(stored)) as never;
}
