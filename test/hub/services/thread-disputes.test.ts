import { expect } from "chai";
import { mine, time } from "@nomicfoundation/hardhat-network-helpers";
import {
  bytesToHex,
  formatSignedThreadUpdate,
  formatThreadResolution,
  hashAppState,
  hashlockOf,
  parseAddress,
  ZERO_HASH,
  type Address,
  type Thread,
} from "../../../protocol";
import type { ThreadRow } from "../../../hub/store/thread-store";
import { until } from "../../support/hub";
import {
  exitIsSeen,
  hubHolds,
  sentBy,
  startExit,
  toldTo,
  watcherIsLevel,
  windowPasses,
} from "../../support/hub-disputes";
import { hubScene, type HubScene, type HubUser } from "../../support/hub-scene";
import { paymentNote, termsOf, ThreadOfUsers } from "../../support/hub-threads";
import { freshWorld, PERIOD } from "../../support/world";

describe("ThreadDisputes", () => {
  let scene: HubScene;
  let alice: HubUser;
  let bob: HubUser;
  let hashlock: Address;
  let atFirst: bigint;

  before(async () => {
    hashlock = parseAddress(await (await freshWorld()).hashlock.getAddress());
    scene = await hubScene({ config: { apps: { hashlock } } });
  });
  after(() => scene.close());
  beforeEach(async () => {
    alice = await scene.funded({ user: 1_000n, hub: 1_000n });
    bob = await scene.funded({ user: 1_000n, hub: 1_000n });
    atFirst = await hubHolds(scene, [alice, bob]);
  });

  const between = (overrides: Partial<Thread> = {}): ThreadOfUsers =>
    new ThreadOfUsers(scene, alice, bob, termsOf(scene, alice, bob, overrides));
  const rowOf = async ({ hash }: ThreadOfUsers): Promise<ThreadRow> => {
    const row = await scene.services.store.threads.load(hash);
    if (row === undefined) throw new Error("the hub does not know the thread");
    return row;
  };
  const recordOf = ({ hash }: ThreadOfUsers) => scene.world.manager.recordOf(hash);
  const signedOf = (of: ThreadOfUsers) => ({
    thread: of.thread,
    sigSender: of.signBy(of.sender, of.hash),
    sigReceiver: of.signBy(of.receiver, of.hash),
  });
  const challenge = async (of: ThreadOfUsers): Promise<void> => {
    await scene.world.manager.connect(scene.world.carol).challengeThread(signedOf(of));
  };
  const pays = async (of: ThreadOfUsers, amount: bigint): Promise<void> => {
    await alice.ask("showThreadEvidence", { ...of.params, body: paymentNote(of.payment(amount)) });
  };
  const stands = (of: ThreadOfUsers, balance: bigint) =>
    until(`the record to stand at ${balance}`, async () => {
      const { deadline, balanceReceiver } = await recordOf(of);
      return deadline > 0n && balanceReceiver === balance;
    });
  /** Until the record is final and both legs are paid, closed or offered. */
  const decided = async (of: ThreadOfUsers): Promise<void> => {
    const { deadline } = await recordOf(of);
    const leftSeconds = Number(deadline) - (await time.latest());
    await scene.pass(Math.max(leftSeconds, 0) + 1);
    await scene.services.threadDisputes.look(of.hash);
    await mine();
  };
  const legs = async (of: ThreadOfUsers) => {
    const { senderLeg, receiverLeg } = await rowOf(of);
    return [senderLeg, receiverLeg];
  };
  const legsBecome = (of: ThreadOfUsers, ...expected: readonly string[]) =>
    until(`the legs to be ${expected.join()}`, async () => {
      await mine();
      return (await legs(of)).join() === expected.join();
    });
  const postings = (of: ThreadOfUsers) => sentBy(scene, "thread", of.hash);

  describe("A-8: tells", () => {
    it("the receiver at once when the sender's channel exits, so that it closes while it can", async () => {
      const thread = await between().open();
      await startExit(alice);
      await until("bob to be told", async () => {
        const told = (await toldTo(scene, bob)).at(-1);
        return told?.kind === "thread" && told.wants === "close";
      });
      await thread.closeBy(bob, 40n, paymentNote(thread.payment(40n)));
      expect((await bob.balances()).user).to.equal(1_040n);
    });

    it("both parties at once when anybody shows the thread to the contract, and of each change", async () => {
      const thread = await between().open();
      await challenge(thread);
      const standing = async (user: HubUser): Promise<string | undefined> => {
        const told = (await toldTo(scene, user)).at(-1);
        return told?.kind === "thread" ? told.thread.record?.balanceReceiver : undefined;
      };
      for (const user of [alice, bob]) await until("it to be told", async () => (await standing(user)) === "0");
      const payment = thread.payment(30n);
      await scene.world.manager
        .connect(scene.world.carol)
        .challengeThreadWithPayment(signedOf(thread), 30n, payment.sigSender);
      for (const user of [alice, bob]) await until("it to be told", async () => (await standing(user)) === "30");
    });
  });

  describe("shows its evidence", () => {
    it("N-6: of what it paid the receiver, when the sender shows the terms alone; its net is zero", async () => {
      const thread = await between().open();
      await thread.closeBy(bob, 40n, paymentNote(thread.payment(40n))); // and alice does not countersign
      await challenge(thread);
      await stands(thread, 40n);
      await decided(thread);
      await alice.level();
      expect(await legs(thread)).to.deep.equal(["closed", "closed"]);
      expect([(await alice.balances()).user, (await bob.balances()).user]).to.deep.equal([960n, 1_040n]);
      expect(await hubHolds(scene, [alice, bob])).to.equal(atFirst);
    });

    it("N-6: of what it paid the receiver, when the sender leaves with the thread still in its state", async () => {
      const thread = await between().open();
      const open = await alice.signed();
      await thread.closeBy(bob, 40n, paymentNote(thread.payment(40n)));
      await startExit(alice, open);
      await stands(thread, 40n);
      await windowPasses(scene, alice);
      await decided(thread);
      await legsBecome(thread, "settled", "closed");
      expect(await hubHolds(scene, [alice, bob])).to.equal(atFirst);
      expect(await scene.world.manager.lockedOf(alice.address, 0n, thread.thread.asset)).to.equal(0n);
    });

    it("once, however often it looks, and again only when it has better", async () => {
      const thread = await between().open();
      await pays(thread, 20n);
      await challenge(thread);
      await stands(thread, 20n);
      await Promise.all([1, 2, 3].map(() => scene.services.threadDisputes.lookAround()));
      await scene.restart();
      await scene.services.threadDisputes.lookAround();
      expect(await postings(thread)).to.have.length(1);
      await pays(thread, 50n);
      await scene.services.threadDisputes.lookAround();
      await stands(thread, 50n);
    });

    it("N-7: never below what stands: a payment can only raise", async () => {
      const thread = await between().open();
      await pays(thread, 20n);
      const { manager, carol } = scene.world;
      await manager.connect(carol).challengeThreadWithPayment(signedOf(thread), 60n, thread.payment(60n).sigSender);
      await until("it to be seen", async () => (await rowOf(thread)).record !== undefined);
      await scene.services.threadDisputes.lookAround();
      expect(await postings(thread)).to.deep.equal([]);
      await decided(thread);
      await Promise.all([alice.level(), bob.level()]);
      expect([(await alice.balances()).user, (await bob.balances()).user]).to.deep.equal([940n, 1_060n]);
    });

    it("not while the receiver can close its own leg off chain, and once the sender's session has ended", async () => {
      const thread = await between().open();
      await pays(thread, 20n);
      await startExit(alice);
      await exitIsSeen(scene, alice);
      await scene.services.threadDisputes.lookAround();
      expect(await postings(thread)).to.deep.equal([]);
      await windowPasses(scene, alice);
      await stands(thread, 20n);
    });
  });

  describe("ends both legs by the one outcome", () => {
    it("A-9: each leg once, out of sessions that have ended, and nothing stays locked", async () => {
      const thread = await between({ balanceReceiver: 10n }).open();
      await pays(thread, 30n);
      await startExit(alice);
      await startExit(bob);
      await Promise.all([alice, bob].map((user) => exitIsSeen(scene, user)));
      await windowPasses(scene, alice);
      await until("bob's next session", async () => {
        await mine();
        return (await scene.services.channels.load(bob.address)).session === 1n;
      });
      await stands(thread, 30n);
      await decided(thread);
      await legsBecome(thread, "settled", "settled");
      await scene.services.threadDisputes.lookAround();
      expect((await sentBy(scene, "leg", "")).filter(({ id }) => id.endsWith(thread.hash))).to.have.length(2);
      const { manager } = scene.world;
      for (const { address } of [alice, bob]) {
        expect(await manager.lockedOf(address, 0n, thread.thread.asset)).to.equal(0n);
      }
      expect(await hubHolds(scene, [alice, bob])).to.equal(atFirst);
      const booked = await scene.services.store.endedSessions.payouts(bob.address, 9);
      expect(booked.find(({ kind }) => kind === "thread")).to.deep.include({ amountUser: 30n, amountHub: 80n });
    });

    it("A-9: of several threads one by one, also where they are in one root", async () => {
      const threads: ThreadOfUsers[] = [];
      for (const amount of [11n, 12n, 13n]) threads.push(await between({ balanceSender: amount }).open());
      await startExit(alice);
      await windowPasses(scene, alice);
      for (const thread of threads) await stands(thread, 0n);
      for (const thread of threads.reverse()) await decided(thread);
      for (const thread of threads) await legsBecome(thread, "settled", "open");
      await bob.level();
      for (const thread of threads) await legsBecome(thread, "settled", "closed");
      expect(await hubHolds(scene, [alice, bob])).to.equal(atFirst);
    });

    it("A-10, A-11: one record ends it for both channels, and never again", async () => {
      const thread = await between().open();
      await startExit(bob);
      await windowPasses(scene, bob);
      await pays(thread, 25n);
      await scene.services.threadDisputes.lookAround();
      await stands(thread, 25n);
      await decided(thread);
      await legsBecome(thread, "open", "settled");
      await alice.level();
      await legsBecome(thread, "closed", "settled");
      expect((await alice.balances()).user).to.equal(975n);
      await scene.services.threadDisputes.look(thread.hash);
      expect((await scene.services.channels.load(alice.address)).pending).to.deep.equal([]);
      expect(await hubHolds(scene, [alice, bob])).to.equal(atFirst);
    });

    it("N-9: never by silence: not before the deadline, and then by what anybody had shown", async () => {
      const thread = await between().open();
      await challenge(thread);
      await until("it to be seen", async () => (await rowOf(thread)).record !== undefined);
      await scene.pass(Number(PERIOD));
      await scene.services.threadDisputes.look(thread.hash);
      expect((await scene.services.channels.load(bob.address)).pending).to.deep.equal([]);
      await pays(thread, 70n);
      await scene.services.threadDisputes.look(thread.hash);
      await stands(thread, 70n);
      await decided(thread);
      await bob.level();
      expect((await bob.balances()).user).to.equal(1_070n);
    });

    it("also where an exit with an older state was settled, which had a thread that is long closed", async () => {
      const thread = await between().open();
      const old = await alice.signed();
      await thread.closeBy(bob, 40n, paymentNote(thread.payment(40n)));
      await alice.level();
      expect(await legs(thread)).to.deep.equal(["closed", "closed"]);
      await scene.world.stopHub();
      await startExit(alice, old);
      await time.increase(Number(PERIOD) + 1);
      await scene.world.manager.connect(scene.world.carol).settle(...old);
      scene.clock.movedMs = (await time.latest()) * 1_000 - Date.now();
      await scene.restart();
      await stands(thread, 40n);
      await decided(thread);
      const { manager } = scene.world;
      await until("the leg to be paid", async () => {
        await mine();
        return (await manager.lockedOf(alice.address, 0n, thread.thread.asset)) === 0n;
      });
      await watcherIsLevel(scene);
      expect(await hubHolds(scene, [alice, bob])).to.equal(atFirst);
    });
  });

  it("N-6: a newer update that the parties make up after closing together touches nothing", async () => {
    const thread = await between({ updatable: true, balanceReceiver: 100n }).open();
    const old = await alice.signed();
    const evidence = { update: formatSignedThreadUpdate(thread.update(1n, 150n)) };
    await Promise.all([thread.closeBy(alice, 150n, evidence), thread.closeBy(bob, 150n, evidence)]);
    const { manager, carol } = scene.world;
    const { update, ...signatures } = thread.update(2n, 0n);
    await manager.connect(carol).challengeThreadWithUpdate(signedOf(thread), { ...update, ...signatures });
    await startExit(alice, old);
    await until("the answer", async () => (await manager.channelOf(alice.address)).exitNonce > BigInt(old[0].nonce));
    await windowPasses(scene, alice);
    expect(await hubHolds(scene, [alice, bob])).to.equal(atFirst);
    expect(await manager.lockedOf(alice.address, 0n, thread.thread.asset)).to.equal(0n);
  });

  it("N-8: other terms with the same salt are another thread, and none of the hub's", async () => {
    const thread = await between().open();
    const other = new ThreadOfUsers(scene, alice, bob, { ...thread.thread, balanceSender: 1n });
    await challenge(other);
    await mine();
    await scene.services.threadDisputes.look(other.hash);
    expect((await rowOf(thread)).record).to.equal(undefined);
    expect(await postings(other)).to.deep.equal([]);
    await thread.closeBy(bob, 40n, paymentNote(thread.payment(40n)));
  });

  it("N-10: a preimage that is shown late still counts, and the deadline stays where it was", async () => {
    const secret = bytesToHex(new Uint8Array(32).fill(9));
    const appState = hashlockOf(secret);
    const thread = await between({ app: hashlock, appStateHash: hashAppState(appState) }).open();
    await startExit(alice);
    await windowPasses(scene, alice);
    await stands(thread, 0n);
    const { deadline } = await recordOf(thread);
    expect(deadline >= thread.thread.expiry + PERIOD).to.equal(true);
    await scene.pass(Number(deadline) - (await time.latest()) - 60);
    const resolution = formatThreadResolution({ appState, resolver: secret, nonce: 0n });
    await bob.ask("showThreadEvidence", { ...thread.params, body: { resolution } });
    await scene.services.threadDisputes.lookAround();
    await stands(thread, 100n);
    expect((await recordOf(thread)).deadline).to.equal(deadline);
    const [posting] = await postings(thread);
    expect(posting).to.deep.include({ kind: "dispute", deadlineSeconds: Number(deadline) });
  });

  it("N-10: an update is shown early with the app's answer to it, and nothing newer can freeze it", async () => {
    const secret = bytesToHex(new Uint8Array(32).fill(5));
    const appState = hashlockOf(secret);
    const thread = await between({ app: hashlock, appStateHash: ZERO_HASH, updatable: true }).open();
    const signed = thread.update(3n, 10n, hashAppState(appState));
    const body = {
      update: formatSignedThreadUpdate(signed),
      resolution: formatThreadResolution({ appState, resolver: secret, nonce: 3n }),
    };
    await bob.ask("showThreadEvidence", { ...thread.params, body });
    await startExit(bob);
    await stands(thread, 100n);
    const record = await recordOf(thread);
    expect([record.nonce, record.resolved]).to.deep.equal([3n, true]);
    expect(await postings(thread)).to.have.length(1);
    await windowPasses(scene, bob);
    await decided(thread);
    await legsBecome(thread, "open", "settled");
    await alice.level();
    expect((await alice.balances()).user).to.equal(900n);
    expect(await hubHolds(scene, [alice, bob])).to.equal(atFirst);
  });
});
