import { expect } from "chai";
import {
  formatUpdate,
  hashState,
  parseUpdate,
  ZERO_ADDRESS,
  type ExchangeArgs,
  type WithdrawalArgs,
} from "../../../protocol";
import {
  baseOf,
  DEVICES,
  newestOf,
  newRecord,
  ownNonceAbove,
  parseRecord,
  formatRecord,
  type WithdrawalWish,
} from "../../../client/engine/record";
import { reconcile, type Reconciled } from "../../../client/engine/reconcile";
import {
  both,
  contextOf,
  DEVICE,
  funded,
  hubStep,
  levelRecord,
  LEDGER,
  NOW_SECONDS,
  PAYMENT_ID,
  pays,
  signHub,
  STRANGER,
  syncOf,
  TOKEN,
  USER,
} from "./scene";

const BASE = both(funded());
const WITHDRAWAL: WithdrawalArgs = { recipient: STRANGER, assets: [{ asset: ZERO_ADDRESS, user: 40n, hub: 60n }] };
const WISH: WithdrawalWish = { recipient: STRANGER, assets: [{ asset: ZERO_ADDRESS, amount: 40n }] };
const SALE: ExchangeArgs = {
  ...{ sellAsset: ZERO_ADDRESS, sellAmount: 10n, buyAsset: TOKEN, buyAmount: 20n, rate: 2n * 10n ** 18n },
  ...{ quoteId: PAYMENT_ID, expiresAt: NOW_SECONDS + 30n },
};

function expectRefused(result: Reconciled, before: object, code = "Unsolicited"): void {
  expect(result.incident?.code, result.incident?.message).to.equal(code);
  expect(result.record).to.equal(before);
}

