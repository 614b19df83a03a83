import { expect } from "chai";
import {
  formatUpdate,
  hashState,
  next,
  parseUpdate,
  rowOf,
  ZERO_ADDRESS,
  type SignedUpdate,
  type Update,
} from "../../../protocol";
import { MAX_UNCOUNTERSIGNED } from "../../../hub/services/channel";
import { provisional, type Draft } from "../../../hub/services/drafts";
import { codeOf, expectCoded } from "../../support/expect-coded";
import { hubScene, pay, payAs, type HubScene, type HubUser } from "../../support/hub-scene";

const PAYMENT_ID = `0x${"ab".repeat(32)}` as const;

describe("Channels", () => {
  let scene: HubScene;
  before(async () => {
    scene = await hubScene();
  });
  after(() => scene.close());

  const toUser = (amount: bigint) =>
    ({
      reason: "Payment",
      args: { recipient: "user", asset: ZERO_ADDRESS, amount, payments: [PAYMENT_ID] },
    }) as const;

  describe("H-1: a user cannot give itself the hub's collateral", () => {
    let user: HubUser;
    beforeEach(async () => {
      user = await scene.funded({ user: 10n, hub: 100n });
    });
    afterEach(async () => expect(await user.balances()).to.deep.equal({ hub: 100n, user: 10n }));

    it("by a payment to itself: it is refused, and the operator hears of it", async () => {
      const before = (await scene.incidents()).length;
      await expectCoded(user.update(await user.steps(toUser(100n))), "WrongAuthor");
      expect(await scene.incidents()).to.have.length(before + 1);
      expect((await scene.incidents())[0]).to.equal("incident:wrong-author");
      const [entry] = await scene.services.store.operation.audit(1);
      expect(entry).to.include({ user: user.address });
    });

    it("by one that follows an honest step in the same request", async () => {
      const empty = {
        reason: "Payment",
        args: { recipient: "hub", asset: ZERO_ADDRESS, amount: 0n, payments: [] },
      } as const;
      await expectCoded(user.update(await user.steps(empty, toUser(100n))), "WrongAuthor");
    });

    it("by a payment to itself that claims to be the hub's", async () => {
      const [update] = await user.steps(toUser(100n));
      await expectCoded(user.update([{ ...update!, sigHub: update!.sigUser! }]), "WrongAuthor");
    });

    it("by a purchase", async () => {
      const updates = (await user.steps(toUser(100n))).map(formatUpdate);
      const payments = [payAs("PT_CUSTODIAL", scene.user(), 100n)];
      await expectCoded(user.purchase({ id: "p", payments, updates }), "PurchaseMismatch");
    });

    it("by a withdrawal that it signs first", async () => {
      const assets = [{ asset: ZERO_ADDRESS, user: 10n, hub: 0n }];
      const steps = await user.steps({ reason: "Withdrawal", args: { recipient: ZERO_ADDRESS, assets } });
      await expectCoded(user.update(steps), "WrongAuthor");
    });

    it("by a deposit that is not on chain", async () => {
      const args = { asset: ZERO_ADDRESS, depositedHub: 100n, depositedUser: 11n };
      await expectCoded(user.update(await user.steps({ reason: "Deposit", args })), "NotBacked");
    });

    it("by an exchange without a quote", async () => {
      const args = {
        ...{ sellAsset: scene.token, sellAmount: 0n, buyAsset: ZERO_ADDRESS, buyAmount: 0n, rate: 1n },
        ...{ quoteId: PAYMENT_ID, expiresAt: BigInt(Math.floor(scene.clock.now() / 1000) + 30) },
      };
      await expectCoded(user.update(await user.steps({ reason: "Exchange", args })), "QuoteUnknown");
    });
  });

  it("H-1: a waiting payment cannot be countersigned with another amount", async () => {
    const [payer, payee] = [await scene.funded({ user: 100n }), await scene.funded({ hub: 100n })];
    await payer.buy("p", pay(payee, 1n));
    const [waiting] = (await payee.sync()).updates.map((update) => parseUpdate(update));
    const channel = await scene.services.channels.load(payee.address);
    const more = { ...waiting!, args: { ...waiting!.args, amount: 100n } } as SignedUpdate & Update;
    const sigUser = payee.sign(next(channel.doubleSigned!.state, more));
    expect(await codeOf(payee.update([{ ...more, sigUser }]))).to.be.oneOf(["WrongAuthor", "NonceTooLow", "OutOfSync"]);
    expect((await payee.balances()).user).to.equal(1n);
  });

  it("takes payments to the hub as purchases alone", async () => {
    const user = await scene.funded({ user: 10n });
    const args = { recipient: "hub", asset: ZERO_ADDRESS, amount: 1n, payments: [PAYMENT_ID] } as const;
    await expectCoded(user.update(await user.steps({ reason: "Payment", args })), "InvalidValue");
  });

  describe("H-15: whoever is away", () => {
    let payer: HubUser;
    let payee: HubUser;
    beforeEach(async () => {
      payer = await scene.funded({ user: 10_000n });
      payee = await scene.funded({ hub: 10_000n });
    });

    const pending = async () => (await scene.services.channels.load(payee.address)).pending;

    it("finds one update for all payments that came meanwhile, with every id, and accepts it with one signature", async () => {
      for (let i = 0; i < 20; i++) await payer.buy(`drip-${i}`, pay(payee, 1n));
      expect(await pending()).to.have.length(1);
      const { args, nonce } = (await pending())[0]!.update;
      expect(args).to.deep.include({ amount: 20n });
      expect(args).to.have.property("payments").of.length(20);
      expect(Number(nonce)).to.be.greaterThan(20); // each is signed above the last
      await payee.level();
      expect(await payee.balances()).to.deep.equal({ hub: 9_980n, user: 20n });
      expect(await pending()).to.deep.equal([]);
    });

    it("keeps what it may have seen: nothing is folded into it", async () => {
      await payer.buy("seen", pay(payee, 1n));
      const [seen] = (await payee.sync()).updates;
      await payer.buy("later", pay(payee, 2n));
      await payer.buy("latest", pay(payee, 3n));
      const updates = (await pending()).map(({ update }) => update);
      expect(updates.map(({ args }) => (args as { amount: bigint }).amount)).to.deep.equal([1n, 5n]);
      expect(formatUpdate(updates[0]!)).to.deep.equal(seen);
      await payee.level();
      expect((await payee.balances()).user).to.equal(6n);
    });

    it("still has its folded payments after a restart of the hub", async () => {
      await payer.buy("one", pay(payee, 1n));
      await scene.restart();
      await payer.buy("two", pay(payee, 2n));
      expect(await pending()).to.have.length(1);
      await payee.level();
      expect((await payee.balances()).user).to.equal(3n);
    });

    it("has at most 256 updates to sign: then its payers are told, or pay into its custodial balance", async () => {
      await payee.fund({ hub: 1_000n, asset: scene.token });
      const { channels, lanes } = scene.services;
      await lanes.run([payee.address], async () => {
        const drafts: Draft[] = [];
        let channel = await channels.load(payee.address);
        for (let i = 0; i < MAX_UNCOUNTERSIGNED; i++) {
          const asset = i % 2 === 0 ? ZERO_ADDRESS : scene.token; // another asset is never folded
          const args = { recipient: "user", asset, amount: 1n, payments: [PAYMENT_ID] } as const;
          const draft = channels.draftOfHub(channel, "Payment", args);
          drafts.push(draft);
          channel = provisional(draft, channel);
        }
        await channels.commit(drafts);
      });
      expect(await payee.sync())
        .to.have.property("updates")
        .of.length(256);
      const { details } = await expectCoded(payer.buy("full", pay(payee, 1n)), "ReceiverBusy");
      expect(details).to.deep.equal({ payee: payee.address });
      const { payments } = await payer.buy(
        "other",
        payAs("PT_CUSTODIAL", payee, 2n),
        payAs("PT_OPTIMISTIC", payee, 3n),
      );
      expect(payments.map(({ status }) => status)).to.deep.equal(["custodial", "waiting"]);
      expect((await payer.balances()).user).to.equal(9_995n);
      await scene.restart();
      expect(await payee.level())
        .to.have.property("updates")
        .of.length(0);
      await scene.services.forwarding.forwardTo(payee.address);
      await payer.buy("full", pay(payee, 1n));
      await payee.level();
      expect(await payee.balances()).to.deep.equal({ hub: 10_000n - 128n - 4n, user: 132n });
      expect(await payee.custodial()).to.equal(2n);
    });
  });

  it("gives a user that comes back everything that it has to sign, from a nonce it knows", async () => {
    const [payer, payee] = [await scene.funded({ user: 100n }), await scene.funded({ hub: 100n })];
    await payer.buy("a", pay(payee, 1n));
    await payee.level();
    const known = (await payee.state()).nonce;
    await payer.buy("b", pay(payee, 2n));
    await payee.level();
    await payer.buy("c", pay(payee, 4n));
    const { updates, doubleSigned } = await payee.ask("sync", {
      ...payee.params,
      query: { lastChanTx: known.toString() },
    });
    expect(updates.map(({ args }) => (args as { amount: string }).amount)).to.deep.equal(["2", "4"]);
    expect(rowOf(await payee.state(), ZERO_ADDRESS).balanceUser).to.equal(7n);
    expect(doubleSigned?.state.nonce).to.equal(updates[0]!.nonce);
  });

  it("answers a repeated countersignature and a repeated step with the same state", async () => {
    const user = await scene.funded({ user: 10n });
    const empty = { recipient: "hub", asset: ZERO_ADDRESS, amount: 0n, payments: [] } as const;
    const steps = await user.steps({ reason: "Payment", args: empty });
    const first = await user.update(steps);
    expect(await user.update(steps)).to.deep.equal(first);
    expect(hashState(await user.state())).to.equal(
      hashState((await scene.services.channels.load(user.address)).doubleSigned!.state),
    );
  });
});

