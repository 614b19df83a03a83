import {
  formatState,
  formatThreadEvidence,
  parseState,
  parseThreadEvidence,
  type Address,
  type Hash,
  type Hex,
  type Signature,
  type WireThreadEvidence,
} from "../../../protocol";
import type { CallRow, GuardedChannel, GuardedThread, Sending, TowerStore } from "../tower-store";
import { TowerDatabase, type Row, type SqlValue } from "./tower-database";

/** Opens a tower's file, at the newest schema. */
export function openTowerStore(file: string): TowerStore {
  const db = new TowerDatabase(file);
  return {
    write: (step) => db.write(step),
    close: () => db.close(),
    ...watchedIn(db),
    ...channelsIn(db),
    ...threadsIn(db),
    ...callsIn(db),
    ...backupsIn(db),
    ...restIn(db),
  };
}

type Part<Name extends keyof TowerStore> = Pick<TowerStore, Name>;

function watchedIn(
  db: TowerDatabase,
): Part<"watched" | "active" | "users" | "setActive" | "setPaidUntil" | "takeFee" | "forgetUnpaid"> {
  return {
    watched: (user) => {
      const row = db.get("SELECT is_active, paid_until_s FROM watched WHERE user = ?", user);
      if (row === undefined) return undefined;
      const paidUntil = row.paid_until_s as bigint | null;
      return { user, isActive: row.is_active === 1n, ...(paidUntil === null ? {} : { paidUntil }) };
    },
    active: () => db.all("SELECT user FROM watched WHERE is_active = 1 ORDER BY user").map(userOf),
    users: (after, limit) =>
      db.all("SELECT user FROM channels WHERE user > ? ORDER BY user LIMIT ?", after, limit).map(userOf),
    setActive: (user, isActive) => {
      db.run("UPDATE watched SET is_active = ? WHERE user = ?", isActive ? 1 : 0, user);
    },
    setPaidUntil: (user, paidUntil) => {
      db.run(
        "INSERT INTO watched (user, paid_until_s) VALUES (?1, ?2) ON CONFLICT (user) DO UPDATE SET paid_until_s = ?2",
        ...[user, paidUntil],
      );
    },
    takeFee: (paymentId, user) =>
      db.run("INSERT INTO fees VALUES (?, ?) ON CONFLICT (payment_id) DO NOTHING", paymentId, user) === 1,
    forgetUnpaid: (before) =>
      db.run("DELETE FROM watched WHERE is_active = 0 AND coalesce(paid_until_s, 0) < ?", before),
  };
}

function channelsIn(db: TowerDatabase): Part<"channel" | "saveChannel"> {
  return {
    channel: (user) => {
      const row = db.get("SELECT * FROM channels WHERE user = ?", user);
      return row === undefined ? undefined : channelOf(row);
    },
    saveChannel: ({ state, sigHub, sigUser, stateHash, receivedAt, sigReceipt }) => {
      const place = `${padded(state.session)}.${padded(state.nonce)}`;
      const text = JSON.stringify(formatState(state));
      db.run("INSERT INTO watched (user) VALUES (?) ON CONFLICT (user) DO NOTHING", state.user);
      const values: SqlValue[] = [state.user, place, text, sigHub, sigUser, stateHash, receivedAt, sigReceipt];
      db.run(
        "INSERT INTO channels VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (user) DO UPDATE SET place = ?2, " +
          "state = ?3, sig_hub = ?4, sig_user = ?5, state_hash = ?6, received_at_s = ?7, sig_receipt = ?8",
        ...values,
      );
    },
  };
}

function threadsIn(
  db: TowerDatabase,
): Part<"threads" | "sessionsWithThreads" | "usersOfThread" | "saveThread" | "dropThreads"> {
  return {
    threads: (user, session) =>
      db.all("SELECT * FROM threads WHERE user = ? AND session = ? ORDER BY hash", user, padded(session)).map(threadOf),
    sessionsWithThreads: (user) =>
      db
        .all("SELECT DISTINCT session FROM threads WHERE user = ? ORDER BY session", user)
        .map(({ session }) => BigInt(String(session))),
    usersOfThread: (hash) => db.all("SELECT DISTINCT user FROM threads WHERE hash = ?", hash).map(userOf),
    saveThread: ({ user, session, hash, evidence, receivedAt, sigReceipt }) => {
      const text = JSON.stringify(formatThreadEvidence(evidence));
      const values: SqlValue[] = [user, padded(session), hash, text, receivedAt, sigReceipt];
      db.run("INSERT OR REPLACE INTO threads VALUES (?, ?, ?, ?, ?, ?)", ...values);
    },
    dropThreads: (user, session, except) => {
      const kept = JSON.stringify(except);
      const sql = "DELETE FROM threads WHERE user = ? AND session = ? AND hash NOT IN (SELECT value FROM json_each(?))";
      db.run(sql, user, padded(session), kept);
    },
  };
}

