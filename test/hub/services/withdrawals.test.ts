import { expect } from "chai";
import { ethers } from "hardhat";
import { rowOf, ZERO_ADDRESS, type Address, type InputOf, type WireSync } from "../../../protocol";
import { expectCoded } from "../../support/expect-coded";
import { until } from "../../support/hub";
import { hubScene, pay, type HubScene, type HubUser } from "../../support/hub-scene";

type Body = InputOf<"requestWithdrawal">["body"];

describe("Withdrawals", () => {
  let scene: HubScene;
  let user: HubUser;
  let target: Address;
  before(async () => {
    scene = await hubScene();
  });
  after(() => scene.close());
  beforeEach(async () => {
    user = await scene.funded({ user: 100n });
    target = ethers.Wallet.createRandom().address.toLowerCase() as Address;
  });

  const ask = (amount: bigint, overrides: Partial<Body> = {}): Promise<WireSync> => {
    const assets = [{ asset: ZERO_ADDRESS, amount: amount.toString() }];
    return user.ask("requestWithdrawal", { ...user.params, body: { recipient: target, assets, ...overrides } });
  };
  const executed = (asset: Address, side: "withdrawnUser" | "withdrawnHub", amount: bigint): Promise<void> =>
    until("its execution", async () => {
      const { ledgers } = await scene.services.channels.load(user.address);
      return ledgers.get(asset)?.[side] === amount;
    });
  const transactions = async () =>
    (await scene.services.store.transactions.list(200)).filter(({ id }) => id.startsWith(`withdraw:${user.address}`));

  it("is signed by the hub first, and executed on chain once its user has signed it", async () => {
    const { updates } = await ask(40n);
    expect(updates.at(-1)).to.deep.include({ reason: "Withdrawal" });
    expect(updates.at(-1)!.args).to.deep.equal({
      recipient: target,
      assets: [{ asset: ZERO_ADDRESS, user: "40", hub: "0" }],
    });
    expect(await transactions()).to.deep.equal([]);
    await user.level();
    await executed(ZERO_ADDRESS, "withdrawnUser", 40n);
    expect(await ethers.provider.getBalance(target)).to.equal(40n);
    expect(await transactions()).to.have.length(1);
    expect(await user.balances()).to.deep.equal({ hub: 0n, user: 60n });
  });

  it("is executed too when its user signs something on top of it", async () => {
    await ask(40n);
    const empty = { recipient: "hub", asset: ZERO_ADDRESS, amount: 0n, payments: [] } as const;
    await user.update(await user.steps({ reason: "Payment", args: empty }));
    await executed(ZERO_ADDRESS, "withdrawnUser", 40n);
    expect(await ethers.provider.getBalance(target)).to.equal(40n);
  });

  it("takes the hub's excess back to the reserve for nothing, and keeps what the user is worth", async () => {
    const before = await scene.services.reserveOf(ZERO_ADDRESS);
    await user.fund({ hub: 70n });
    const payer = await scene.funded({ user: 50n });
    await payer.buy("p", pay(user, 20n));
    await user.level();
    await ask(10n);
    expect(rowOf(await user.state(), ZERO_ADDRESS)).to.include({
      withdrawnUser: 10n,
      withdrawnHub: 30n,
      balanceHub: 20n,
    });
    await user.level();
    await executed(ZERO_ADDRESS, "withdrawnHub", 30n);
    expect(await scene.services.reserveOf(ZERO_ADDRESS)).to.equal(before + 30n);
  });

  it("of nothing asks for just that", async () => {
    await user.fund({ hub: 70n });
    await ask(0n, { assets: [] });
    await user.level();
    await executed(ZERO_ADDRESS, "withdrawnHub", 70n);
    expect(await user.balances()).to.deep.equal({ hub: 0n, user: 100n });
    await expectCoded(ask(0n, { assets: [] }), "NothingMoves");
  });

  it("of another asset takes the excess of every asset", async () => {
    await user.fund({ hub: 70n, asset: scene.token });
    await ask(1n);
    expect(rowOf(await user.state(), scene.token).withdrawnHub).to.equal(70n);
  });

  describe("one that is on its way", () => {
    it("is answered again, unchanged, until it is countersigned", async () => {
      const first = await ask(40n);
      expect((await ask(40n)).updates).to.deep.equal(first.updates);
      expect((await ask(10n)).updates).to.deep.equal(first.updates);
      await user.level();
      await executed(ZERO_ADDRESS, "withdrawnUser", 40n);
    });

    it("blocks a second one until the chain has executed it", async () => {
      await ethers.provider.send("evm_setAutomine", [false]);
      try {
        await ask(40n);
        await user.level();
        await expectCoded(ask(10n), "WithdrawalPending");
        expect((await user.balances()).user).to.equal(60n);
      } finally {
        await ethers.provider.send("evm_setAutomine", [true]);
        await ethers.provider.send("evm_mine", []);
      }
      await executed(ZERO_ADDRESS, "withdrawnUser", 40n);
      await ask(10n);
      await user.level();
      await executed(ZERO_ADDRESS, "withdrawnUser", 50n);
      expect(await ethers.provider.getBalance(target)).to.equal(50n);
    });

    it("blocks no payment", async () => {
      await ask(40n);
      await user.level();
      const payee = await scene.funded({ hub: 50n });
      await user.buy("p", pay(payee, 30n));
      expect((await payee.balances()).user).to.equal(30n);
      await executed(ZERO_ADDRESS, "withdrawnUser", 40n);
      expect(await ethers.provider.getBalance(target)).to.equal(40n);
    });
  });

  it("exchanges first, in the same step, on a quote that is used up by it", async () => {
    await user.fund({ hub: 10_000n, user: 60_000n, asset: scene.token });
    await user.fund({ hub: 50n });
    const { quote, sigHub: sigQuote } = await user.ask("requestExchange", {
      ...user.params,
      body: { sellAsset: scene.token, buyAsset: ZERO_ADDRESS, sellAmount: "60000" },
    });
    await expectCoded(ask(130n, { quote, sigQuote: user.sign(await user.state()) }), "QuoteUnknown");
    await expectCoded(ask(131n, { quote, sigQuote }), "BalanceTooLow");
    await ask(130n, { quote, sigQuote });
    const state = await user.state();
    expect(rowOf(state, ZERO_ADDRESS)).to.include({ balanceUser: 0n, withdrawnUser: 130n, withdrawnHub: 20n });
    expect(rowOf(state, scene.token)).to.include({ balanceUser: 0n, withdrawnUser: 0n });
    await user.level();
    await executed(ZERO_ADDRESS, "withdrawnUser", 130n);
    expect(await ethers.provider.getBalance(target)).to.equal(130n);
    await user.fund({ user: 1_000n });
    await expectCoded(ask(1n, { quote, sigQuote }), "QuoteUnknown");
  });

  it("goes to the user itself where it names nobody, or itself", async () => {
    for (const recipient of [ZERO_ADDRESS, user.address]) {
      const before = await ethers.provider.getBalance(user.address);
      await ask(10n, { recipient });
      await user.level();
      await until("it", async () => (await ethers.provider.getBalance(user.address)) === before + 10n);
      await scene.services.chainSync.refresh(user.address);
    }
  });

  it("is refused by name for more than there is, for unknown assets, and for the contract as its recipient", async () => {
    await expectCoded(ask(101n), "BalanceTooLow");
    await expectCoded(ask(1n, { assets: [{ asset: target, amount: "1" }] }), "AssetUnknown");
    await expectCoded(ask(1n, { recipient: scene.services.config.channelManager }), "InvalidRecipient");
    expect((await user.sync()).updates).to.deep.equal([]);
  });

  it("accepts waiting payments with it", async () => {
    await user.fund({ hub: 50n });
    const payer = await scene.funded({ user: 50n });
    await payer.buy("p", pay(user, 50n));
    await ask(150n);
    await user.level();
    await executed(ZERO_ADDRESS, "withdrawnUser", 150n);
    expect(await ethers.provider.getBalance(target)).to.equal(150n);
  });
});
