import type { Migration } from ".";

export const custodial: Migration = {
  name: "0007-custodial",
  sql: `
    CREATE TABLE custodial_entries (
      kind TEXT NOT NULL,
      reference TEXT NOT NULL,
      asset TEXT NOT NULL,
      debit TEXT NOT NULL,
      credit TEXT NOT NULL,
      amount TEXT NOT NULL CHECK (amount GLOB '[1-9]*' AND amount NOT GLOB '*[^0-9]*'),
      created_at_ms INTEGER NOT NULL,
      PRIMARY KEY (kind, reference, asset),
      CHECK ((debit = 'hub') <> (credit = 'hub')) -- always between the hub and one user
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE custodial_balances (
      user TEXT NOT NULL,
      asset TEXT NOT NULL,
      amount TEXT NOT NULL CHECK (amount NOT GLOB '*[^0-9]*'), -- never negative
      PRIMARY KEY (user, asset)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE custodial_withdrawals (
      user TEXT NOT NULL,
      id TEXT NOT NULL,
      asset TEXT NOT NULL,
      amount TEXT NOT NULL,
      destination TEXT NOT NULL,
      status TEXT NOT NULL CHECK (status IN ('pending', 'done', 'failed')),
      transaction_hash TEXT,
      created_at_ms INTEGER NOT NULL,
      PRIMARY KEY (user, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX custodial_withdrawals_pending ON custodial_withdrawals (created_at_ms) WHERE status = 'pending';

    CREATE TRIGGER custodial_entries_stay BEFORE DELETE ON custodial_entries
      BEGIN SELECT RAISE(ABORT, 'constraint failed: entries stay'); END;
    CREATE TRIGGER custodial_entries_keep BEFORE UPDATE ON custodial_entries
      BEGIN SELECT RAISE(ABORT, 'constraint failed: entries stay as they are'); END;
  `,
};