describe("Channels with a minimum payment", () => {
  let scene: HubScene;
  before(async () => {
    scene = await hubScene({
      assets: (token) => [
        {
          ...{ asset: ZERO_ADDRESS, symbol: "ETH", decimals: 18 },
          ...{ minimumPayment: 100n, collateralCeiling: 10n ** 18n, collateralFloor: 10n ** 9n },
        },
        {
          ...{ asset: token, symbol: "LUSD", decimals: 18 },
          ...{ minimumPayment: 1n, collateralCeiling: 10n ** 18n, collateralFloor: 10n ** 9n },
        },
      ],
    });
  });
  after(() => scene.close());

  it("H-15: dust is refused by every kind of payment, with the minimum", async () => {
    const payer = await scene.funded({ user: 1_000n });
    const payee = await scene.funded({ hub: 1_000n });
    for (const payment of [pay(payee, 99n), payAs("PT_CUSTODIAL", payee, 99n), payAs("PT_OPTIMISTIC", payee, 99n)]) {
      const { details } = await expectCoded(payer.buy("dust", payment), "AmountTooSmall");
      expect(details).to.deep.equal({ asset: ZERO_ADDRESS, amount: 99n, minimum: 100n });
    }
    await payer.buy("enough", pay(payee, 100n));
    expect((await payee.balances()).user).to.equal(100n);
  });
});
