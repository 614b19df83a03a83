import type { Migration } from ".";

export const channels: Migration = {
  name: "0001-channels",
  sql: `
    CREATE TABLE channels (
      user TEXT PRIMARY KEY,
      session INTEGER NOT NULL,
      state TEXT, sig_hub TEXT, sig_user TEXT, -- the newest state that both signed
      ledgers TEXT NOT NULL,
      exit_nonce INTEGER, exit_deadline INTEGER, -- Unix seconds
      needs_proof INTEGER NOT NULL DEFAULT 0,
      version INTEGER NOT NULL,
      CHECK ((state IS NULL) = (sig_hub IS NULL) AND (state IS NULL) = (sig_user IS NULL)),
      CHECK ((exit_nonce IS NULL) = (exit_deadline IS NULL))
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX channels_exiting ON channels (exit_deadline) WHERE exit_deadline IS NOT NULL;

    CREATE TABLE updates (
      user TEXT NOT NULL,
      session INTEGER NOT NULL,
      nonce INTEGER NOT NULL,
      reason TEXT NOT NULL,
      args TEXT NOT NULL,
      previous TEXT NOT NULL,
      sig_hub TEXT, sig_user TEXT,
      delivered INTEGER NOT NULL,
      PRIMARY KEY (user, session, nonce), -- one state per nonce
      CHECK (sig_hub IS NOT NULL OR sig_user IS NOT NULL)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX updates_undelivered ON updates (user, session) WHERE delivered = 0;
  `,
};
