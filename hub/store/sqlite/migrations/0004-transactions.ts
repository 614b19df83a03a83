import type { Migration } from ".";

export const transactions: Migration = {
  name: "0004-transactions",
  sql: `
    CREATE TABLE transactions (
      id TEXT PRIMARY KEY,
      recipient TEXT NOT NULL,
      data TEXT NOT NULL,
      value_wei TEXT NOT NULL,
      kind TEXT NOT NULL CHECK (kind IN ('dispute', 'normal')),
      deadline_seconds INTEGER,
      status TEXT NOT NULL CHECK (status IN ('queued', 'sent', 'mined', 'failed')),
      nonce INTEGER UNIQUE, -- one row a nonce
      gas_limit TEXT, max_fee_per_gas TEXT, max_priority_fee_per_gas TEXT,
      sent_at_ms INTEGER,
      transaction_hash TEXT, mined_block INTEGER,
      error TEXT,
      is_final INTEGER NOT NULL DEFAULT 0,
      is_told INTEGER NOT NULL DEFAULT 0,
      created_at_ms INTEGER NOT NULL,
      CHECK ((status = 'queued') <= (nonce IS NULL)),
      CHECK ((status IN ('sent', 'mined')) <= (nonce IS NOT NULL)),
      CHECK ((status = 'failed') <= (error IS NOT NULL))
    ) STRICT;
    CREATE INDEX transactions_queued ON transactions (kind, created_at_ms) WHERE status = 'queued';
    CREATE INDEX transactions_open ON transactions (nonce) WHERE is_final = 0;
    CREATE INDEX transactions_untold ON transactions (id) WHERE is_final = 1 AND is_told = 0;

    CREATE TABLE transaction_attempts (
      transaction_hash TEXT PRIMARY KEY,
      id TEXT NOT NULL REFERENCES transactions (id),
      raw TEXT NOT NULL
    ) STRICT;
    CREATE INDEX transaction_attempts_by_id ON transaction_attempts (id);
  `,
};
