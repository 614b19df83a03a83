import type { Migration } from ".";

export const backups: Migration = {
  name: "0011-backups",
  sql: `
    CREATE TABLE backups (
      user TEXT PRIMARY KEY,
      version TEXT NOT NULL CHECK (length(version) = 20), -- decimal, padded: its order is that of numbers
      blob TEXT NOT NULL CHECK (length(blob) <= 65536),
      stored_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER backups_only_rise BEFORE UPDATE ON backups WHEN NEW.version <= OLD.version
    BEGIN SELECT RAISE(ABORT, 'constraint failed: an older backup cannot replace a newer one'); END;
  `,
};
