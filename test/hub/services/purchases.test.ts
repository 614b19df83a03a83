import { expect } from "chai";
import {
  checkSignature,
  formatUpdate,
  hashReceipt,
  parseStruct,
  parseUpdate,
  paymentIdOf,
  receiptType,
  rowOf,
  ZERO_ADDRESS,
  type Signature,
  type WirePayment,
  type WirePurchaseRequest,
} from "../../../protocol";
import { hubScene, linkKey, omit, pay, payAs, type HubScene, type HubUser } from "../../support/hub-scene";
import { expectCoded } from "../../support/expect-coded";

describe("Purchases", () => {
  let scene: HubScene;
  before(async () => {
    scene = await hubScene();
  });
  after(() => scene.close());

  const receiptError = ({ receipt, sigReceipt }: WirePayment): unknown => {
    const { signer, domain } = scene.services;
    const parsed = parseStruct(receiptType, receipt!, "receipt");
    return checkSignature(signer.address, hashReceipt(parsed), sigReceipt as Signature, domain);
  };

  it("moves the payer's money to the payee in one step, with a receipt that the hub signed", async () => {
    const [payer, payee] = [await scene.funded({ user: 100n }), await scene.funded({ hub: 50n })];
    const { payments, doubleSigned } = await payer.buy("one", pay(payee, 30n));
    expect(payments.map(({ status }) => status)).to.deep.equal(["forwarded"]);
    expect(await payer.balances()).to.deep.equal({ hub: 30n, user: 70n });
    expect(await payee.balances()).to.deep.equal({ hub: 20n, user: 30n });
    expect(doubleSigned?.state.nonce).to.equal((await payer.state()).nonce.toString());
    expect(receiptError(payments[0]!)).to.equal(undefined);
    expect(payments[0]!.receipt).to.include({
      ...{ purchaseId: "one", payer: payer.address, payee: payee.address, amount: "30", asset: ZERO_ADDRESS },
      paymentId: paymentIdOf(payer.address, "one", 0),
      payeeNonce: (await payee.state()).nonce.toString(),
    });
  });

  it("signs receipts that are void with one field changed", async () => {
    const [payer, payee] = [await scene.funded({ user: 100n }), await scene.funded({ hub: 50n })];
    const [payment] = (await payer.buy("one", pay(payee, 30n))).payments;
    expect(receiptError({ ...payment!, receipt: { ...payment!.receipt!, amount: "31" } })).to.not.equal(undefined);
  });

  it("pays several payees in several assets: all of it, each by its kind", async () => {
    const payer = await scene.funded({ user: 100n });
    await payer.fund({ user: 1_000n, asset: scene.token });
    const [first, second] = [await scene.funded({ hub: 50n }), await scene.funded({ hub: 500n, asset: scene.token })];
    const link = linkKey(scene);
    const { payments } = await payer.buy(
      "many",
      ...[pay(first, 10n), pay(second, 200n, scene.token), payAs("PT_CUSTODIAL", second, 5n)],
      ...[link.payment(7n), pay(first, 1n)],
    );
    const statuses = payments.map(({ status }) => status);
    expect(statuses).to.deep.equal(["forwarded", "forwarded", "custodial", "open", "forwarded"]);
    expect(await payer.balances()).to.deep.equal({ hub: 23n, user: 77n });
    expect(await payer.balances(scene.token)).to.deep.equal({ hub: 200n, user: 800n });
    expect(await first.balances()).to.deep.equal({ hub: 39n, user: 11n });
    expect(await second.balances(scene.token)).to.deep.equal({ hub: 300n, user: 200n });
    expect(await second.custodial()).to.equal(5n);
    for (const payment of payments.filter(({ receipt }) => receipt !== undefined)) {
      expect(receiptError(payment)).to.equal(undefined);
    }
  });

  it("pays nobody when one payee cannot be paid", async () => {
    const payer = await scene.funded({ user: 100n });
    const [able, unable] = [await scene.funded({ hub: 50n }), scene.user()];
    const before = await payer.state();
    const request = await payer.request("both", payAs("PT_CUSTODIAL", able, 1n), pay(able, 10n), pay(unable, 10n));
    const { details } = await expectCoded(payer.purchase(request), "InsufficientCollateral");
    expect(details).to.deep.equal({ asset: ZERO_ADDRESS, available: 0n, needed: 10n, payee: unable.address });
    expect(await payer.state()).to.deep.equal(before);
    expect(await able.balances()).to.deep.equal({ hub: 50n, user: 0n });
    expect(await able.custodial()).to.equal(0n);
    await expectCoded(payer.ask("getPurchase", { params: { id: "both" } }), "NotFound");
  });

  describe("a retry", () => {
    let payer: HubUser;
    let payee: HubUser;
    let request: WirePurchaseRequest;
    beforeEach(async () => {
      payer = await scene.funded({ user: 100n });
      payee = await scene.funded({ hub: 50n });
      request = await payer.request("again", pay(payee, 30n));
    });

    it("has the same answer and pays once, at the same time or later, with the same or newer signatures", async () => {
      const [first, second] = await Promise.all([payer.purchase(request), payer.purchase(request)]);
      expect(second).to.deep.equal(first);
      expect(await payer.purchase(request)).to.deep.equal(first);
      expect(await payer.buy("again", pay(payee, 30n))).to.deep.equal(first);
      expect((await payer.balances()).user).to.equal(70n);
      expect((await payee.balances()).user).to.equal(30n);
      const { payments } = await payer.ask("getPurchase", { params: { id: "again" } });
      expect(payments).to.deep.equal(first.payments);
    });

    it("has it after a restart of the hub", async () => {
      const first = await payer.purchase(request);
      await scene.restart();
      expect(await payer.purchase(request)).to.deep.equal(first);
      expect((await payer.balances()).user).to.equal(70n);
    });

    it("with the id of another purchase is refused by name", async () => {
      await payer.purchase(request);
      for (const other of [pay(payee, 31n), payAs("PT_CUSTODIAL", payee, 30n), pay(scene.user(), 30n)]) {
        const { details } = await expectCoded(payer.buy("again", other), "PurchaseIdTaken");
        expect(details).to.deep.equal({ id: "again" });
      }
      await expectCoded(payer.purchase({ ...request, meta: { note: "another" } }), "PurchaseIdTaken");
      expect((await payer.balances()).user).to.equal(70n);
    });
  });

  describe("H-18:", () => {
    it("nobody can squat the id of somebody else's purchase", async () => {
      const [payer, squatter, payee] = [
        await scene.funded({ user: 100n }),
        await scene.funded({ user: 100n }),
        await scene.funded({ hub: 50n }),
      ];
      await squatter.buy("wanted", pay(payee, 1n));
      const { payments } = await payer.buy("wanted", pay(payee, 30n));
      expect(payments[0]!.status).to.equal("forwarded");
      expect((await payee.balances()).user).to.equal(31n);
      await expectCoded(scene.user().ask("getPurchase", { params: { id: "wanted" } }), "NotFound");
    });

    it("A pays B while B pays A, 50 times each: all arrive, nothing waits for anything for ever", async () => {
      const [a, b] = [
        await scene.funded({ user: 1_000n, hub: 1_000n }),
        await scene.funded({ user: 1_000n, hub: 1_000n }),
      ];
      const stream = async (from: HubUser, to: HubUser, amount: bigint): Promise<void> => {
        for (let i = 0; i < 50; i++) await untilInSync(() => from.buy(`stream-${i}`, pay(to, amount)));
      };
      await Promise.all([stream(a, b, 3n), stream(b, a, 5n)]);
      expect((await a.balances()).user).to.equal(1_000n - 150n + 250n);
      expect((await b.balances()).user).to.equal(1_000n + 150n - 250n);
      await Promise.all([a.level(), b.level()]);
    });
  });

  describe("H-2: what is signed is what is paid:", () => {
    let payer: HubUser;
    let payee: HubUser;
    beforeEach(async () => {
      payer = await scene.funded({ user: 1_000n });
      await payer.fund({ user: 1_000n, asset: scene.token });
      payee = await scene.funded({ hub: 900n });
    });

    const refused = async (request: WirePurchaseRequest, reason: string | RegExp): Promise<void> => {
      const { message } = await expectCoded(payer.purchase(request), "PurchaseMismatch");
      expect(message).to.match(new RegExp(reason));
      expect((await payer.balances()).user).to.equal(1_000n);
      expect((await payee.balances()).user).to.equal(0n);
    };

    for (const type of ["PT_CHANNEL", "PT_CUSTODIAL", "PT_OPTIMISTIC", "PT_LINK"] as const) {
      it(`1 signed and 900 claimed by ${type} pays nothing`, async () => {
        const claim = (amount: bigint) =>
          type === "PT_LINK"
            ? link.payment(amount)
            : type === "PT_CHANNEL"
              ? pay(payee, amount)
              : payAs(type, payee, amount);
        const link = linkKey(scene);
        const { updates } = await payer.request("cheap", claim(1n));
        await refused({ id: "cheap", payments: [claim(900n)], updates }, "1 of 0x0+ are signed for payments of 900");
        expect(await payee.custodial()).to.equal(0n);
        await expectCoded(payee.ask("getLink", { params: { address: link.address } }), "LinkUnknown");
      });
    }

    it("another amount, in either direction", async () => {
      const { updates } = await payer.request("p", pay(payee, 31n));
      await refused({ id: "p", payments: [pay(payee, 30n)], updates }, "31 of 0x0+ are signed for payments of 30");
    });

    it("the ids of other payments, in another order, or one twice", async () => {
      const of = async (...ids: readonly number[]): Promise<WirePurchaseRequest> => {
        const payments = ids.map((i) => paymentIdOf(payer.address, "p", i));
        const args = { recipient: "hub", asset: ZERO_ADDRESS, amount: 5n, payments } as const;
        const updates = (await payer.steps({ reason: "Payment", args })).map(formatUpdate);
        return { id: "p", payments: [pay(payee, 2n), pay(payee, 3n)], updates };
      };
      for (const ids of [[0], [1, 0], [0, 0], [0, 1, 2], [0, 7]]) {
        await refused(await of(...ids), "names other payments");
      }
      const squatted = await payer.request("q", pay(payee, 5n));
      await refused({ ...squatted, id: "p" }, "names other payments");
    });

    it("an asset that nothing was signed in, or that was signed in twice", async () => {
      const { updates } = await payer.request("p", pay(payee, 5n));
      await refused({ id: "p", payments: [pay(payee, 5n, scene.token)], updates }, "are signed for payments of 0");
      await refused({ id: "p", payments: [pay(payee, 5n), pay(payee, 5n, scene.token)], updates }, "nothing is signed");
      await refused({ id: "p", payments: [pay(payee, 5n)], updates: [...updates, ...updates] }, "two updates pay in");
    });

    it("an update that is no payment to the hub", async () => {
      const toUser = { recipient: "user", asset: ZERO_ADDRESS, amount: 0n, payments: [] } as const;
      const updates = (await payer.steps({ reason: "Payment", args: toUser })).map(formatUpdate);
      await refused({ id: "p", payments: [pay(payee, 5n)], updates }, "no payment to the hub");
    });

    it("a signature of somebody else, over something else, or none", async () => {
      const request = await payer.request("p", pay(payee, 5n));
      const [update] = request.updates;
      const state = await payer.state();
      for (const sigUser of [payee.sign(state), payer.sign(state)]) {
        await expectCoded(payer.purchase({ ...request, updates: [{ ...update!, sigUser }] }), "InvalidSignature");
      }
      const unsigned = omit(update!, "sigUser");
      await expectCoded(payer.purchase({ ...request, updates: [unsigned] }), "InvalidValue");
      expect((await payee.balances()).user).to.equal(0n);
    });
  });

  describe("refuses by name", () => {
    let payer: HubUser;
    let payee: HubUser;
    beforeEach(async () => {
      payer = await scene.funded({ user: 100n });
      payee = await scene.funded({ hub: 100n });
    });

    it("more than the payer has", async () => {
      const request = await payer.request("p", pay(payee, 100n));
      const [update] = request.updates.map((each) => parseUpdate(each));
      const args = { ...update!.args, amount: 101n } as never;
      const spoilt = [formatUpdate({ ...update!, args })];
      await expectCoded(payer.purchase({ ...request, payments: [pay(payee, 101n)], updates: spoilt }), "BalanceTooLow");
    });

    it("paying oneself, the hub, the contract and nobody", async () => {
      await expectCoded(payer.buy("p", pay(payer, 1n)), "PayingOneself");
      const { config, signer } = scene.services;
      for (const address of [signer.address, config.channelManager, ZERO_ADDRESS]) {
        await expectCoded(payer.buy("p", pay({ address }, 1n)), "InvalidUser");
      }
    });

    it("an asset that the hub does not serve", async () => {
      const { updates } = await payer.request("p", pay(payee, 1n));
      const payments = [pay(payee, 1n, payee.address)];
      await expectCoded(payer.purchase({ id: "p", payments, updates }), "AssetUnknown");
    });

    it("H-14: an update that does not build on the newest state, with what is missing", async () => {
      const request = await payer.request("p", pay(payee, 1n));
      await payer.buy("faster", pay(payee, 2n));
      const { details } = await expectCoded(payer.purchase(request), "OutOfSync");
      expect((details as { sync: { nonceFloor: string } }).sync.nonceFloor).to.equal(
        (await payer.state()).nonce.toString(),
      );
      await payer.buy("p", pay(payee, 1n));
      expect((await payee.balances()).user).to.equal(3n);
    });

    it("a link that was paid into before, or twice at once", async () => {
      const link = linkKey(scene);
      await payer.buy("p", link.payment(1n));
      await expectCoded(payer.buy("q", link.payment(1n)), "LinkTaken");
      const other = linkKey(scene);
      await expectCoded(payer.buy("r", other.payment(1n), other.payment(1n)), "PurchaseMismatch");
      expect((await payer.balances()).user).to.equal(99n);
    });

    it("an expiry in the past, or later than the hub holds money for", async () => {
      const now = BigInt(Math.floor(scene.clock.now() / 1000));
      for (const expiresAt of [now - 1n, now + 86_400n + 60n]) {
        await expectCoded(payer.buy("p", payAs("PT_OPTIMISTIC", payee, 1n, expiresAt)), "InvalidValue");
      }
    });
  });

  it("keeps every asset's sum: channels, custodial balances and reservations", async () => {
    const [a, b] = [await scene.funded({ user: 100n, hub: 10n }), await scene.funded({ user: 50n, hub: 60n })];
    await a.buy("p", pay(b, 20n), payAs("PT_CUSTODIAL", b, 3n), linkKey(scene).payment(4n));
    for (const user of [a, b]) {
      const row = rowOf(await user.state(), ZERO_ADDRESS);
      expect(row.balanceHub + row.balanceUser).to.equal(row.depositedHub + row.depositedUser);
    }
    expect((await a.balances()).hub).to.equal(10n + 27n);
  });
});

/** As a client does: again, on top of what the hub has signed meanwhile. */
async function untilInSync<Value>(run: () => Promise<Value>): Promise<Value> {
  for (let i = 0; ; i++) {
    try {
      return await run();
    } catch (error) {
      const code: unknown = (error as { code?: unknown }).code;
      if (i > 100 || (code !== "OutOfSync" && code !== "NonceTooLow")) throw error;
    }
  }
}
