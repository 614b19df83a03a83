import type { Migration } from ".";

export const collateral: Migration = {
  name: "0008-collateral",
  sql: `
    CREATE TABLE collateral_reservations (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      user TEXT NOT NULL,
      asset TEXT NOT NULL,
      amount TEXT NOT NULL CHECK (amount GLOB '[1-9]*' AND amount NOT GLOB '*[^0-9]*'),
      status TEXT NOT NULL CHECK (status IN ('queued', 'sent', 'credited', 'failed')),
      transaction_id TEXT,
      created_at_ms INTEGER NOT NULL,
      expires_at_ms INTEGER NOT NULL,
      CHECK (status <> 'sent' OR transaction_id IS NOT NULL)
    ) STRICT;
    CREATE INDEX collateral_open ON collateral_reservations (status, user) WHERE status IN ('queued', 'sent');
    CREATE INDEX collateral_granted ON collateral_reservations (asset, created_at_ms);
    CREATE INDEX collateral_by_transaction ON collateral_reservations (transaction_id) WHERE status = 'sent';

    CREATE TABLE collateral_profiles (
      user TEXT NOT NULL, asset TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (user, asset)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE expected_deposits (
      user TEXT NOT NULL, asset TEXT NOT NULL, amount TEXT NOT NULL, PRIMARY KEY (user, asset)
    ) STRICT, WITHOUT ROWID;
  `,
};