describe("reconcile", () => {
  describe("refuses and keeps everything as it was", () => {
    const record = levelRecord();

    it("W-1: a withdrawal that nobody asked for", () => {
      const { update } = hubStep(funded(), "Withdrawal", WITHDRAWAL);
      expectRefused(reconcile(record, syncOf(BASE, [update]), contextOf()), record);
    });

    const asked = levelRecord({ wishes: [WISH] });
    const others: Readonly<Record<string, WithdrawalArgs>> = {
      "to somebody else": { ...WITHDRAWAL, recipient: USER },
      "of more": { ...WITHDRAWAL, assets: [{ asset: ZERO_ADDRESS, user: 41n, hub: 0n }] },
      "of less": { ...WITHDRAWAL, assets: [{ asset: ZERO_ADDRESS, user: 39n, hub: 0n }] },
      "that leaves the user's part out": { ...WITHDRAWAL, assets: [{ asset: ZERO_ADDRESS, user: 0n, hub: 1n }] },
    };
    for (const [what, args] of Object.entries(others)) {
      it(`W-1: a withdrawal ${what} than was asked for`, () => {
        const { update } = hubStep(funded(), "Withdrawal", args);
        expectRefused(reconcile(asked, syncOf(BASE, [update]), contextOf()), asked);
      });
    }

    it("W-1: a withdrawal with an exchange that was not asked for, or another one", () => {
      const start = funded(10n, {
        assets: [...funded().assets, { ...funded().assets[0]!, asset: TOKEN, balanceUser: 0n, depositedUser: 0n }],
      });
      const ledgers = new Map([
        [ZERO_ADDRESS, LEDGER],
        [TOKEN, { ...LEDGER, depositedUser: 0n }],
      ]);
      const base = both(start);
      const known = { ...asked, doubleSigned: base };
      const { update } = hubStep(start, "Withdrawal", { ...WITHDRAWAL, exchange: SALE });
      expectRefused(reconcile(known, syncOf(base, [update]), contextOf({ ledgers })), known);
      const other = { ...known, wishes: [{ ...WISH, exchange: { ...SALE, rate: SALE.rate + 1n } }] };
      expectRefused(reconcile(other, syncOf(base, [update]), contextOf({ ledgers })), other);
      const same = { ...known, wishes: [{ ...WISH, exchange: SALE }] };
      expect(reconcile(same, syncOf(base, [update]), contextOf({ ledgers })).incident).to.equal(undefined);
    });

    it("an exchange that the hub signed first", () => {
      const start = hubStep(funded(), "Payment", pays(1n)).state;
      const args = { ...SALE, sellAsset: ZERO_ADDRESS, buyAsset: ZERO_ADDRESS, buyAmount: 10n };
      const { update } = hubStep(start, "Exchange", args);
      const known = levelRecord({ doubleSigned: both(start) });
      expectRefused(reconcile(known, syncOf(both(start), [update]), contextOf()), known);
    });

    it("W-3: a payment of the hub to itself", () => {
      const { update } = hubStep(funded(), "Payment", { ...pays(50n), recipient: "hub" });
      expectRefused(reconcile(record, syncOf(BASE, [update]), contextOf()), record, "WrongAuthor");
    });

    it("an asset that this side does not take", () => {
      const deposit = { asset: STRANGER, depositedHub: 5n, depositedUser: 0n };
      const { update } = hubStep(funded(), "Deposit", deposit);
      const ledgers = new Map([
        [ZERO_ADDRESS, LEDGER],
        [STRANGER, { ...LEDGER, depositedHub: 5n }],
      ]);
      expectRefused(reconcile(record, syncOf(BASE, [update]), contextOf({ ledgers })), record);
    });

    it("an update that builds on something else", () => {
      const { update } = hubStep(funded(9n), "Payment", pays(1n), 11n);
      expectRefused(reconcile(record, syncOf(BASE, [update]), contextOf()), record, "OutOfSync");
    });

    it("a newest update without the hub's signature, or with one over something else", () => {
      const { update } = hubStep(funded(), "Payment", pays(1n));
      const unsigned = parseUpdate({ ...formatUpdate(update), sigHub: undefined } as never);
      expectRefused(reconcile(record, syncOf(BASE, [unsigned]), contextOf()), record, "InvalidSignature");
      const forged = { ...update, sigHub: signHub(funded()) };
      expectRefused(reconcile(record, syncOf(BASE, [forged]), contextOf()), record, "InvalidSignature");
    });

    it("a newer state that does not bear both signatures", () => {
      const newer = both(funded(99n));
      for (const wrong of [
        { ...newer, sigUser: BASE.sigUser },
        { ...newer, sigHub: BASE.sigHub },
      ]) {
        expectRefused(reconcile(record, syncOf(wrong), contextOf()), record, "InvalidSignature");
      }
    });

    it("another state at the nonce that both have signed", () => {
      const [row] = funded().assets;
      const other = both(funded(10n, { assets: [{ ...row!, balanceUser: 0n, balanceHub: 200n }] }));
      expectRefused(reconcile(record, syncOf(other), contextOf()), record, "HubContradicts");
    });

    it("something less than the hub had signed before", () => {
      const [ten, one] = [hubStep(funded(), "Payment", pays(10n)), hubStep(funded(), "Payment", pays(1n), 12n)];
      const knows = levelRecord({ pending: [ten.update] });
      expectRefused(reconcile(knows, syncOf(BASE, [one.update]), contextOf()), knows, "HubContradicts");
    });

    it("keeps what was verified before, whatever comes after it", () => {
      const first = hubStep(funded(), "Payment", pays(10n));
      const bad = hubStep(first.state, "Withdrawal", WITHDRAWAL);
      const knows = levelRecord({ pending: [first.update] });
      expectRefused(reconcile(knows, syncOf(BASE, [first.update, bad.update]), contextOf()), knows);
    });
  });

  describe("W-6: an older state than the complete own record", () => {
    const old = both(funded(3n));

    it("is an incident as an answer, and the hub is shown the newer one", () => {
      const record = levelRecord();
      const result = reconcile(record, syncOf(old), contextOf());
      expectRefused(result, record, "HubBehind");
      expect(result.mustShow).to.equal(true);
    });

    it("is no incident when it was pushed: it may have been overtaken", () => {
      const record = levelRecord();
      const result = reconcile(record, syncOf(old), contextOf({ isAnswer: false }));
      expect(result).to.deep.include({ record, isStale: true, mustShow: false });
      expect(result.incident).to.equal(undefined);
    });

    it("is an incident too where the hub has forgotten what it signed alone", () => {
      const { update } = hubStep(funded(), "Payment", pays(10n));
      const record = levelRecord({ pending: [update] });
      const result = reconcile(record, syncOf(BASE), contextOf());
      expectRefused(result, record, "HubBehind");
      expect(result).to.deep.include({ mustComplete: true, mustShow: true });
      const pushed = reconcile(record, syncOf(BASE), contextOf({ isAnswer: false }));
      expect(pushed.incident).to.equal(undefined);
      expect(newestOf(pushed.record).nonce).to.equal(11n);
    });
  });

  describe("takes over", () => {
    it("payments in, one on another, with one signature at the end", () => {
      const first = hubStep(funded(), "Payment", pays(10n));
      const second = hubStep(first.state, "Payment", pays(5n), 20n);
      const unsigned = parseUpdate({ ...formatUpdate(first.update), sigHub: undefined } as never);
      const result = reconcile(levelRecord(), syncOf(BASE, [unsigned, second.update]), contextOf());
      expect(result.incident).to.equal(undefined);
      expect(newestOf(result.record)).to.deep.equal(second.state);
      expect(result.verified).to.have.length(2);
    });

    it("a withdrawal that was asked for, with any part of the hub's, and forgets the wish once both have signed", () => {
      const step = hubStep(funded(), "Withdrawal", WITHDRAWAL);
      const taken = reconcile(levelRecord({ wishes: [WISH] }), syncOf(BASE, [step.update]), contextOf());
      expect(newestOf(taken.record)).to.deep.equal(step.state);
      const signed = reconcile(taken.record, syncOf(both(step.state)), contextOf());
      expect(signed.record.wishes).to.deep.equal([]);
    });

    it("payments that were folded into a larger one at a higher nonce", () => {
      const [ten, more] = [hubStep(funded(), "Payment", pays(10n)), hubStep(funded(), "Payment", pays(15n), 12n)];
      const result = reconcile(levelRecord({ pending: [ten.update] }), syncOf(BASE, [more.update]), contextOf());
      expect(newestOf(result.record)).to.deep.equal(more.state);
    });

    it("an update that this side issued, as accepted", () => {
      const state = funded(DEVICES + DEVICE);
      const issued = { updates: [], state, sigUser: both(state).sigUser, purpose: { kind: "update" } } as const;
      const record = levelRecord({ issued: [issued], highestSigned: state.nonce });
      const result = reconcile(record, syncOf(both(state)), contextOf());
      expect(result.accepted).to.deep.equal([issued]);
      expect(result.record).to.deep.include({ issued: [], highestSigned: state.nonce });
    });

    it("a state of another device of the same key, and then signs far above it", () => {
      const foreign = both(funded(5n * DEVICES));
      const result = reconcile(levelRecord(), syncOf(foreign), contextOf());
      expect(baseOf(result.record)).to.deep.equal(foreign.state);
      expect(ownNonceAbove(result.record)).to.be.greaterThan(1_005n * DEVICES);
    });

    it("what there is, into a new store, and signs nothing that it may have signed before", () => {
      const { update } = hubStep(funded(), "Payment", pays(10n));
      const result = reconcile(newRecord(USER, 0n, DEVICE), syncOf(BASE, [update]), contextOf());
      expect(result.record.isComplete).to.equal(true);
      expect(result.record.highestSigned).to.be.greaterThan(newestOf(result.record).nonce);
      const untouched = reconcile(newRecord(USER, 0n, DEVICE), syncOf(undefined), contextOf());
      expect(untouched.record).to.deep.include({ isComplete: true, highestSigned: 0n });
    });
  });

  describe("waits, without an incident", () => {
    it("for a deposit that this side does not see yet, and for everything behind it", () => {
      const deposit = hubStep(funded(), "Deposit", { asset: ZERO_ADDRESS, depositedHub: 100n, depositedUser: 150n });
      const payment = hubStep(deposit.state, "Payment", pays(1n));
      const sync = syncOf(BASE, [deposit.update, payment.update]);
      const record = levelRecord();
      const early = reconcile(record, sync, contextOf());
      expect(early).to.deep.include({ waits: true, record });
      expect(early.incident).to.equal(undefined);
      const ledgers = new Map([[ZERO_ADDRESS, { ...LEDGER, depositedUser: 150n }]]);
      const late = reconcile(record, sync, contextOf({ ledgers }));
      expect(hashState(newestOf(late.record))).to.equal(hashState(payment.state));
    });

    it("while one of both has not seen a settlement", () => {
      const record = levelRecord();
      expect(reconcile(record, syncOf(BASE, [], { session: "1" }), contextOf()).waits).to.equal(true);
      expect(reconcile(record, syncOf(BASE), contextOf({ session: 1n })).waits).to.equal(true);
    });
  });

  it("keeps a record through the disk as it is", () => {
    const { update } = hubStep(funded(), "Payment", pays(10n));
    const record = levelRecord({ pending: [update], wishes: [{ ...WISH, exchange: SALE }, WISH] });
    expect(parseRecord(formatRecord(record))).to.deep.equal(record);
  });
});
