import type { Migration } from ".";

export const disputes: Migration = {
  name: "0012-disputes",
  sql: `
    CREATE TABLE ended_sessions (
      user TEXT NOT NULL,
      session INTEGER NOT NULL,
      nonce INTEGER NOT NULL,
      thread_root TEXT NOT NULL,
      threads TEXT NOT NULL,
      ended_at_ms INTEGER NOT NULL,
      PRIMARY KEY (user, session) -- a session ends once
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE ended_legs (
      hash TEXT NOT NULL,
      user TEXT NOT NULL,
      session INTEGER NOT NULL,
      is_paid INTEGER NOT NULL DEFAULT 0 CHECK (is_paid IN (0, 1)),
      PRIMARY KEY (hash, user, session)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX ended_legs_open ON ended_legs (hash, user, session) WHERE is_paid = 0;

    CREATE TABLE ended_payouts (
      user TEXT NOT NULL,
      session INTEGER NOT NULL,
      kind TEXT NOT NULL CHECK (kind IN ('settled', 'reclaimed', 'thread')),
      asset TEXT NOT NULL,
      thread TEXT NOT NULL, -- empty for others
      amount_user TEXT NOT NULL,
      amount_hub TEXT NOT NULL,
      transaction_hash TEXT NOT NULL,
      PRIMARY KEY (user, session, kind, asset, thread), -- the contract pays each once
      CHECK ((kind = 'thread') = (thread <> ''))
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE standstills (
      user TEXT PRIMARY KEY,
      session INTEGER NOT NULL,
      nonce INTEGER NOT NULL,
      since_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE INDEX threads_disputed ON threads (hash)
      WHERE record IS NOT NULL AND (sender_leg = 'open' OR receiver_leg = 'open');
    CREATE INDEX updates_of_threads ON updates (user, session, nonce) WHERE reason IN ('OpenThread', 'CloseThread');
  `,
};
