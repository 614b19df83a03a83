import type { Migration } from ".";

const LEG = "TEXT NOT NULL CHECK (%s IN ('none', 'open', 'closed', 'settled'))";

export const threads: Migration = {
  name: "0010-threads",
  sql: `
    ALTER TABLE channels ADD COLUMN threads TEXT NOT NULL DEFAULT '[]'; -- open in the newest state that both signed

    CREATE TABLE threads (
      hash TEXT PRIMARY KEY, -- a thread is opened once, ever
      sender TEXT NOT NULL,
      receiver TEXT NOT NULL,
      terms TEXT NOT NULL,
      sig_sender TEXT NOT NULL,
      sig_receiver TEXT,
      status TEXT NOT NULL CHECK (status IN ('proposed', 'accepted', 'open', 'receiverClosed', 'closed', 'void')),
      sender_leg ${LEG.replace("%s", "sender_leg")},
      receiver_leg ${LEG.replace("%s", "receiver_leg")},
      sender_session INTEGER,
      receiver_session INTEGER,
      payment TEXT, thread_update TEXT, resolution TEXT, -- the newest evidence
      record TEXT, -- as last seen on chain
      outcome TEXT,
      created_at_ms INTEGER NOT NULL,
      CHECK (status NOT IN ('open', 'receiverClosed', 'closed') OR sig_receiver IS NOT NULL),
      CHECK ((sender_leg = 'none') = (sender_session IS NULL)),
      CHECK ((receiver_leg = 'none') = (receiver_session IS NULL)),
      CHECK (status <> 'receiverClosed' OR receiver_leg <> 'open')
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX threads_by_sender ON threads (sender, created_at_ms);
    CREATE INDEX threads_by_receiver ON threads (receiver, created_at_ms);
    CREATE INDEX threads_sender_open ON threads (sender) WHERE sender_leg = 'open';
    CREATE INDEX threads_receiver_open ON threads (receiver) WHERE receiver_leg = 'open';
    CREATE INDEX threads_unfinished ON threads (created_at_ms)
      WHERE (sender_leg = 'open' OR receiver_leg = 'open') AND (sender_leg <> receiver_leg OR record IS NOT NULL);

    CREATE TRIGGER threads_keep_terms BEFORE UPDATE OF terms, sender, receiver, sig_sender ON threads
      WHEN OLD.terms <> NEW.terms OR OLD.sender <> NEW.sender OR OLD.receiver <> NEW.receiver OR OLD.sig_sender <> NEW.sig_sender
      BEGIN SELECT RAISE(ABORT, 'constraint failed: a thread keeps its terms'); END;
    CREATE TRIGGER threads_legs_end_once BEFORE UPDATE ON threads
      WHEN (OLD.sender_leg IN ('closed', 'settled') AND NEW.sender_leg <> OLD.sender_leg)
        OR (OLD.receiver_leg IN ('closed', 'settled') AND NEW.receiver_leg <> OLD.receiver_leg)
      BEGIN SELECT RAISE(ABORT, 'constraint failed: a leg ends once'); END;
    CREATE TRIGGER threads_stay BEFORE DELETE ON threads
      BEGIN SELECT RAISE(ABORT, 'constraint failed: threads stay'); END;
  `,
};
