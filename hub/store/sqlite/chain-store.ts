import { toWire, type Hash } from "../../../protocol";
import type { ChainEvent } from "../../../protocol/chain/events";
import type { BlockMark, ChainStore, EventStatus, OpenEvent } from "../chain-store";
import type { Transaction } from "../database";
import type { Row, SqliteDatabase } from "./sqlite-database";

/** As the index has them: what is gone first, then in the order of the chain. */
const ORDER = "status <> 'dropped', block_number, log_index, block_hash";

const NOTHING_TOLD = "told = '', failures = 0, retry_at_ms = 0";

export function sqliteChainStore(db: SqliteDatabase): ChainStore {
  const setEvent = (
    tx: Transaction,
    { blockHash, logIndex }: ChainEvent,
    change: string,
    value: string | bigint,
  ): void => {
    const sql = `UPDATE chain_events SET ${change} WHERE block_hash = ? AND log_index = ?`;
    db.runOne(tx, `event ${logIndex} of block ${blockHash}`, sql, value, blockHash, BigInt(logIndex));
  };
  const setConfirmed = (tx: Transaction, condition: string, number: number): void => {
    db.run(tx, `UPDATE chain_progress SET confirmed_number = ?1 WHERE ${condition}`, BigInt(number));
  };

  return {
    newestBlock: (atMost = Number.MAX_SAFE_INTEGER) => {
      const sql = "SELECT number, hash FROM blocks WHERE number <= ? ORDER BY number DESC LIMIT 1";
      return db.onDisk(markOf(db.get(sql, BigInt(atMost))));
    },
    confirmedNumber: () => {
      const number = db.get("SELECT confirmed_number FROM chain_progress")?.confirmed_number;
      return db.onDisk(number === null || number === undefined ? undefined : Number(number));
    },
    open: (limit, after) => {
      const select = `SELECT event, status, told, was_confirmed, failures, retry_at_ms FROM chain_events WHERE told <> status`;
      const tail = `ORDER BY ${ORDER} LIMIT ${limit}`;
      if (after === undefined) return db.onDisk(db.all(`${select} ${tail}`).map(openOf));
      const { blockNumber, logIndex, blockHash } = after.event;
      const place = [after.status === "dropped" ? 0n : 1n, BigInt(blockNumber), BigInt(logIndex), blockHash] as const;
      return db.onDisk(db.all(`${select} AND (${ORDER}) > (?, ?, ?, ?) ${tail}`, ...place).map(openOf));
    },

    addBlocks: (tx, blocks, events) => {
      for (const { number, hash } of blocks) {
        const sql = "INSERT INTO blocks VALUES (?1, ?2) ON CONFLICT (number) DO UPDATE SET hash = ?2";
        db.run(tx, sql, BigInt(number), hash);
      }
      for (const event of events) addEvent(db, tx, event);
    },
    confirmUpTo: (tx, number) => {
      const sql =
        "UPDATE chain_events SET status = 'confirmed', was_confirmed = 1 WHERE status = 'seen' AND block_number <= ?";
      db.run(tx, sql, BigInt(number));
      setConfirmed(tx, "coalesce(confirmed_number, -1) < ?1", number);
    },
    dropAbove: (tx, number) => {
      db.run(tx, "DELETE FROM blocks WHERE number > ?", BigInt(number));
      const sql = `UPDATE chain_events SET status = 'dropped', failures = 0, retry_at_ms = 0
        WHERE block_number > ? AND status <> 'dropped'`;
      db.run(tx, sql, BigInt(number));
      setConfirmed(tx, "confirmed_number > ?1", number);
    },
    forgetFrom: (tx, number) => {
      db.run(tx, "DELETE FROM blocks WHERE number >= ?", BigInt(number));
      const sql = `UPDATE chain_events SET status = 'dropped', was_confirmed = 0, ${NOTHING_TOLD} WHERE block_number >= ?`;
      db.run(tx, sql, BigInt(number));
      setConfirmed(tx, "confirmed_number > ?1", number - 1);
    },
    markTold: (tx, event, status) => setEvent(tx, event, "told = ?, failures = 0, retry_at_ms = 0", status),
    markUntold: (tx, event, retryAtMs) =>
      setEvent(tx, event, "failures = failures + 1, retry_at_ms = ?", BigInt(retryAtMs)),
    prune: (tx, fromNumber, toNumber) => {
      const sql = `DELETE FROM blocks WHERE number BETWEEN ? AND ?
        AND NOT EXISTS (SELECT 1 FROM chain_events WHERE block_number = blocks.number)`;
      db.run(tx, sql, BigInt(fromNumber), BigInt(toNumber));
    },
  };
}

/** One that a reorganisation had dropped may come back with its own block. */
function addEvent(db: SqliteDatabase, tx: Transaction, event: ChainEvent): void {
  const { blockHash, logIndex, blockNumber } = event;
  const sql = `INSERT INTO chain_events (block_hash, log_index, block_number, event, status) VALUES (?, ?, ?, ?, 'seen')
    ON CONFLICT (block_hash, log_index) DO UPDATE SET status = 'seen', was_confirmed = 0, failures = 0, retry_at_ms = 0
      WHERE status = 'dropped'`;
  db.run(tx, sql, blockHash, BigInt(logIndex), BigInt(blockNumber), JSON.stringify(toWire(event)));
}

function markOf(row: Row | undefined): BlockMark | undefined {
  return row === undefined ? undefined : { number: Number(row.number), hash: row.hash as Hash };
}

function openOf({ event, status, told, was_confirmed, failures, retry_at_ms }: Row): OpenEvent {
  return {
    event: reviveEvent(JSON.parse(String(event)) as Record<string, unknown>),
    status: status as EventStatus,
    told: told as EventStatus | "",
    wasConfirmed: was_confirmed === 1n,
    failures: Number(failures),
    retryAtMs: Number(retry_at_ms),
  };
}

const INTEGERS = new Set("session nonce amount amountUser amountHub locked deadline balanceReceiver".split(" "));

function reviveEvent(record: Record<string, unknown>): ChainEvent {
  const entries = Object.entries(record).map(([key, value]) => [
    key,
    INTEGERS.has(key) ? BigInt(String(value)) : value,
  ]);
  return Object.fromEntries(entries) as ChainEvent;
}
