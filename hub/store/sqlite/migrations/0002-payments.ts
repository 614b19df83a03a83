import type { Migration } from ".";

export const payments: Migration = {
  name: "0002-payments",
  sql: `
    CREATE TABLE purchases (
      payer TEXT NOT NULL,
      id TEXT NOT NULL,
      request_hash TEXT NOT NULL,
      meta TEXT,
      created_at_ms INTEGER NOT NULL,
      PRIMARY KEY (payer, id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE payments (
      payment_id TEXT PRIMARY KEY,
      payer TEXT NOT NULL,
      purchase_id TEXT NOT NULL,
      position INTEGER NOT NULL,
      type TEXT NOT NULL CHECK (type IN ('PT_CHANNEL', 'PT_CUSTODIAL', 'PT_OPTIMISTIC', 'PT_LINK')),
      status TEXT NOT NULL CHECK (status IN ('forwarded', 'custodial', 'waiting', 'open', 'refunded')),
      payee TEXT,
      link TEXT UNIQUE, -- a link is paid into once and redeemed once
      asset TEXT NOT NULL,
      amount TEXT NOT NULL CHECK (amount GLOB '[1-9]*' AND amount NOT GLOB '*[^0-9]*'),
      payer_session INTEGER NOT NULL,
      expires_at INTEGER, -- Unix seconds
      created_at_ms INTEGER NOT NULL,
      meta TEXT,
      receipt TEXT, sig_receipt TEXT,
      FOREIGN KEY (payer, purchase_id) REFERENCES purchases (payer, id),
      CHECK (payee IS NOT NULL OR link IS NOT NULL),
      CHECK (status <> 'open' OR (link IS NOT NULL AND payee IS NULL)),
      CHECK (status NOT IN ('waiting', 'forwarded', 'custodial') OR payee IS NOT NULL),
      CHECK (payee IS NULL OR payee <> payer OR link IS NOT NULL)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX payments_by_payer ON payments (payer, created_at_ms);
    CREATE INDEX payments_by_payee ON payments (payee, created_at_ms);
    CREATE INDEX payments_reserved ON payments (payer, payer_session, asset) WHERE status IN ('waiting', 'open');
    CREATE INDEX payments_waiting ON payments (payee, created_at_ms) WHERE status = 'waiting';
    CREATE INDEX payments_expiring ON payments (expires_at) WHERE status = 'waiting';

    CREATE TRIGGER payments_end_once BEFORE UPDATE OF status ON payments
      WHEN OLD.status IN ('forwarded', 'custodial', 'refunded')
      BEGIN SELECT RAISE(ABORT, 'constraint failed: a payment ends once'); END;
    CREATE TRIGGER payments_keep_amounts BEFORE UPDATE OF amount, asset, payer, link ON payments
      BEGIN SELECT RAISE(ABORT, 'constraint failed: a payment keeps its amount and payer'); END;
    CREATE TRIGGER payments_stay BEFORE DELETE ON payments
      BEGIN SELECT RAISE(ABORT, 'constraint failed: payments stay'); END;
  `,
};
