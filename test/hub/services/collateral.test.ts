import { expect } from "chai";
import { formatUpdate, parseUpdate, ZERO_ADDRESS, type Address } from "../../../protocol";
import { Collateral, DEFAULT_COLLATERAL_LIMITS } from "../../../hub/services/collateral";
import { codeOf, expectCoded } from "../../support/expect-coded";
import { testAssets, until } from "../../support/hub";
import { hubScene, linkKey, omit, pay, payAs, type HubScene, type HubUser } from "../../support/hub-scene";

const ETHER = 10n ** 18n;
const FLOOR = 10n * ETHER;
const CEILING = 170n * ETHER;

describe("Collateral", () => {
  let scene: HubScene;
  before(async () => {
    scene = await hubScene();
  });
  after(() => scene.close());
  afterEach(async () => {
    await scene.services.batcher.flush(); // nothing of one test is left for the next
    await until("what was sent to be final", async () => {
      return (await scene.services.store.collateral.sent()).length === 0;
    });
  });

  const granted = async (user: { readonly address: Address }, asset: Address = ZERO_ADDRESS) =>
    scene.services.store.collateral.grantedSince(asset, 0, user.address);
  const request = (user: HubUser, amount: bigint) =>
    user.ask("requestCollateralization", {
      ...user.params,
      body: { asset: ZERO_ADDRESS, amount: amount.toString() },
    });
  const arrives = (user: HubUser, amount: bigint) =>
    until("the collateral", async () => (await user.balances()).hub === amount);

  describe("H-6:", () => {
    it("lands while its payee is away, and the payment that asked for it goes through", async () => {
      const [payer, away] = [await scene.funded({ user: 100n }), scene.user()];
      await expectCoded(payer.buy("p", pay(away, 30n)), "InsufficientCollateral");
      expect(await granted(away)).to.deep.equal({ count: 1, amount: 30n });
      expect(await scene.services.batcher.flush()).to.equal(1);
      await arrives(away, 30n);
      const { payments } = await payer.buy("p", pay(away, 30n));
      expect(payments[0]!.status).to.equal("forwarded");
      await away.level(); // the first that is heard of it
      expect(await away.balances()).to.deep.equal({ hub: 0n, user: 30n });
    });

    it("goes into many channels with one transaction", async () => {
      const payer = await scene.funded({ user: 100n });
      const payees = [scene.user(), scene.user(), scene.user()];
      for (const [i, payee] of payees.entries()) {
        await payer.buy(`p${i}`, payAs("PT_OPTIMISTIC", payee, BigInt(i + 1)));
      }
      const before = (await scene.services.store.transactions.list(100)).length;
      expect(await scene.services.batcher.flush()).to.equal(3);
      expect(await scene.services.store.transactions.list(100)).to.have.length(before + 1);
      await until("all payments", async () => {
        const balances = await Promise.all(payees.map((payee) => payee.balances()));
        return balances.every(({ user }, i) => user === BigInt(i + 1));
      });
    });

    it("is granted once, however often it is asked for while it is on its way", async () => {
      const [payer, away] = [await scene.funded({ user: 100n }), scene.user()];
      for (let i = 0; i < 3; i++) await expectCoded(payer.buy("p", pay(away, 30n)), "InsufficientCollateral");
      expect(await granted(away)).to.deep.equal({ count: 1, amount: 30n });
      await scene.services.batcher.flush();
      await codeOf(payer.buy("p", pay(away, 30n))); // it may be there already
      expect(await granted(away)).to.deep.equal({ count: 1, amount: 30n });
      await arrives(away, 30n);
    });

    it("is granted anew when its time was up before it could be sent", async () => {
      const [payer, away] = [await scene.funded({ user: 100n }), scene.user()];
      await expectCoded(payer.buy("p", pay(away, 30n)), "InsufficientCollateral");
      await scene.pass(601);
      expect(await scene.services.batcher.flush()).to.equal(0);
      await expectCoded(payer.buy("p", pay(away, 30n)), "InsufficientCollateral");
      expect(await scene.services.batcher.flush()).to.equal(1);
      await arrives(away, 30n);
    });
  });

  describe("H-16: nothing is granted for", () => {
    let payer: HubUser;
    let payee: HubUser;
    beforeEach(async () => {
      payer = await scene.funded({ user: 100n });
      payee = scene.user();
    });
    afterEach(async () => expect(await granted(payee)).to.deep.equal({ count: 0, amount: 0n }));

    it("a payment that is not signed, or by somebody else", async () => {
      const asked = await payer.request("p", pay(payee, 30n));
      const unsigned = omit(asked.updates[0]!, "sigUser");
      await expectCoded(payer.purchase({ ...asked, updates: [unsigned] }), "InvalidValue");
      const forged = { ...unsigned, sigUser: payee.sign(await payer.state()) };
      await expectCoded(payer.purchase({ ...asked, updates: [forged] }), "InvalidSignature");
    });

    it("a payment that its payer cannot make", async () => {
      const asked = await payer.request("p", pay(payee, 100n));
      const update = parseUpdate(asked.updates[0]!);
      const spoilt = formatUpdate({ ...update, args: { ...update.args, amount: 10n ** 20n } } as never);
      const purchase = { ...asked, payments: [pay(payee, 10n ** 20n)], updates: [spoilt] };
      await expectCoded(payer.purchase(purchase), "BalanceTooLow");
      await expectCoded(scene.user().purchase({ ...asked, payments: [pay(payee, 100n)] }), "PurchaseMismatch");
    });

    it("a payment whose amount is another than the one that was signed", async () => {
      const { updates } = await payer.request("p", pay(payee, 1n));
      await expectCoded(payer.purchase({ id: "p", payments: [pay(payee, 100n)], updates }), "PurchaseMismatch");
    });

    it("custodial payments, and links that nobody has redeemed", async () => {
      await payer.buy("p", payAs("PT_CUSTODIAL", payee, 10n), linkKey(scene).payment(10n));
    });

    it("an exchange of what the user has not", async () => {
      const body = { sellAsset: scene.token, buyAsset: ZERO_ADDRESS, sellAmount: "60000" };
      await expectCoded(payee.ask("requestExchange", { ...payee.params, body }), "BalanceTooLow");
    });

    it("a question what somebody can receive", async () => {
      await payer.ask("getChannel", payee.params);
    });

    it("anybody's request for somebody else", async () => {
      const body = { asset: ZERO_ADDRESS, amount: "5" };
      await expectCoded(payer.ask("requestCollateralization", { ...payee.params, body }), "NotYours");
    });
  });

  describe("H-16: limits hold", () => {
    it("for who was never paid: its floor, however it asks, also all at once", async () => {
      const user = scene.user();
      await expectCoded(request(user, FLOOR + 1n), "CollateralLimit");
      await Promise.allSettled(Array.from({ length: 20 }, () => request(user, FLOOR)));
      expect(await granted(user)).to.deep.equal({ count: 1, amount: FLOOR });
      expect(await request(user, FLOOR)).to.deep.equal({ available: "0", requested: FLOOR.toString() });
    });

    it("for what one channel holds: the ceiling, also by payments at the same time from everybody", async () => {
      const payee = scene.user();
      const payers = await Promise.all([1, 2, 3].map(() => scene.funded({ user: 100n * ETHER })));
      await Promise.all(payers.map((payer) => payer.buy("p", payAs("PT_OPTIMISTIC", payee, 90n * ETHER))));
      for (const payer of payers) {
        await payer.buy("q", payAs("PT_OPTIMISTIC", payee, 5n * ETHER));
      }
      const { amount } = await granted(payee);
      expect(amount <= CEILING, `${amount} granted`).to.equal(true);
    });

    it("for the grants of a user in a day", async () => {
      const payee = await scene.funded({ hub: 1n });
      const payer = await scene.funded({ user: 1_000n });
      for (let i = 1; i <= 25; i++) {
        await payer.buy(`p${i}`, payAs("PT_OPTIMISTIC", payee, BigInt(i + 1)));
        await scene.pass(601); // each expires before it is sent
      }
      expect((await granted(payee)).count).to.equal(DEFAULT_COLLATERAL_LIMITS.grantsPerUserAndDay);
    });

    it("for all users together: grants and capital of a day", async () => {
      const { store, channels, clock } = scene.services;
      const assets = new Map(testAssets(scene.token).map((asset) => [asset.asset, asset]));
      const before = await store.collateral.grantedSince(scene.token, 0);
      const limits = { ...DEFAULT_COLLATERAL_LIMITS, grantsPerDay: before.count + 3 };
      const few = new Collateral({ store, channels, clock, assets, limits });
      const want = (amount: bigint) => few.want(scene.user().address, scene.token, amount, "payment");
      const results = await Promise.allSettled(Array.from({ length: 10 }, () => want(1n)));
      expect(results.filter(({ status }) => status === "fulfilled")).to.have.length(3);
      const { message } = await expectCoded(want(1n), "CollateralLimit");
      expect(message).to.match(/budget for today/);

      const little = new Collateral({
        ...{ store, channels, clock, assets },
        limits: { ...DEFAULT_COLLATERAL_LIMITS, ceilingsPerDay: 1 },
      });
      await little.want(scene.user().address, scene.token, CEILING - 3n - before.amount, "operator");
      await expectCoded(little.want(scene.user().address, scene.token, 1n, "payment"), "CollateralLimit");
      await scene.pass(86_401);
      await little.want(scene.user().address, scene.token, 1n, "payment");
    });

    it("for payments that came back: they make nobody a payee", async () => {
      const payee = scene.user();
      const expiresAt = BigInt(Math.floor(scene.clock.now() / 1000) + 60);
      for (let i = 0; i < 3; i++) {
        const payer = await scene.funded({ user: 100n * ETHER });
        await payer.buy("p", payAs("PT_OPTIMISTIC", payee, 60n * ETHER, expiresAt));
      }
      await scene.pass(61);
      await scene.services.forwarding.endExpired();
      await scene.pass(601);
      await expectCoded(request(payee, FLOOR + 1n), "CollateralLimit");
    });
  });

  it("is the payment for a new payee, and the floor from three payers on", async () => {
    const payee = await scene.funded({ hub: 100n });
    for (const amount of [10n, 20n, 30n]) {
      const payer = await scene.funded({ user: 100n });
      await payer.buy("p", pay(payee, amount));
    }
    expect((await granted(payee)).amount).to.equal(0n);
    const payer = await scene.funded({ user: 100n });
    await expectCoded(payer.buy("p", pay(payee, 41n)), "InsufficientCollateral");
    expect((await granted(payee)).amount).to.equal(FLOOR - 40n);
  });

  it("follows an operator's profile, within the ceiling", async () => {
    const { store } = scene.services;
    const user = scene.user();
    await store.database.write((tx) =>
      store.collateral.setProfile(tx, user.address, { asset: ZERO_ADDRESS, target: 500n * ETHER }),
    );
    await request(user, 1n);
    expect((await granted(user)).amount).to.equal(CEILING);
  });

  it("waits until the reserve covers it, and holds up nobody else's", async () => {
    const { store, batcher } = scene.services;
    const [poor, rich] = [scene.user(), scene.user()];
    const reserve = await scene.services.reserveOf(ZERO_ADDRESS);
    const line = { asset: ZERO_ADDRESS, createdAtMs: scene.clock.now(), expiresAtMs: scene.clock.now() + 600_000 };
    await store.database.write((tx) => {
      store.collateral.insert(tx, { ...line, user: poor.address, amount: reserve + 1n });
      store.collateral.insert(tx, { ...line, user: rich.address, amount: 5n });
    });
    expect(await batcher.flush()).to.equal(1);
    await arrives(rich, 5n);
    const { world } = scene;
    await world.manager.connect(world.carol).fundReserve(ZERO_ADDRESS, ETHER, { value: ETHER });
    expect(await batcher.flush()).to.equal(1);
    await arrives(poor, reserve + 1n);
  });

  it("matches a deposit that was announced, in the other asset, and never by more than was deposited", async () => {
    await scene.world.manager
      .connect(scene.world.carol)
      .fundReserve(ZERO_ADDRESS, 1_000n * ETHER, { value: 1_000n * ETHER });
    const user = scene.user();
    await user.ask("requestDeposit", { ...user.params, body: { depositWei: ((3n * ETHER) / 100n).toString() } });
    await user.fund({ user: ETHER / 100n });
    expect((await granted(user, scene.token)).amount).to.equal(20n * ETHER);
    await user.fund({ user: ETHER / 100n });
    expect((await granted(user, scene.token)).amount).to.equal(20n * ETHER);
  });
});
