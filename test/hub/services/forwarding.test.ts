import { expect } from "chai";
import { rowOf, ZERO_ADDRESS } from "../../../protocol";
import { expectCoded } from "../../support/expect-coded";
import { until } from "../../support/hub";
import { hubScene, linkKey, pay, payAs, type HubScene, type HubUser } from "../../support/hub-scene";
import { PERIOD } from "../../support/world";

describe("Forwarding", () => {
  let scene: HubScene;
  let payer: HubUser;
  let payee: HubUser;
  before(async () => {
    scene = await hubScene();
  });
  after(() => scene.close());
  beforeEach(async () => {
    payer = await scene.funded({ user: 100n });
    payee = scene.user();
  });

  const statusOf = async (id: string): Promise<string> => {
    const { payments } = await payer.ask("getPurchase", { params: { id } });
    return payments[0]!.status;
  };
  const sweep = () => scene.services.forwarding.endExpired();
  const leave = async (user: HubUser): Promise<void> => {
    const signed = await user.signed();
    await (await user.onChain()).startExit(...signed);
    await scene.pass(Number(PERIOD) + 1);
    await until("the next session", async () => {
      return (await scene.services.channels.load(user.address)).session === 1n;
    });
  };

  it("forwards what waits as soon as collateral is there, oldest first, as far as it goes", async () => {
    for (const [id, amount] of [
      ["a", 5n],
      ["b", 6n],
      ["c", 7n],
    ] as const) {
      await payer.buy(id, payAs("PT_OPTIMISTIC", payee, amount));
    }
    await payee.fund({ hub: 12n });
    expect(await Promise.all(["a", "b", "c"].map(statusOf))).to.deep.equal(["forwarded", "forwarded", "waiting"]);
    await payee.level();
    expect(await payee.balances()).to.deep.equal({ hub: 1n, user: 11n });
    await payee.fund({ hub: 6n });
    expect(await statusOf("c")).to.equal("forwarded");
  });

  it("gives the payer a receipt once it was forwarded", async () => {
    await payer.buy("a", payAs("PT_OPTIMISTIC", payee, 5n));
    await payee.fund({ hub: 5n });
    const { payments } = await payer.ask("getPurchase", { params: { id: "a" } });
    expect(payments[0]!.receipt).to.include({ payee: payee.address, amount: "5" });
    expect(BigInt(payments[0]!.receipt!.payeeNonce)).to.equal((await payee.state()).nonce);
  });

  describe("H-7: an optimistic payment", () => {
    it("goes back to the payer's channel after a day, and not before", async () => {
      await payer.buy("a", payAs("PT_OPTIMISTIC", payee, 30n));
      await scene.pass(86_400 - 120);
      await sweep();
      expect(await statusOf("a")).to.equal("waiting");
      expect((await payer.balances()).user).to.equal(70n);
      await scene.pass(240);
      await sweep();
      expect(await statusOf("a")).to.equal("refunded");
      expect(await payer.balances()).to.deep.equal({ hub: 0n, user: 100n });
      await payer.level();
      await sweep();
      expect((await payer.balances()).user).to.equal(100n);
    });

    it("goes back at the time that its payer named", async () => {
      const expiresAt = BigInt(Math.floor(scene.clock.now() / 1000) + 60);
      await payer.buy("a", payAs("PT_OPTIMISTIC", payee, 30n, expiresAt));
      await scene.pass(61);
      await sweep();
      expect(await statusOf("a")).to.equal("refunded");
    });

    it("goes back though both are away and the hub was restarted", async () => {
      await payer.buy("a", payAs("PT_OPTIMISTIC", payee, 30n));
      await scene.restart();
      await scene.pass(86_401);
      await scene.world.hubServer.tick();
      expect(await statusOf("a")).to.equal("refunded");
    });

    it("waits while the hub cannot see the chain, and goes into the channel when it can", async () => {
      await payer.buy("a", payAs("PT_OPTIMISTIC", payee, 30n));
      scene.clock.movedMs += 86_401_000;
      await sweep().catch(() => undefined);
      expect(await statusOf("a")).to.equal("waiting");
      await scene.pass(1);
      await sweep();
      expect(await statusOf("a")).to.equal("refunded");
      expect(await payer.custodial()).to.equal(0n);
      expect((await payer.balances()).user).to.equal(100n);
    });

    it("that was forwarded never goes back", async () => {
      await payer.buy("a", payAs("PT_OPTIMISTIC", payee, 30n));
      await payee.fund({ hub: 30n });
      await scene.pass(2 * 86_400);
      await sweep();
      expect(await statusOf("a")).to.equal("forwarded");
      expect((await payer.balances()).user).to.equal(70n);
    });

    it("that went back is never forwarded", async () => {
      await payer.buy("a", payAs("PT_OPTIMISTIC", payee, 30n));
      await scene.pass(86_401);
      await sweep();
      await payee.fund({ hub: 30n });
      await scene.services.forwarding.forwardTo(payee.address);
      expect(await payee.balances()).to.deep.equal({ hub: 30n, user: 0n });
    });

    it("is forwarded or goes back, never both, when both happen at once", async () => {
      for (let i = 0; i < 5; i++) await payer.buy(`race-${i}`, payAs("PT_OPTIMISTIC", payee, 10n));
      await scene.pass(86_401);
      const { forwarding } = scene.services;
      const { world } = scene;
      await world.manager.connect(world.carol).deposit(payee.address, ZERO_ADDRESS, 50n, true, { value: 50n });
      await Promise.allSettled([
        ...[scene.services.chainSync.refresh(payee.address), forwarding.endExpired()],
        ...[forwarding.forwardTo(payee.address), forwarding.endExpired()],
      ]);
      await forwarding.endExpired();
      await forwarding.forwardTo(payee.address);
      const [back, paid] = [(await payer.balances()).user - 50n, (await payee.balances()).user];
      expect(back + paid).to.equal(50n);
      await Promise.all([payer.level(), payee.level()]); // and both channels go on
    });

    it("is refunded for every one of many, whatever becomes of one of them", async () => {
      const others = await Promise.all([1, 2].map(() => scene.funded({ user: 10n })));
      for (const other of others) await other.buy("a", payAs("PT_OPTIMISTIC", payee, 10n));
      await payer.buy("a", payAs("PT_OPTIMISTIC", payee, 10n));
      await scene.pass(86_401);
      await Promise.allSettled([sweep(), sweep()]);
      await sweep();
      for (const user of [payer, ...others]) {
        expect((await user.ask("getPurchase", { params: { id: "a" } })).payments[0]!.status).to.equal("refunded");
      }
    });
  });

  describe("H-17: what a refund could need is out of reach of", () => {
    const link = async (amount: bigint): Promise<void> => {
      await payer.buy("link", linkKey(scene).payment(amount));
    };
    const refunded = async (): Promise<void> => {
      await scene.pass(86_401);
      await sweep();
      expect(await statusOf("opt")).to.equal("refunded");
    };

    it("payments to the payer", async () => {
      const other = await scene.funded({ user: 100n });
      await payer.buy("opt", payAs("PT_OPTIMISTIC", payee, 30n));
      await link(10n);
      expect((await payer.balances()).hub).to.equal(40n);
      const { details } = await expectCoded(other.buy("p", pay(payer, 1n)), "InsufficientCollateral");
      expect(details).to.include({ available: 0n });
      await payer.fund({ hub: 5n });
      await expectCoded(other.buy("p", pay(payer, 6n)), "InsufficientCollateral");
      await other.buy("p", pay(payer, 5n));
      await refunded();
      expect(await payer.balances()).to.deep.equal({ hub: 10n, user: 95n });
    });

    it("reclaim with a withdrawal", async () => {
      await payer.fund({ hub: 50n });
      await payer.buy("opt", payAs("PT_OPTIMISTIC", payee, 30n));
      const assets = [{ asset: ZERO_ADDRESS, amount: "1" }];
      await payer.ask("requestWithdrawal", { ...payer.params, body: { recipient: ZERO_ADDRESS, assets } });
      const row = rowOf(await payer.state(), ZERO_ADDRESS);
      expect(row).to.include({ withdrawnHub: 50n, withdrawnUser: 1n, balanceHub: 30n, balanceUser: 69n });
    });

    it("an exchange on a quote that is older than the reservation", async () => {
      await payer.fund({ user: 1_000_000n, asset: scene.token });
      await payer.fund({ hub: 30n });
      const { quote } = await payer.ask("requestExchange", {
        ...payer.params,
        body: { sellAsset: scene.token, buyAsset: ZERO_ADDRESS, sellAmount: "60000" },
      });
      expect(quote.buyAmount).to.equal("30");
      const other = await scene.funded({ user: 100n });
      await other.buy("p", pay(payer, 30n));
      await payer.level();
      await payer.buy("opt", payAs("PT_OPTIMISTIC", payee, 30n));
      const parsed = {
        ...{ sellAsset: scene.token, buyAsset: ZERO_ADDRESS, quoteId: quote.quoteId as `0x${string}` },
        ...{ sellAmount: 60_000n, buyAmount: 30n, rate: BigInt(quote.rate), expiresAt: BigInt(quote.expiresAt) },
      };
      await expectCoded(
        payer.update(await payer.steps({ reason: "Exchange", args: parsed })),
        "AmountTooLargeForExchange",
      );
      const assets = [{ asset: ZERO_ADDRESS, amount: "30" }];
      const { sigHub: sigQuote } = { sigHub: scene.services.signer.signQuote({ user: payer.address, ...parsed }) };
      await expectCoded(
        payer.ask("requestWithdrawal", { ...payer.params, body: { recipient: ZERO_ADDRESS, assets, quote, sigQuote } }),
        "AmountTooLargeForExchange",
      );
      await refunded();
      expect(await payer.custodial()).to.equal(0n);
      expect(await payer.balances()).to.deep.equal({ hub: 0n, user: 130n });
    });

    it("custodial withdrawals into the payer's channel", async () => {
      const other = await scene.funded({ user: 100n });
      await other.buy("c", payAs("PT_CUSTODIAL", payer, 20n));
      await payer.buy("opt", payAs("PT_OPTIMISTIC", payee, 30n));
      const body = { id: "w", asset: ZERO_ADDRESS, amount: "20", to: "channel" } as const;
      await expectCoded(payer.ask("createCustodialWithdrawal", { body }), "InsufficientCollateral");
      await refunded();
    });
  });

  it("H-17: refunds custodially when the session that was paid in is gone, once", async () => {
    const link = linkKey(scene);
    await payer.buy("link", link.payment(30n));
    await leave(payer);
    await payer.fund({ hub: 100n }); // it is not there for what was owed in the last session
    await scene.pass(30 * 86_400);
    const cancel = () => payer.ask("cancelLink", { params: { address: link.address } });
    await Promise.all([cancel(), cancel()]);
    expect(await statusOf("link")).to.equal("refunded");
    expect(await payer.custodial()).to.equal(30n);
    expect(await payer.balances()).to.deep.equal({ hub: 100n, user: 0n });
  });

  it("refunds custodially while the payer's channel is exiting", async () => {
    const expiresAt = BigInt(Math.floor(scene.clock.now() / 1000) + 60);
    await payer.buy("opt", payAs("PT_OPTIMISTIC", payee, 30n, expiresAt));
    const signed = await payer.signed();
    await (await payer.onChain()).startExit(...signed);
    await scene.pass(61);
    await sweep();
    expect(await payer.custodial()).to.equal(30n);
  });
});
