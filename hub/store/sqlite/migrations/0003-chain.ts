import type { Migration } from ".";

export const chain: Migration = {
  name: "0003-chain",
  sql: `
    CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE chain_progress (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      confirmed_number INTEGER -- events up to this block are confirmed
    ) STRICT;
    INSERT INTO chain_progress (id) VALUES (1);
    CREATE TABLE chain_events (
      block_hash TEXT NOT NULL,
      log_index INTEGER NOT NULL,
      block_number INTEGER NOT NULL,
      event TEXT NOT NULL,
      status TEXT NOT NULL CHECK (status IN ('seen', 'confirmed', 'dropped')),
      told TEXT NOT NULL DEFAULT '' CHECK (told IN ('', 'seen', 'confirmed', 'dropped')), -- what listeners have handled
      was_confirmed INTEGER NOT NULL DEFAULT 0,
      failures INTEGER NOT NULL DEFAULT 0,
      retry_at_ms INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (block_hash, log_index),
      CHECK (status <> 'confirmed' OR was_confirmed = 1)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX chain_events_open ON chain_events (status <> 'dropped', block_number, log_index, block_hash)
      WHERE told <> status;
    CREATE INDEX chain_events_unconfirmed ON chain_events (block_number) WHERE status = 'seen';
    CREATE INDEX chain_events_by_block ON chain_events (block_number);

    CREATE TRIGGER chain_events_stay BEFORE DELETE ON chain_events
      BEGIN SELECT RAISE(ABORT, 'constraint failed: events stay'); END;
    CREATE TRIGGER chain_events_keep BEFORE UPDATE OF event, block_number ON chain_events
      BEGIN SELECT RAISE(ABORT, 'constraint failed: events stay as they are'); END;
  `,
};
