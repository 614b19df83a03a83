import type { Migration } from "./index";

/** Nonces are decimal text; what is compared by the database itself is padded to 20 digits, so that text order is numeric. */
export const tower: Migration = {
  name: "0001-tower",
  sql: `
CREATE TABLE watched (
  user TEXT PRIMARY KEY,
  is_active INTEGER NOT NULL DEFAULT 0 CHECK (is_active IN (0, 1)),
  paid_until_s INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX watched_active ON watched (user) WHERE is_active = 1;

CREATE TABLE channels (
  user TEXT PRIMARY KEY REFERENCES watched (user) ON DELETE CASCADE,
  place TEXT NOT NULL CHECK (length(place) = 41),
  state TEXT NOT NULL,
  sig_hub TEXT NOT NULL,
  sig_user TEXT NOT NULL,
  state_hash TEXT NOT NULL,
  received_at_s INTEGER NOT NULL,
  sig_receipt TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER channels_only_rise BEFORE UPDATE ON channels
  WHEN NEW.place <= OLD.place
BEGIN
  SELECT RAISE(ABORT, 'constraint failed: an older state would replace a newer one');
END;

CREATE TABLE threads (
  user TEXT NOT NULL REFERENCES watched (user) ON DELETE CASCADE,
  session TEXT NOT NULL CHECK (length(session) = 20),
  hash TEXT NOT NULL,
  evidence TEXT NOT NULL,
  received_at_s INTEGER NOT NULL,
  sig_receipt TEXT NOT NULL,
  PRIMARY KEY (user, session, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX threads_by_hash ON threads (hash);

CREATE TABLE fees (payment_id TEXT PRIMARY KEY, user TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE calls (
  id TEXT PRIMARY KEY,
  data TEXT NOT NULL,
  deadline_s INTEGER,
  gas_limit INTEGER,
  reverts INTEGER NOT NULL DEFAULT 0,
  status TEXT NOT NULL CHECK (status IN ('queued', 'sent', 'mined', 'reverted')),
  sending TEXT CHECK ((status <> 'queued') = (sending IS NOT NULL))
) STRICT;

CREATE INDEX calls_open ON calls (status) WHERE status IN ('queued', 'sent');

CREATE TABLE backups (
  user TEXT PRIMARY KEY,
  version TEXT NOT NULL CHECK (length(version) = 20),
  blob TEXT NOT NULL CHECK (length(blob) <= 65536)
) STRICT;

CREATE TRIGGER backups_only_rise BEFORE UPDATE ON backups
  WHEN NEW.version <= OLD.version
BEGIN
  SELECT RAISE(ABORT, 'constraint failed: an older backup would replace a newer one');
END;

CREATE TABLE alarms (
  user TEXT NOT NULL,
  text TEXT NOT NULL,
  at_s INTEGER NOT NULL,
  PRIMARY KEY (user, text)
) STRICT, WITHOUT ROWID;

CREATE TABLE cursor (next_block INTEGER NOT NULL) STRICT;
`,
};
