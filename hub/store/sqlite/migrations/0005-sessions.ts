import type { Migration } from ".";

export const sessions: Migration = {
  name: "0005-sessions",
  sql: `
    CREATE TABLE used_nonces ( -- of sign-in messages: each signs in once
      nonce TEXT PRIMARY KEY, expires_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX used_nonces_expiring ON used_nonces (expires_at_ms);
    CREATE TABLE sessions (
      token_hash TEXT PRIMARY KEY, address TEXT NOT NULL, expires_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sessions_expiring ON sessions (expires_at_ms);
  `,
};
