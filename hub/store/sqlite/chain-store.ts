import { toWire, type Hash } from "../../../protocol";
import type { ChainEvent } from "../../../protocol/chain/events";
import type { BlockMark, ChainStore, EventStatus, OpenEvent } from "../chain-store";
import type { Row, SqliteDatabase } from "./sqlite-database";

export function sqliteChainStore(db: SqliteDatabase): ChainStore {
  return {
    newestBlock: () => Promise.resolve(markOf(db.get("SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1"))),
    block: (number) =>
      Promise.resolve(markOf(db.get("SELECT number, hash FROM blocks WHERE number = ?", BigInt(number)))),
    open: (limit) => {
      const sql = `SELECT event, status FROM chain_events WHERE told <> status ORDER BY block_number, log_index LIMIT ${limit}`;
      return Promise.resolve(db.all(sql).map(openOf));
    },
    addBlock: (tx, { number, hash }, events) => {
      db.run(
        tx,
        "INSERT INTO blocks VALUES (?1, ?2) ON CONFLICT (number) DO UPDATE SET hash = ?2",
        BigInt(number),
        hash,
      );
      const sql = `INSERT INTO chain_events (block_hash, log_index, block_number, event, status, told)
        VALUES (?, ?, ?, ?, 'seen', '') ON CONFLICT (block_hash, log_index) DO UPDATE SET status = 'seen'`;
      for (const event of events) {
        db.run(
          tx,
          sql,
          event.blockHash,
          BigInt(event.logIndex),
          BigInt(event.blockNumber),
          JSON.stringify(toWire(event)),
        );
      }
    },
    dropAbove: (tx, number) => {
      db.run(tx, "DELETE FROM blocks WHERE number > ?", BigInt(number));
      db.run(tx, "UPDATE chain_events SET status = 'dropped' WHERE block_number > ?", BigInt(number));
    },
    confirmUpTo: (tx, number) => {
      db.run(
        tx,
        "UPDATE chain_events SET status = 'confirmed' WHERE status = 'seen' AND block_number <= ?",
        BigInt(number),
      );
    },
    markTold: (tx, { event, status }) => {
      const sql = "UPDATE chain_events SET told = ? WHERE block_hash = ? AND log_index = ?";
      db.run(tx, sql, status, event.blockHash, BigInt(event.logIndex));
    },
    prune: (tx, belowNumber) => {
      db.run(tx, "DELETE FROM blocks WHERE number < ?", BigInt(belowNumber));
      db.run(tx, "DELETE FROM chain_events WHERE block_number < ? AND told = status", BigInt(belowNumber));
    },
  };
}

function markOf(row: Row | undefined): BlockMark | undefined {
  return row === undefined ? undefined : { number: Number(row.number), hash: row.hash as Hash };
}

function openOf({ event, status }: Row): OpenEvent {
  return { event: reviveEvent(JSON.parse(String(event)) as Record<string, unknown>), status: status as EventStatus };
}

const INTEGERS = new Set(["session", "nonce", "amount", "amountUser", "amountHub", "deadline"]);

function reviveEvent(record: Record<string, unknown>): ChainEvent {
  const entries = Object.entries(record).map(([key, value]) => [
    key,
    INTEGERS.has(key) ? BigInt(String(value)) : value,
  ]);
  return Object.fromEntries(entries) as ChainEvent;
}
