import type { Migration } from ".";

/**
 * Payments in the order of their coming instead of in that of their ids, and links in an index of their own: a commit of
 * many payments writes a few pages with their rows instead of two or three for each.
 */
export const paymentRows: Migration = {
  name: "0013-payment-rows",
  sql: `
    ALTER TABLE payments RENAME TO payments_by_id;
    CREATE TABLE payments (
      payment_id TEXT NOT NULL PRIMARY KEY,
      payer TEXT NOT NULL,
      purchase_id TEXT NOT NULL,
      position INTEGER NOT NULL,
      type TEXT NOT NULL CHECK (type IN ('PT_CHANNEL', 'PT_CUSTODIAL', 'PT_OPTIMISTIC', 'PT_LINK')),
      status TEXT NOT NULL CHECK (status IN ('forwarded', 'custodial', 'waiting', 'open', 'refunded')),
      payee TEXT,
      link TEXT,
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
    ) STRICT;
    INSERT INTO payments SELECT * FROM payments_by_id ORDER BY created_at_ms;
    DROP TABLE payments_by_id;

    CREATE UNIQUE INDEX payments_by_link ON payments (link) WHERE link IS NOT NULL; -- paid into once, redeemed once
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
