import type { Migration } from ".";

export const outbox: Migration = {
  name: "0006-outbox",
  sql: `
    CREATE TABLE outbox (
      cursor INTEGER PRIMARY KEY AUTOINCREMENT,
      user TEXT NOT NULL,
      event TEXT NOT NULL,
      at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX outbox_by_user ON outbox (user, cursor);
    CREATE INDEX outbox_by_time ON outbox (at_ms);
  `,
};
