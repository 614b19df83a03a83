import type { Migration } from ".";

export const transactions: Migration = {
  name: "0004-transactions",
  sql: `
    CREATE TABLE transactions (
      id TEXT PRIMARY KEY,
      recipient TEXT NOT NULL,
      data TEXT NOT NULL,
      value_wei TEXT NOT NULL CHECK (value_wei NOT GLOB '*[^0-9]*'),
      kind TEXT NOT NULL CHECK (kind IN ('dispute', 'normal')),
      deadline_seconds INTEGER,
      wanted_gas TEXT,
      status TEXT NOT NULL CHECK (status IN ('queued', 'sent', 'mined', 'failed')),
      nonce INTEGER UNIQUE, -- one row a nonce
      gas_limit TEXT, max_fee_per_gas TEXT, max_priority_fee_per_gas TEXT,
      sent_at_ms INTEGER,
      free_block INTEGER, -- a block in which the nonce was still free
      transaction_hash TEXT UNIQUE, mined_block INTEGER,
      error TEXT,
      refused_block INTEGER,
      reverts INTEGER NOT NULL DEFAULT 0,
      is_final INTEGER NOT NULL DEFAULT 0 CHECK (is_final IN (0, 1)),
      is_told INTEGER NOT NULL DEFAULT 0 CHECK (is_told IN (0, 1)),
      failures INTEGER NOT NULL DEFAULT 0,
      retry_at_ms INTEGER NOT NULL DEFAULT 0,
      created_at_ms INTEGER NOT NULL,
      CHECK ((status = 'queued') <= (nonce IS NULL)),
      CHECK ((status IN ('sent', 'mined')) <= (nonce IS NOT NULL)),
      CHECK ((status = 'mined') <= (transaction_hash IS NOT NULL AND mined_block IS NOT NULL)),
      CHECK ((status = 'failed') <= (error IS NOT NULL AND is_final = 1)),
      CHECK ((status IN ('queued', 'sent')) <= (is_final = 0)),
      CHECK (is_told <= is_final)
    ) STRICT;
    CREATE INDEX transactions_queued ON transactions (kind = 'normal', created_at_ms) WHERE status = 'queued';
    CREATE INDEX transactions_open ON transactions (nonce) WHERE is_final = 0;
    CREATE INDEX transactions_untold ON transactions (is_told) WHERE is_final = 1 AND is_told = 0;
    CREATE INDEX transactions_by_time ON transactions (created_at_ms);

    CREATE TRIGGER transactions_stay BEFORE DELETE ON transactions
      BEGIN SELECT RAISE(ABORT, 'constraint failed: transactions stay'); END;
    CREATE TRIGGER transactions_keep BEFORE UPDATE OF recipient, data, value_wei ON transactions
      BEGIN SELECT RAISE(ABORT, 'constraint failed: transactions stay as they are'); END;
    CREATE TRIGGER transactions_keep_nonce BEFORE UPDATE OF nonce ON transactions WHEN OLD.nonce <> NEW.nonce
      BEGIN SELECT RAISE(ABORT, 'constraint failed: a nonce is given back before another one is taken'); END;

    CREATE TABLE transaction_attempts (
      transaction_hash TEXT PRIMARY KEY,
      id TEXT NOT NULL REFERENCES transactions (id),
      nonce INTEGER NOT NULL,
      raw TEXT NOT NULL
    ) STRICT;
    CREATE INDEX transaction_attempts_by_id ON transaction_attempts (id, nonce);

    CREATE TRIGGER transaction_attempts_stay BEFORE DELETE ON transaction_attempts
      BEGIN SELECT RAISE(ABORT, 'constraint failed: attempts stay'); END;
  `,
};
