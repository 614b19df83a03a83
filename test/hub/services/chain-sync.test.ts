import { expect } from "chai";
import { mine, time } from "@nomicfoundation/hardhat-network-helpers";
import { ethers } from "hardhat";
import { next, parseUpdate, rowOf, unsignedState, ZERO_ADDRESS } from "../../../protocol";
import { expectCoded } from "../../support/expect-coded";
import { until } from "../../support/hub";
import { hubScene, linkKey, onFork, pay, payAs, type HubScene, type HubUser } from "../../support/hub-scene";
import { PERIOD, type SignedState } from "../../support/world";

const CONFIRMATIONS = 3;

describe("ChainSync", () => {
  let scene: HubScene;
  let user: HubUser;
  let payer: HubUser;
  before(async () => {
    scene = await hubScene({ config: { confirmations: CONFIRMATIONS } });
  });
  after(() => scene.close());
  beforeEach(async () => {
    user = await scene.funded({ user: 100n, hub: 50n });
    payer = await scene.funded({ user: 100n, hub: 50n });
  });

  const channelOf = (who: HubUser) => scene.services.channels.load(who.address);
  const transactionsOf = async (who: HubUser, kind: string) => {
    const rows = await scene.services.store.transactions.list(500);
    return rows.filter(({ id }) => id.startsWith(`${kind}:${who.address}`));
  };
  const deposit = async (who: HubUser, amount: bigint, forHub = false): Promise<void> => {
    const { manager, carol } = scene.world;
    await manager.connect(carol).deposit(who.address, ZERO_ADDRESS, amount, forHub, { value: amount });
  };
  const startExit = async (who: HubUser, signed?: SignedState): Promise<void> => {
    const given = signed ?? (await who.signed());
    await (await who.onChain()).startExit(...given);
  };
  const seesExit = (who: HubUser) =>
    until("the exit to be seen", async () => (await channelOf(who)).exit !== undefined);
  const settles = async (who: HubUser, session = 1n): Promise<void> => {
    await scene.pass(Number(PERIOD) + 1);
    await scene.services.disputes.settleDue();
    await until("the next session", async () => {
      await mine();
      return (await channelOf(who)).session === session;
    });
  };
  const watcherIsLevel = () =>
    until("the watcher to be level", async () => {
      const { chain } = scene.services.store;
      const newest = await chain.newestBlock();
      return newest?.number === (await ethers.provider.getBlockNumber()) && (await chain.open(1)).length === 0;
    });
  const exitNonce = async (who: HubUser): Promise<bigint> => {
    const view = await scene.world.manager.channelOf(who.address);
    return view.exitNonce;
  };

  describe("credits a deposit", () => {
    it("once it is as deep as configured, and not before", async () => {
      await deposit(user, 7n);
      await scene.services.chainSync.refresh(user.address);
      expect((await user.balances()).user).to.equal(100n);
      await mine(CONFIRMATIONS - 1);
      await until("the credit", async () => (await user.balances()).user === 107n);
    });

    it("exactly once, though its events are told again and again, also after a restart", async () => {
      const height = await ethers.provider.getBlockNumber();
      await deposit(user, 7n);
      await mine(CONFIRMATIONS);
      await until("the credit", async () => (await user.balances()).user === 107n);
      await user.level();
      await scene.world.hubServer.watcher.replayFrom(height);
      await Promise.all([1, 2, 3].map(() => scene.services.chainSync.refresh(user.address)));
      await scene.restart();
      await scene.services.chainSync.refresh(user.address);
      expect((await user.balances()).user).to.equal(107n);
      expect((await channelOf(user)).pending).to.deep.equal([]);
    });

    it("exactly once, when a reorganisation moves it into another block", async () => {
      await onFork(async () => {
        await deposit(user, 7n);
        await mine(1);
        await until("it to be seen", () => scene.services.headNumber() > 0);
      });
      await deposit(user, 7n);
      await mine(CONFIRMATIONS + 2);
      await until("the credit", async () => (await user.balances()).user === 107n);
      await scene.services.chainSync.refresh(user.address);
      await user.level();
      expect((await user.balances()).user).to.equal(107n);
    });

    it("never, when a reorganisation takes it away before it was deep enough", async () => {
      await onFork(async () => {
        await deposit(user, 7n);
        const head = await ethers.provider.getBlockNumber();
        await until("it to be seen", () => scene.services.headNumber() >= head);
      });
      await mine(CONFIRMATIONS + 3);
      await scene.services.chainSync.refresh(user.address);
      expect((await user.balances()).user).to.equal(100n);
    });

    it("and freezes the channel when it vanishes after that, tells the operator, and goes on once it is there again", async () => {
      const payee = await scene.funded({ hub: 200n });
      await onFork(async () => {
        await deposit(user, 7n);
        await mine(CONFIRMATIONS);
        await until("the credit", async () => (await user.balances()).user === 107n);
        await user.level();
        await watcherIsLevel();
      });
      const before = (await scene.incidents()).filter((kind) => kind === "incident:deep-reorganisation").length;
      await mine(CONFIRMATIONS + 4);
      await until("the operator to hear of it", async () => {
        const kinds = (await scene.incidents()).filter((kind) => kind === "incident:deep-reorganisation");
        return kinds.length === before + 1;
      });
      await expectCoded(user.buy("p", pay(payee, 1n)), "NotBacked");
      await deposit(user, 7n);
      await mine(CONFIRMATIONS);
      await scene.services.chainSync.refresh(user.address);
      await user.buy("p", pay(payee, 1n));
      expect((await user.balances()).user).to.equal(106n);
    });

    it("not while the operator has paused deposits, and all of it afterwards", async () => {
      await scene.services.setDepositsPaused(true, () => undefined);
      await expectCoded(user.ask("requestDeposit", { ...user.params, body: { depositWei: "1" } }), "DepositsPaused");
      await deposit(user, 7n);
      await mine(CONFIRMATIONS);
      await scene.services.chainSync.refresh(user.address);
      expect((await user.balances()).user).to.equal(100n);
      await scene.services.setDepositsPaused(false, () => undefined);
      await scene.services.chainSync.refresh(user.address);
      expect((await user.balances()).user).to.equal(107n);
    });
  });

  describe("H-10: an exit", () => {
    it("with an older state is answered with the newest, and nothing is lost", async () => {
      const old = await user.signed();
      await user.buy("p", pay(payer, 40n));
      await startExit(user, old);
      const { nonce } = (await channelOf(user)).doubleSigned!.state;
      await until("the challenge", async () => (await exitNonce(user)) === nonce);
      expect(await transactionsOf(user, "challenge")).to.have.length(1);
      await settles(user);
      expect(await user.custodial()).to.equal(0n);
    });

    it("with nothing signed is answered with what both have signed", async () => {
      await user.buy("p", pay(payer, 40n)); // otherwise nobody would lose by it
      const rows = [...(await channelOf(user)).ledgers.keys()];
      const zero = unsignedState(user.address, 0n, rows);
      await startExit(user, [{ ...zero, assets: zero.assets.map((row) => ({ ...row })) }, "0x", "0x"]);
      const { nonce } = (await channelOf(user)).doubleSigned!.state;
      await until("the challenge", async () => (await exitNonce(user)) === nonce);
    });

    it("with the newest state makes the hub send nothing at all before it can be settled", async () => {
      const before = (await scene.services.store.transactions.list(500)).length;
      await startExit(user);
      await seesExit(user);
      await mine(CONFIRMATIONS + 2);
      await watcherIsLevel();
      await scene.services.disputes.settleDue();
      await scene.world.hubServer.tick();
      expect(await scene.services.store.transactions.list(500)).to.have.length(before);
    });

    it("that somebody else has answered with the newest makes the hub send nothing more", async () => {
      const old = await user.signed();
      await user.buy("p", pay(payer, 40n));
      const newest = await user.signed();
      await ethers.provider.send("evm_setAutomine", [false]);
      try {
        await startExit(user, old);
        await scene.world.manager.connect(scene.world.carol).challenge(...newest);
        await mine();
      } finally {
        await ethers.provider.send("evm_setAutomine", [true]);
      }
      await seesExit(user);
      await mine(CONFIRMATIONS);
      await watcherIsLevel();
      expect(await transactionsOf(user, "challenge")).to.deep.equal([]);
    });

    it("with an update of the hub that its user signed without saying so is no older one", async () => {
      await payer.buy("p", pay(user, 10n));
      const { doubleSigned, updates } = await user.sync();
      const update = parseUpdate(updates.at(-1)!);
      const base = (await channelOf(user)).doubleSigned!.state;
      expect(doubleSigned?.state.nonce).to.equal(base.nonce.toString());
      const state = next(base, update);
      const given = { ...state, assets: state.assets.map((row) => ({ ...row })) };
      await startExit(user, [given, update.sigHub!, user.sign(state)]);
      await seesExit(user);
      expect(await transactionsOf(user, "challenge")).to.deep.equal([]);
      await until("it to be adopted", async () => (await channelOf(user)).doubleSigned!.state.nonce === update.nonce);
      await watcherIsLevel();
      expect(await transactionsOf(user, "challenge")).to.deep.equal([]);
      await settles(user);
      expect(await user.custodial()).to.equal(0n); // it took its 10 with the exit
    });

    it("is answered once, however often it is seen, also after a restart", async () => {
      const [old, height] = [await user.signed(), await ethers.provider.getBlockNumber()];
      await user.buy("p", pay(payer, 40n));
      await startExit(user, old);
      await until("the challenge", async () => (await transactionsOf(user, "challenge")).length === 1);
      await scene.restart();
      await scene.world.hubServer.watcher.replayFrom(height);
      await mine(CONFIRMATIONS);
      expect(await transactionsOf(user, "challenge")).to.have.length(1);
    });

    it("that came while the hub was down is answered when it is back", async () => {
      const old = await user.signed();
      await user.buy("p", pay(payer, 40n));
      const { nonce } = (await channelOf(user)).doubleSigned!.state;
      const restart = scene.restart();
      await startExit(user, old);
      await restart;
      await until("the challenge", async () => (await exitNonce(user)) === nonce);
    });
  });

  describe("H-20: from the first sight of an exit on, at head,", () => {
    let other: HubUser;
    beforeEach(async () => {
      other = await scene.funded({ user: 100n, hub: 50n });
      const height = await ethers.provider.getBlockNumber();
      await startExit(user);
      await seesExit(user);
      expect((await ethers.provider.getBlockNumber()) - height).to.be.lessThan(CONFIRMATIONS);
    });

    it("nothing is signed in that channel: payments from and to it, withdrawals, exchanges, deposits", async () => {
      const before = await user.state();
      await expectCoded(user.buy("p", pay(other, 1n)), "ChannelIsExiting");
      await expectCoded(other.buy("p", pay(user, 1n)), "ChannelIsExiting");
      const assets = [{ asset: ZERO_ADDRESS, amount: "1" }];
      const body = { recipient: ZERO_ADDRESS, assets };
      await expectCoded(user.ask("requestWithdrawal", { ...user.params, body }), "ChannelIsExiting");
      const empty = { recipient: "hub", asset: ZERO_ADDRESS, amount: 0n, payments: [] } as const;
      await expectCoded(user.update(await user.steps({ reason: "Payment", args: empty })), "ChannelIsExiting");
      await deposit(user, 7n);
      await mine(CONFIRMATIONS);
      await scene.services.chainSync.refresh(user.address);
      expect(await user.state()).to.deep.equal(before);
      expect((await other.balances()).user).to.equal(100n);
    });

    it("what may wait waits, custodial payments arrive, and links are kept for their redeemer", async () => {
      const { payments } = await other.buy("p", payAs("PT_OPTIMISTIC", user, 5n), payAs("PT_CUSTODIAL", user, 6n));
      expect(payments.map(({ status }) => status)).to.deep.equal(["waiting", "custodial"]);
      const link = linkKey(scene);
      await other.buy("l", link.payment(4n));
      const redemption = { link: link.address, redeemer: user.address, sigLink: link.signFor(user) };
      const { payment } = await user.ask("redeemLink", { body: redemption });
      expect(payment.status).to.equal("waiting");
    });

    it("others go on", async () => {
      await other.buy("p", pay(payer, 1n));
      expect((await payer.balances()).user).to.equal(101n);
    });

    it("everybody is told that the channel is exiting", async () => {
      expect(await other.ask("getChannel", user.params)).to.include({ isExiting: true });
    });
  });

  it("H-20: signs again when a reorganisation takes an exit away", async () => {
    await onFork(async () => {
      await startExit(user);
      await seesExit(user);
    });
    await mine(CONFIRMATIONS + 3);
    await until("the exit to be forgotten", async () => (await channelOf(user)).exit === undefined);
    await user.buy("p", pay(payer, 1n));
  });

  it("H-20: signs nothing while its newest block is old, and goes on with the next one", async () => {
    scene.clock.movedMs = ((await time.latest()) + 602) * 1000 - Date.now();
    const { details } = await expectCoded(user.buy("p", pay(payer, 1n)), "ViewTooOld");
    expect(details).to.deep.include({ limitSeconds: 600 });
    await expectCoded(payer.buy("p", payAs("PT_CUSTODIAL", user, 1n)), "ViewTooOld");
    const body = { recipient: ZERO_ADDRESS, assets: [{ asset: ZERO_ADDRESS, amount: "1" }] };
    await expectCoded(user.ask("requestWithdrawal", { ...user.params, body }), "ViewTooOld");
    const empty = { recipient: "hub", asset: ZERO_ADDRESS, amount: 0n, payments: [] } as const;
    await expectCoded(user.update(await user.steps({ reason: "Payment", args: empty })), "ViewTooOld");
    await scene.pass(1);
    await user.buy("p", pay(payer, 1n));
    expect((await user.balances()).user).to.equal(99n);
  });

  describe("begins the next session after a settlement", () => {
    it("with what the user had not countersigned in its custodial balance, once", async () => {
      const height = await ethers.provider.getBlockNumber();
      await payer.buy("p", pay(user, 10n));
      await payer.buy("q", pay(user, 7n));
      await startExit(user);
      await seesExit(user);
      await settles(user);
      expect(await user.custodial()).to.equal(17n);
      expect(await user.balances()).to.deep.equal({ hub: 0n, user: 0n });
      await scene.world.hubServer.watcher.replayFrom(height);
      await scene.restart();
      await scene.services.chainSync.refresh(user.address);
      expect(await user.custodial()).to.equal(17n);
    });

    it("and nothing where both had signed everything", async () => {
      await payer.buy("p", pay(user, 10n));
      await user.level();
      await startExit(user);
      await settles(user);
      expect(await user.custodial()).to.equal(0n);
    });

    it("by settling it itself once the window has passed, whoever started it", async () => {
      await startExit(user);
      await seesExit(user);
      const before = await ethers.provider.getBalance(user.address);
      await settles(user);
      expect(await transactionsOf(user, "settle")).to.have.length(1);
      expect(await ethers.provider.getBalance(user.address)).to.equal(before + 100n);
    });

    it("in which deposits, payments and nonces go on", async () => {
      const { nonce } = await user.state();
      await startExit(user);
      await settles(user);
      await user.fund({ user: 30n, hub: 20n });
      await user.buy("again", pay(payer, 5n));
      await payer.buy("back", pay(user, 6n));
      await user.level();
      expect(await user.balances()).to.deep.equal({ hub: 19n, user: 31n });
      expect((await user.state()).session).to.equal(1n);
      expect((await user.state()).nonce > nonce).to.equal(true);
      expect(rowOf(await user.state(), ZERO_ADDRESS).depositedUser).to.equal(30n);
    });

    it("and takes nothing that was signed in the last one", async () => {
      const [step] = await user.steps({
        reason: "Payment",
        args: { recipient: "hub", asset: ZERO_ADDRESS, amount: 0n, payments: [] },
      });
      await startExit(user);
      await settles(user);
      await expectCoded(user.update([step!]), "OutOfSync");
    });

    it("only when the settlement is deep enough: until then nothing is signed", async () => {
      await startExit(user);
      await seesExit(user);
      await time.increase(Number(PERIOD) + 1);
      scene.clock.movedMs += (Number(PERIOD) + 1) * 1000;
      const signed = await user.signed();
      await scene.world.manager.connect(scene.world.carol).settle(...signed);
      await scene.services.chainSync.refresh(user.address);
      const { session, exit } = await channelOf(user);
      if (session === 0n) expect(exit).to.not.equal(undefined);
      await mine(CONFIRMATIONS);
      await until("the next session", async () => (await channelOf(user)).session === 1n);
      expect((await channelOf(user)).exit).to.equal(undefined);
    });
  });
});
