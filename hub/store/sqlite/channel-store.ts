import {
  formatState,
  formatUpdate,
  parseState,
  parseUpdate,
  type Address,
  type Hash,
  type Ledgers,
  type Signature,
  type SignedUpdate,
  type WireUpdate,
} from "../../../protocol";
import type { ChannelRow, ChannelStore, DoubleSigned, PendingUpdate } from "../channel-store";
import type { Transaction } from "../database";
import type { Row, SqliteDatabase } from "./sqlite-database";

export function sqliteChannelStore(db: SqliteDatabase): ChannelStore {
  return {
    load: (user) => db.onDisk(channelOf(db.get("SELECT * FROM channels WHERE user = ?", user))),

    updatesAfter: (user, session, nonce, limit) => {
      const sql = `SELECT * FROM updates WHERE user = ? AND session = ? AND nonce > ? ORDER BY nonce LIMIT ${limit}`;
      return db.onDisk(db.all(sql, user, session, nonce).map(pendingOf));
    },

    threadUpdates: (user, session, upToNonce) => {
      const sql = `SELECT * FROM updates WHERE user = ? AND session = ? AND nonce <= ?
        AND reason IN ('OpenThread', 'CloseThread') ORDER BY nonce`;
      return db.onDisk(db.all(sql, user, session, upToNonce).map(updateOf));
    },

    latestUpdate: (user, session) => {
      const sql = "SELECT * FROM updates WHERE user = ? AND session = ? ORDER BY nonce DESC LIMIT 1";
      const row = db.get(sql, user, session);
      return db.onDisk(row === undefined ? undefined : updateOf(row));
    },

    list: (after, limit) => {
      const rows = db.all(`SELECT * FROM channels WHERE user > ? ORDER BY user LIMIT ${limit}`, after ?? "");
      return db.onDisk(rows.flatMap((row) => channelOf(row) ?? []));
    },

    exiting: (after, limit) => {
      const sql = `SELECT user FROM channels WHERE exit_deadline IS NOT NULL AND user > ? ORDER BY user LIMIT ${limit}`;
      return db.onDisk(db.all(sql, after ?? "").map(({ user }) => user as Address));
    },

    exitsDue: (nowSeconds) => {
      const rows = db.all("SELECT user FROM channels WHERE exit_deadline <= ?", nowSeconds);
      return db.onDisk(rows.map(({ user }) => user as Address));
    },

    count: () => {
      const row = db.get("SELECT count(*) AS channels, count(exit_deadline) AS exiting FROM channels");
      return db.onDisk({ channels: Number(row?.channels ?? 0), exiting: Number(row?.exiting ?? 0) });
    },

    save: (tx, row) => save(db, tx, row),

    insertUpdate: (tx, user, session, { update, isDelivered }) => {
      const { reason, nonce, previous, sigHub, sigUser } = update;
      const args = JSON.stringify(formatUpdate(update).args);
      db.run(
        tx,
        "INSERT INTO updates (user, session, nonce, reason, args, previous, sig_hub, sig_user, delivered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ...[user, session, nonce, reason, args, previous, sigHub ?? null, sigUser ?? null, isDelivered ? 1n : 0n],
      );
    },

    countersign: (tx, user, session, nonce, sigUser) => {
      const sql = "UPDATE updates SET sig_user = ? WHERE user = ? AND session = ? AND nonce = ?";
      db.runOne(tx, `update ${nonce} of ${user}`, sql, sigUser, user, session, nonce);
    },

    deleteUndelivered: (tx, user, session, nonce) => {
      const sql = "DELETE FROM updates WHERE user = ? AND session = ? AND nonce = ? AND delivered = 0";
      db.runOne(tx, `undelivered update ${nonce} of ${user}`, sql, user, session, nonce);
    },

    markDelivered: (tx, user, session) => {
      db.run(tx, "UPDATE updates SET delivered = 1 WHERE user = ? AND session = ? AND delivered = 0", user, session);
    },

    deleteAfter: (tx, user, session, nonce) => {
      db.run(tx, "DELETE FROM updates WHERE user = ? AND session = ? AND nonce > ?", user, session, nonce);
    },

    requireProofs: (tx) => void db.run(tx, "UPDATE channels SET needs_proof = 1"),
  };
}

function save(db: SqliteDatabase, tx: Transaction, row: ChannelRow): void {
  const { user, session, doubleSigned, exit, version } = row;
  db.runOne(
    tx,
    `version ${version} of channel ${user}`,
    `INSERT INTO channels
         (user, session, state, sig_hub, sig_user, ledgers, exit_nonce, exit_deadline, needs_proof, version, threads)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
     ON CONFLICT (user) DO UPDATE SET session = ?2, state = ?3, sig_hub = ?4, sig_user = ?5, ledgers = ?6,
       exit_nonce = ?7, exit_deadline = ?8, needs_proof = ?9, version = ?10, threads = ?11 WHERE version = ?10 - 1`,
    user,
    session,
    doubleSigned === undefined ? null : JSON.stringify(formatState(doubleSigned.state)),
    doubleSigned?.sigHub ?? null,
    doubleSigned?.sigUser ?? null,
    formatLedgers(row.ledgers),
    exit?.nonce ?? null,
    exit?.deadline ?? null,
    row.needsProof ? 1n : 0n,
    version,
    JSON.stringify(row.threads),
  );
}

function channelOf(row: Row | undefined): ChannelRow | undefined {
  if (row === undefined) return undefined;
  const doubleSigned = doubleSignedOf(row);
  const exit =
    row.exit_deadline === null ? undefined : { nonce: big(row.exit_nonce), deadline: big(row.exit_deadline) };
  return {
    user: row.user as Address,
    session: big(row.session),
    ...(doubleSigned === undefined ? {} : { doubleSigned }),
    threads: JSON.parse(String(row.threads)) as Hash[],
    ledgers: parseLedgers(String(row.ledgers)),
    ...(exit === undefined ? {} : { exit }),
    needsProof: row.needs_proof === 1n,
    version: big(row.version),
  };
}

function doubleSignedOf({ state, sig_hub, sig_user }: Row): DoubleSigned | undefined {
  if (typeof state !== "string") return undefined;
  return { state: parseState(JSON.parse(state)), sigHub: sig_hub as Signature, sigUser: sig_user as Signature };
}

function pendingOf(row: Row): PendingUpdate {
  return { update: updateOf(row), isDelivered: row.delivered === 1n };
}

function updateOf({ reason, args, nonce, previous, sig_hub, sig_user }: Row): SignedUpdate {
  return parseUpdate({
    reason,
    args: JSON.parse(String(args)) as unknown,
    nonce: String(nonce),
    previous,
    ...(sig_hub === null ? {} : { sigHub: sig_hub }),
    ...(sig_user === null ? {} : { sigUser: sig_user }),
  } as WireUpdate);
}

function formatLedgers(ledgers: Ledgers): string {
  const rows = [...ledgers].map(([asset, each]) => [
    asset,
    ...[each.depositedHub, each.depositedUser, each.withdrawnHub, each.withdrawnUser].map(String),
  ]);
  return JSON.stringify(rows);
}

function parseLedgers(text: string): Ledgers {
  const rows = JSON.parse(text) as [Address, string, string, string, string][];
  return new Map(
    rows.map(([asset, hub, user, outHub, outUser]) => [
      asset,
      {
        depositedHub: BigInt(hub),
        depositedUser: BigInt(user),
        withdrawnHub: BigInt(outHub),
        withdrawnUser: BigInt(outUser),
      },
    ]),
  );
}

function big(value: Row[string] | undefined): bigint {
  return BigInt(value ?? 0n);
}
