import type { Migration } from ".";

export const operation: Migration = {
  name: "0009-operation",
  sql: `
    CREATE TABLE quotes (
      quote_id TEXT PRIMARY KEY,
      quote TEXT NOT NULL,
      expires_at INTEGER NOT NULL, -- Unix seconds
      used INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX quotes_expiring ON quotes (expires_at) WHERE used = 0;

    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

    CREATE TABLE audit (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at_ms INTEGER NOT NULL,
      kind TEXT NOT NULL,
      user TEXT,
      details TEXT NOT NULL
    ) STRICT;
  `,
};
