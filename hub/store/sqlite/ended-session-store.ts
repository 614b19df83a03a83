import type { Address, Hash } from "../../../protocol";
import type { EndedLeg, EndedPayout, EndedSession, EndedSessionStore } from "../ended-session-store";
import type { Row, SqliteDatabase } from "./sqlite-database";

export function sqliteEndedSessionStore(db: SqliteDatabase): EndedSessionStore {
  return {
    load: (user, session) => {
      const row = db.get("SELECT * FROM ended_sessions WHERE user = ? AND session = ?", user, session);
      return db.onDisk(row === undefined ? undefined : sessionOf(row));
    },
    openLegs: (after, limit) => {
      const sql = `SELECT * FROM ended_legs WHERE is_paid = 0 AND (hash, user, session) > (?, ?, ?)
        ORDER BY hash, user, session LIMIT ${limit}`;
      const rows = db.all(sql, after?.hash ?? "", after?.user ?? "", after?.session ?? 0n);
      return db.onDisk(rows.map(legOf));
    },
    legsOf: (hash) => {
      return db.onDisk(db.all("SELECT * FROM ended_legs WHERE hash = ? AND is_paid = 0", hash).map(legOf));
    },
    payouts: (user, limit) => {
      const sql = `SELECT * FROM ended_payouts WHERE user = ? ORDER BY session DESC, kind, asset, thread LIMIT ${limit}`;
      return db.onDisk(db.all(sql, user).map(payoutOf));
    },
    end: (tx, { user, session, nonce, threadRoot, threads, endedAtMs }) => {
      const sql = `INSERT INTO ended_sessions (user, session, nonce, thread_root, threads, ended_at_ms)
        VALUES (?, ?, ?, ?, ?, ?)`;
      db.run(tx, sql, user, session, nonce, threadRoot, JSON.stringify(threads), BigInt(endedAtMs));
      for (const hash of threads) {
        db.run(tx, "INSERT INTO ended_legs (hash, user, session) VALUES (?, ?, ?)", hash, user, session);
      }
    },
    payLeg: (tx, { user, session, hash }) => {
      const sql = "UPDATE ended_legs SET is_paid = 1 WHERE hash = ? AND user = ? AND session = ?";
      db.run(tx, sql, hash, user, session);
    },
    book: (tx, { user, session, asset, kind, thread, amountUser, amountHub, transactionHash }) => {
      const sql = `INSERT INTO ended_payouts
        (user, session, kind, asset, thread, amount_user, amount_hub, transaction_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET amount_user = excluded.amount_user, amount_hub = excluded.amount_hub,
          transaction_hash = excluded.transaction_hash`;
      const amounts = [amountUser.toString(), amountHub.toString()] as const;
      db.run(tx, sql, user, session, kind, asset, thread ?? "", ...amounts, transactionHash);
    },
    unbook: (tx, { user, session, asset, kind, thread, transactionHash }) => {
      const sql = `DELETE FROM ended_payouts
        WHERE user = ? AND session = ? AND kind = ? AND asset = ? AND thread = ? AND transaction_hash = ?`;
      db.run(tx, sql, user, session, kind, asset, thread ?? "", transactionHash);
    },
  };
}

function sessionOf({ user, session, nonce, thread_root, threads, ended_at_ms }: Row): EndedSession {
  return {
    ...{ user: user as Address, session: BigInt(session ?? 0), nonce: BigInt(nonce ?? 0) },
    ...{ threadRoot: thread_root as Hash, threads: JSON.parse(String(threads)) as Hash[] },
    endedAtMs: Number(ended_at_ms),
  };
}

function legOf({ user, session, hash }: Row): EndedLeg {
  return { user: user as Address, session: BigInt(session ?? 0), hash: hash as Hash };
}

function payoutOf(row: Row): EndedPayout {
  return {
    ...{ user: row.user as Address, session: BigInt(row.session ?? 0), asset: row.asset as Address },
    kind: row.kind as EndedPayout["kind"],
    ...(row.thread === "" ? {} : { thread: row.thread as Hash }),
    ...{ amountUser: BigInt(row.amount_user ?? 0), amountHub: BigInt(row.amount_hub ?? 0) },
    transactionHash: row.transaction_hash as Hash,
  };
}
