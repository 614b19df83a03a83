import { expect } from "chai";
import { mine, time } from "@nomicfoundation/hardhat-network-helpers";
import { unsignedState, ZERO_ADDRESS } from "../../../protocol";
import { until } from "../../support/hub";
import { exitIsSeen, hubHolds, sentBy, startExit, toldTo, windowPasses } from "../../support/hub-disputes";
import { hubScene, pay, type HubScene, type HubUser } from "../../support/hub-scene";
import type { SignedState } from "../../support/world";

const ETHER = 10n ** 18n;

describe("Disputes", () => {
  let scene: HubScene;
  let user: HubUser;
  let other: HubUser;
  before(async () => {
    scene = await hubScene({ config: { disputeWorthPercent: 100 } });
  });
  after(() => scene.close());
  beforeEach(async () => {
    user = await scene.funded({ user: 5n * ETHER, hub: 5n * ETHER });
    other = await scene.funded({ user: 5n * ETHER, hub: 5n * ETHER });
  });

  const challenges = (who: HubUser) => sentBy(scene, "challenge", who.address);
  const unsigned = (who: HubUser, assets: readonly (typeof ZERO_ADDRESS)[]): SignedState => {
    const zero = unsignedState(who.address, 0n, assets);
    return [{ ...zero, assets: zero.assets.map((row) => ({ ...row })) }, "0x", "0x"];
  };
  /** By the hub's key, as somebody would who has it and older states. */
  const exitByHub = async (signed: SignedState): Promise<void> => {
    await scene.world.manager.connect(scene.world.hub).startExit(...signed);
  };
  const paidOut = async (who: HubUser) => {
    const booked = () => scene.services.store.endedSessions.payouts(who.address, 9);
    await until("the books", async () => (await booked()).length > 0);
    return (await booked())[0];
  };
  const isSeen = (who: HubUser) => exitIsSeen(scene, who);

  describe("an exit with an older state", () => {
    it("is answered where the hub would lose more than the gas", async () => {
      const old = await user.signed();
      await user.buy("p", pay(other, ETHER));
      await startExit(user, old);
      await until("the answer", async () => (await challenges(user)).length === 1);
    });

    it("B-9: is not where it would lose less, and is settled as it stands", async () => {
      const old = await user.signed();
      await user.buy("p", pay(other, 40n));
      await startExit(user, old);
      await isSeen(user);
      await scene.services.disputes.answerRunning();
      expect(await challenges(user)).to.deep.equal([]);
      await windowPasses(scene, user);
      expect(await paidOut(user)).to.deep.include({ kind: "settled", amountUser: 5n * ETHER, amountHub: 5n * ETHER });
    });

    it("B-9: is not where nobody would lose anything, though it is older", async () => {
      await startExit(user, unsigned(user, [ZERO_ADDRESS]));
      await isSeen(user);
      await scene.services.disputes.answerRunning();
      expect(await challenges(user)).to.deep.equal([]);
    });

    it("is answered for the user's sake however little that would lose", async () => {
      const old = await user.signed();
      await other.buy("p", pay(user, 5n));
      await user.level();
      await exitByHub(old);
      await until("the answer", async () => (await challenges(user)).length === 1);
    });

    it("is weighed again while it runs, with what the hub holds by then", async () => {
      const old = await user.signed();
      await user.buy("p", pay(other, 40n));
      await startExit(user, old);
      await isSeen(user);
      expect(await challenges(user)).to.deep.equal([]);
      const { store, gasPrice } = scene.services;
      const usual = gasPrice.current.bind(gasPrice);
      gasPrice.current = () => ({ ...usual(), maxFeePerGas: 0n, maxPriorityFeePerGas: 0n });
      try {
        await scene.services.disputes.answerRunning();
      } finally {
        gasPrice.current = usual;
      }
      expect(await store.transactions.find((await challenges(user))[0]?.id ?? "")).to.deep.include({ kind: "dispute" });
    });
  });

  it("an exit is told to its user at once, and so is every answer and the settlement", async () => {
    const old = await user.signed();
    await user.buy("p", pay(other, ETHER));
    await startExit(user, old);
    await until("the answer", async () => {
      const [told] = (await toldTo(scene, user)).slice(-1);
      return told?.kind === "dispute" && told.event === "ExitChallenged";
    });
    await windowPasses(scene, user);
    const events = (await toldTo(scene, user)).filter(({ kind }) => kind === "dispute");
    expect(events.map((event) => ("event" in event ? event.event : ""))).to.deep.equal([
      "ExitStarted",
      "ExitChallenged",
      "Settled",
    ]);
  });

  it("a settlement that neither side would pay for waits for whoever does", async () => {
    const dust = await scene.funded({ user: 5n, hub: 5n });
    await startExit(dust);
    await isSeen(dust);
    await scene.pass(86_401);
    await scene.services.disputes.settleDue();
    expect(await sentBy(scene, "settle", dust.address)).to.deep.equal([]);
  });

  describe("what a settlement did not name", () => {
    it("is reclaimed where the hub's part is worth the gas, and all of it is booked", async function () {
      this.timeout(120_000); // blocks are mined faster than a loaded machine reads them
      const { manager, carol } = scene.world;
      const poor = await scene.funded({ hub: 7n, user: ETHER, asset: scene.token });
      await poor.fund({ user: ETHER, hub: ETHER });
      await startExit(poor, unsigned(poor, [ZERO_ADDRESS]));
      await isSeen(poor);
      const reserve = await manager.reserveOf(ZERO_ADDRESS);
      await time.increase(86_401); // by the hub's clock the window has not passed: somebody else is first
      await manager.connect(carol).settle(...unsigned(poor, []));
      await scene.pass(1);
      await until(
        "the reclaim",
        async () => {
          await mine();
          return (await manager.reserveOf(ZERO_ADDRESS)) === reserve + ETHER;
        },
        100_000,
      );
      await until("it to be booked", async () => {
        const [booked] = await scene.services.store.endedSessions.payouts(poor.address, 10);
        return booked?.kind === "reclaimed" && booked.amountHub === ETHER && booked.amountUser === ETHER;
      });
      expect((await sentBy(scene, "reclaim", poor.address)).map(({ id }) => id)).to.deep.equal([
        `reclaim:${poor.address}:0:${ZERO_ADDRESS}`,
      ]);
    });
  });

  it("books what each settlement paid, once", async () => {
    const before = await hubHolds(scene, [user]);
    await user.buy("p", pay(other, ETHER));
    await startExit(user);
    await windowPasses(scene, user);
    expect(await paidOut(user)).to.deep.include({ kind: "settled", amountUser: 4n * ETHER, amountHub: 6n * ETHER });
    expect(await hubHolds(scene, [user])).to.equal(before + ETHER);
  });
});
