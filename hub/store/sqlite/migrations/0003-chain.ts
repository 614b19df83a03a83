import type { Migration } from ".";

export const chain: Migration = {
  name: "0003-chain",
  sql: `
    CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE chain_events (
      block_hash TEXT NOT NULL,
      log_index INTEGER NOT NULL,
      block_number INTEGER NOT NULL,
      event TEXT NOT NULL,
      status TEXT NOT NULL CHECK (status IN ('seen', 'confirmed', 'dropped')),
      told TEXT NOT NULL, -- the status that listeners have handled; empty before any
      PRIMARY KEY (block_hash, log_index)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX chain_events_open ON chain_events (block_number, log_index) WHERE told <> status;
    CREATE INDEX chain_events_by_block ON chain_events (block_number);
  `,
};
