import { expect } from "chai";
import { hashState, paymentIdOf, unsignedState, ZERO_ADDRESS, type Update } from "../../../protocol";
import { HUB_ACCOUNT, type CustodialEntry } from "../../../hub/store/custodial-store";
import { ConflictError, type Transaction } from "../../../hub/store/database";
import type { PaymentRow } from "../../../hub/store/payment-store";
import { openSqliteStore } from "../../../hub/store/sqlite/open-store";
import type { Store } from "../../../hub/store/store";
import { party } from "../../protocol/fixtures";
import { omit } from "../../support/hub-scene";

const PAYER = party(0x21).address;
const PAYEE = party(0x22).address;
const OTHER = party(0x23).address;
const LINK = party(0x24).address;
/** What SQL the stores have no method for. */
interface Statements {
  run(tx: Transaction, text: string, ...values: string[]): number;
}

const SIGNATURE = `0x${"11".repeat(65)}` as const;
const BASE = { asset: ZERO_ADDRESS, createdAtMs: 1 } as const;

describe("H-12: the database itself refuses", () => {
  let store: Store;
  beforeEach(() => {
    store = openSqliteStore(":memory:");
  });
  afterEach(() => store.database.close());

  const write = (build: (tx: Transaction) => void): Promise<void> => store.database.write(build);
  const refused = async (build: (tx: Transaction) => void): Promise<void> => {
    const error: unknown = await write(build).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(error).to.be.instanceOf(ConflictError);
  };
  const sql =
    (text: string, ...values: string[]) =>
    (tx: Transaction) =>
      void (store.database as unknown as Statements).run(tx, text, ...values);

  describe("two updates", () => {
    const updateOf = (amount: bigint, nonce = 7n): Update & { sigHub: typeof SIGNATURE } => {
      const previous = hashState(unsignedState(PAYER, 0n, []));
      const args = { recipient: "user", asset: ZERO_ADDRESS, amount, payments: [] } as const;
      return { reason: "Payment", args, nonce, previous, sigHub: SIGNATURE };
    };
    const insert = (tx: Transaction, amount: bigint, nonce?: bigint, session = 0n): void =>
      store.channels.insertUpdate(tx, PAYER, session, { update: updateOf(amount, nonce), isDelivered: true });

    it("at one nonce", async () => {
      await write((tx) => insert(tx, 1n));
      await refused((tx) => insert(tx, 2n));
      await refused((tx) => {
        insert(tx, 3n, 8n);
        insert(tx, 4n, 8n);
      });
      const updates = await store.channels.updatesAfter(PAYER, 0n, 0n, 10);
      expect(updates.map(({ update }) => (update.args as { amount: bigint }).amount)).to.deep.equal([1n]);
    });

    it("of which one has no signature at all", async () => {
      const unsigned = omit(updateOf(1n), "sigHub");
      await refused((tx) => store.channels.insertUpdate(tx, PAYER, 0n, { update: unsigned, isDelivered: true }));
    });

    it("of which a delivered one is taken back", async () => {
      await write((tx) => insert(tx, 1n));
      await refused((tx) => store.channels.deleteUndelivered(tx, PAYER, 0n, 7n));
    });
  });

  it("two steps of one channel on top of the same version", async () => {
    const row = { user: PAYER, session: 0n, threads: [], ledgers: new Map(), needsProof: false };
    await write((tx) => store.channels.save(tx, { ...row, version: 1n }));
    await write((tx) => store.channels.save(tx, { ...row, version: 2n }));
    await refused((tx) => store.channels.save(tx, { ...row, version: 2n }));
    await refused((tx) => store.channels.save(tx, { ...row, version: 4n }));
    expect((await store.channels.load(PAYER))?.version).to.equal(2n);
  });

  describe("a payment that", () => {
    const row = (overrides: Partial<PaymentRow> = {}): PaymentRow => ({
      ...{ paymentId: paymentIdOf(PAYER, "p", overrides.index ?? 0), payer: PAYER, purchaseId: "p", index: 0 },
      ...{ type: "PT_OPTIMISTIC", status: "waiting", payee: PAYEE, asset: ZERO_ADDRESS, amount: 5n },
      ...{ payerSession: 0n, expiresAt: 100n, createdAtMs: 1 },
      ...overrides,
    });
    const paymentId = paymentIdOf(PAYER, "p", 0);
    const insert = (overrides: Partial<PaymentRow> = {}): Promise<void> =>
      write((tx) => store.payments.insertPayment(tx, row(overrides)));
    beforeEach(() =>
      write((tx) =>
        store.payments.insertPurchase(tx, { payer: PAYER, id: "p", requestHash: paymentId, createdAtMs: 1 }),
      ),
    );

    const ENDS = ["forwarded", "custodial", "refunded"] as const;
    for (const first of ENDS) {
      for (const second of ENDS) {
        it(`ended as ${first} and ends as ${second}`, async () => {
          await insert();
          await write((tx) => store.payments.change(tx, { paymentId, from: "waiting", to: first }));
          await refused((tx) => store.payments.change(tx, { paymentId, from: "waiting", to: second }));
          await refused((tx) => store.payments.change(tx, { paymentId, from: first, to: second }));
          await refused(sql("UPDATE payments SET status = ? WHERE payment_id = ?", "waiting", paymentId));
          expect((await store.payments.payment(paymentId))?.status).to.equal(first);
        });
      }
    }

    it("is redeemed twice", async () => {
      const open = omit(row({ type: "PT_LINK", status: "open", link: LINK }), "payee");
      await write((tx) => store.payments.insertPayment(tx, open));
      const redeem = (payee: typeof PAYEE) => (tx: Transaction) =>
        store.payments.change(tx, { paymentId, from: "open", to: "waiting", payee });
      await Promise.all([write(redeem(PAYEE)), refused(redeem(OTHER))]);
      await refused(redeem(OTHER));
      expect((await store.payments.byLink(LINK))?.payee).to.equal(PAYEE);
    });

    it("is paid into a link that was paid into before", async () => {
      const open = omit(row({ type: "PT_LINK", status: "open", link: LINK }), "payee");
      await write((tx) => store.payments.insertPayment(tx, open));
      const again = { ...open, index: 1, paymentId: paymentIdOf(PAYER, "p", 1) };
      await refused((tx) => store.payments.insertPayment(tx, again));
    });

    it("changes its amount, asset, payer or link, or goes away", async () => {
      await insert();
      for (const [column, value] of [
        ["amount", "6"],
        ["asset", OTHER],
        ["payer", OTHER],
        ["link", LINK],
      ] as const) {
        await refused(sql(`UPDATE payments SET ${column} = ? WHERE payment_id = ?`, value, paymentId));
      }
      await refused(sql("DELETE FROM payments"));
    });

    it("is none: of nothing, to oneself, to nobody, twice, or of no purchase", async () => {
      const insertion = (overrides: Partial<PaymentRow>) => (tx: Transaction) =>
        store.payments.insertPayment(tx, row(overrides));
      await refused(insertion({ amount: 0n }));
      await refused(insertion({ amount: -1n }));
      await refused(insertion({ payee: PAYER }));
      const toNobody = omit(row(), "payee");
      await refused((tx) => store.payments.insertPayment(tx, toNobody));
      await refused(insertion({ purchaseId: "another" }));
      await insert();
      await refused(insertion({}));
    });

    it("is of a purchase with an id that its payer used before; another payer may use it", async () => {
      const purchase = { payer: PAYER, id: "p", requestHash: paymentId, createdAtMs: 2 };
      await refused((tx) => store.payments.insertPurchase(tx, purchase));
      await write((tx) => store.payments.insertPurchase(tx, { ...purchase, payer: OTHER }));
    });
  });

  describe("a custodial entry that", () => {
    const entry = (overrides: Partial<CustodialEntry> = {}): CustodialEntry => {
      const accounts = { debit: HUB_ACCOUNT, credit: PAYEE } as const;
      return { ...BASE, ...accounts, amount: 10n, kind: "payment", reference: "one", ...overrides };
    };
    beforeEach(() => write((tx) => store.custodial.book(tx, entry(), 0n)));
    afterEach(async () => expect(await store.custodial.balance(PAYEE, ZERO_ADDRESS)).to.equal(10n));

    it("makes a balance negative", async () => {
      const taken = entry({ debit: PAYEE, credit: HUB_ACCOUNT, amount: 11n, kind: "withdrawal" });
      await refused((tx) => store.custodial.book(tx, taken, 10n));
      await refused(sql("UPDATE custodial_balances SET amount = ?", "-1"));
    });

    it("is not balanced: between two users, or the hub and itself", async () => {
      await refused((tx) => store.custodial.book(tx, entry({ debit: OTHER, reference: "two" }), 10n));
      await refused((tx) => store.custodial.book(tx, entry({ credit: HUB_ACCOUNT, reference: "two" }), 10n));
    });

    it("is of nothing, or less", async () => {
      await refused((tx) => store.custodial.book(tx, entry({ amount: 0n, reference: "two" }), 10n));
      await refused((tx) => store.custodial.book(tx, entry({ amount: -1n, reference: "two" }), 10n));
    });

    it("books the same thing twice", async () => {
      await refused((tx) => store.custodial.book(tx, entry(), 10n));
    });

    it("stands on a balance that is not there any more", async () => {
      const taken = (reference: string) =>
        entry({ debit: PAYEE, credit: HUB_ACCOUNT, amount: 6n, kind: "withdrawal", reference });
      await write((tx) => store.custodial.book(tx, taken("a"), 10n));
      await refused((tx) => store.custodial.book(tx, taken("b"), 10n));
      await write((tx) => store.custodial.book(tx, entry({ reference: "back", amount: 6n }), 4n));
    });

    it("is changed or taken away afterwards", async () => {
      await refused(sql("UPDATE custodial_entries SET amount = ?", "11"));
      await refused(sql("DELETE FROM custodial_entries"));
    });
  });

  it("a custodial withdrawal that ends twice, or with an id used before", async () => {
    const withdrawal = { user: PAYEE, id: "w", ...BASE, amount: 5n, to: OTHER, status: "pending" } as const;
    await write((tx) => store.custodial.insertWithdrawal(tx, withdrawal));
    await refused((tx) => store.custodial.insertWithdrawal(tx, withdrawal));
    await write((tx) => store.custodial.endWithdrawal(tx, PAYEE, "w", "failed"));
    await refused((tx) => store.custodial.endWithdrawal(tx, PAYEE, "w", "done"));
  });

  it("a quote that is used twice", async () => {
    const quote = {
      ...{ user: PAYER, sellAsset: ZERO_ADDRESS, sellAmount: 1n, buyAsset: OTHER, buyAmount: 1n, rate: 1n },
      ...{ quoteId: paymentIdOf(PAYER, "q", 0), expiresAt: 100n },
    };
    await write((tx) => store.operation.insertQuote(tx, quote));
    await write((tx) => store.operation.useQuote(tx, quote.quoteId));
    await refused((tx) => store.operation.useQuote(tx, quote.quoteId));
  });

  it("everything of a step of which one part is refused, and nothing of the others'", async () => {
    const entry = { ...BASE, debit: HUB_ACCOUNT, credit: PAYEE, amount: 1n, kind: "payment" } as const;
    const good = write((tx) => store.custodial.book(tx, { ...entry, reference: "a" }, 0n));
    const bad = refused((tx) => {
      store.custodial.book(tx, { ...entry, credit: OTHER, reference: "b" }, 0n);
      store.custodial.book(tx, { ...entry, credit: OTHER, reference: "b" }, 1n);
    });
    await Promise.all([good, bad]);
    expect(await store.custodial.balance(PAYEE, ZERO_ADDRESS)).to.equal(1n);
    expect(await store.custodial.balance(OTHER, ZERO_ADDRESS)).to.equal(0n);
  });

  it("keeps no flag of what is in flight: collateral on its way has an end by itself", async () => {
    const line = { user: PAYEE, ...BASE, amount: 5n, expiresAtMs: 100 };
    await write((tx) => store.collateral.insert(tx, line));
    expect(await store.collateral.onItsWay(PAYEE, ZERO_ADDRESS, 99)).to.equal(5n);
    expect(await store.collateral.onItsWay(PAYEE, ZERO_ADDRESS, 100)).to.equal(0n);
    await refused(sql("UPDATE collateral_reservations SET status = ?", "sent")); // of no transaction
  });
});