function callsIn(db: TowerDatabase): Part<"call" | "openCalls" | "calls" | "saveCall" | "dropCall" | "pruneCalls"> {
  const open = "SELECT * FROM calls WHERE status IN ('queued', 'sent') ORDER BY deadline_s IS NULL, deadline_s, id";
  return {
    call: (id) => {
      const row = db.get("SELECT * FROM calls WHERE id = ?", id);
      return row === undefined ? undefined : callOf(row);
    },
    openCalls: () => db.all(open).map(callOf),
    calls: (limit) => db.all("SELECT * FROM calls ORDER BY rowid DESC LIMIT ?", limit).map(callOf),
    saveCall: ({ id, data, deadline = null, gasLimit = null, reverts, status, sending }) => {
      const text = sending === undefined ? null : sendingText(sending);
      const sql =
        "INSERT INTO calls VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET data = ?2, " +
        "deadline_s = ?3, gas_limit = ?4, reverts = ?5, status = ?6, sending = ?7";
      db.run(sql, id, data, deadline, gasLimit, reverts, status, text);
    },
    dropCall: (id) => {
      db.run("DELETE FROM calls WHERE id = ?", id);
    },
    pruneCalls: (keep) => {
      const over = "FROM calls WHERE status IN ('mined', 'reverted')";
      db.run(`DELETE ${over} AND rowid NOT IN (SELECT rowid ${over} ORDER BY rowid DESC LIMIT ?)`, keep);
    },
  };
}

function backupsIn(db: TowerDatabase): Part<"backup" | "saveBackup"> {
  return {
    backup: (user) => {
      const row = db.get("SELECT version, blob FROM backups WHERE user = ?", user);
      return row === undefined ? undefined : { user, version: BigInt(String(row.version)), blob: String(row.blob) };
    },
    saveBackup: ({ user, version, blob }) => {
      const sql = "INSERT INTO backups VALUES (?1, ?2, ?3) ON CONFLICT (user) DO UPDATE SET version = ?2, blob = ?3";
      db.run(sql, user, padded(version), blob);
    },
  };
}

function restIn(db: TowerDatabase): Part<"alarms" | "alarm" | "nextBlock" | "setNextBlock" | "footprint"> {
  return {
    alarms: (user, limit) =>
      db
        .all("SELECT at_s, text FROM alarms WHERE user = ? ORDER BY at_s DESC, text LIMIT ?", user, limit)
        .map(({ at_s, text }) => ({ user, at: at_s as bigint, text: String(text) })),
    alarm: ({ user, at, text }) => {
      db.run("INSERT INTO alarms VALUES (?, ?, ?) ON CONFLICT DO NOTHING", user, text, at);
      const newest = "SELECT text FROM alarms WHERE user = ?1 ORDER BY at_s DESC, text LIMIT 20";
      db.run(`DELETE FROM alarms WHERE user = ?1 AND text NOT IN (${newest})`, user);
    },
    nextBlock: () => {
      const row = db.get("SELECT next_block FROM cursor");
      return row === undefined ? undefined : Number(row.next_block);
    },
    setNextBlock: (block) => {
      if (db.run("UPDATE cursor SET next_block = ?", block) === 0) db.run("INSERT INTO cursor VALUES (?)", block);
    },
    footprint: (user) => {
      const lengths = (columns: readonly string[]): string => columns.map((each) => `length(${each})`).join(" + ");
      const channel = lengths(["user", "place", "state", "sig_hub", "sig_user", "state_hash", "sig_receipt"]);
      const thread = lengths(["user", "session", "hash", "evidence", "sig_receipt"]);
      const sql = `SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes FROM (
        SELECT ${channel} AS bytes FROM channels WHERE user = ?1 UNION ALL SELECT ${thread} FROM threads WHERE user = ?1)`;
      const row = db.get(sql, user);
      return { rows: Number(row?.rows), bytes: Number(row?.bytes) };
    },
  };
}

function userOf({ user }: Row): Address {
  return user as Address;
}

function channelOf(row: Row): GuardedChannel {
  return {
    state: parseState(JSON.parse(String(row.state))),
    sigHub: row.sig_hub as Signature,
    sigUser: row.sig_user as Signature,
    stateHash: row.state_hash as Hash,
    receivedAt: row.received_at_s as bigint,
    sigReceipt: row.sig_receipt as Signature,
  };
}

function threadOf(row: Row): GuardedThread {
  return {
    user: userOf(row),
    session: BigInt(String(row.session)),
    hash: row.hash as Hash,
    evidence: parseThreadEvidence(JSON.parse(String(row.evidence)) as WireThreadEvidence),
    receivedAt: row.received_at_s as bigint,
    sigReceipt: row.sig_receipt as Signature,
  };
}

function callOf({ id, data, deadline_s, gas_limit, reverts, status, sending }: Row): CallRow {
  return {
    ...{ id: String(id), data: data as Hex, status: status as CallRow["status"], reverts: Number(reverts) },
    ...(deadline_s === null ? {} : { deadline: deadline_s as bigint }),
    ...(gas_limit === null ? {} : { gasLimit: gas_limit as bigint }),
    ...(sending === null ? {} : { sending: sendingOf(String(sending)) }),
  };
}

/** As JSON has it. */
type Stored<Value> = { readonly [Name in keyof Value]: Value[Name] extends bigint ? string : Value[Name] };

function sendingText(sending: Sending): string {
  return JSON.stringify(sending, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

function sendingOf(text: string): Sending {
  const { gasLimit, maxFeePerGas, maxPriorityFeePerGas, ...rest } = JSON.parse(text) as Stored<Sending>;
  return {
    ...rest,
    gasLimit: BigInt(gasLimit),
    maxFeePerGas: BigInt(maxFeePerGas),
    maxPriorityFeePerGas: BigInt(maxPriorityFeePerGas),
  };
}

/** Text order is numeric order. */
function padded(value: bigint): string {
  return value.toString().padStart(20, "0");
}
