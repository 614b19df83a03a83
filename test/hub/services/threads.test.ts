import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import {
  bytesToHex,
  formatSignedThreadUpdate,
  formatThreadEvidence,
  formatThreadResolution,
  formatUpdate,
  hashAppState,
  hashlockOf,
  parseAddress,
  signedAppState,
  signOutcome,
  type Address,
  type WireSync,
} from "../../../protocol";
import { hubScene, pay, type HubScene, type HubUser } from "../../support/hub-scene";
import { paymentNote, termsOf, ThreadOfUsers } from "../../support/hub-threads";
import { expectCoded } from "../../support/expect-coded";
import { freshWorld } from "../../support/world";

describe("Threads", () => {
  let scene: HubScene;
  let alice: HubUser;
  let bob: HubUser;
  let hashlock: Address;
  let signed: Address;

  before(async () => {
    const world = await freshWorld(); // the scene's is the same, from a snapshot
    hashlock = parseAddress(await world.hashlock.getAddress());
    signed = parseAddress(await world.signedApp.getAddress());
    scene = await hubScene({ config: { apps: { hashlock, signed }, threadMeetingMs: 500 } });
  });
  after(() => scene.close());
  beforeEach(async () => {
    [alice, bob] = [
      await scene.funded({ user: 1_000n, hub: 1_000n }),
      await scene.funded({ user: 1_000n, hub: 1_000n }),
    ];
  });

  const between = (overrides: Parameters<typeof termsOf>[3] = {}): ThreadOfUsers =>
    new ThreadOfUsers(scene, alice, bob, termsOf(scene, alice, bob, overrides));

  /** What the hub holds in both channels. */
  const hubsShare = async (): Promise<bigint> => (await alice.balances()).hub + (await bob.balances()).hub;

  describe("opening", () => {
    it("locks both stakes in both channels in one step, under one leaf", async () => {
      const thread = await between({ balanceReceiver: 20n }).open();
      const [a, b] = [await alice.state(), await bob.state()];
      expect([a.threadRoot, a.assets[0]?.locked]).to.deep.equal([b.threadRoot, b.assets[0]?.locked]);
      expect(a.assets[0]).to.include({ balanceUser: 900n, balanceHub: 980n, locked: 120n });
      expect(b.assets[0]).to.include({ balanceUser: 980n, balanceHub: 900n, locked: 120n });
      const row = await scene.services.store.threads.load(thread.hash);
      expect(row).to.include({ status: "open", senderLeg: "open", receiverLeg: "open" });
    });

    it("A-10, A-11: opens a thread hash once, ever", async () => {
      const thread = await between().open();
      await thread.closeBy(bob, 0n);
      await alice.level();
      await expectCoded(thread.openBy(alice), "ThreadNotReady");
    });

    it("refuses a leg of other terms than those both have signed (A-10)", async () => {
      const [thread, other] = [between(), between({ balanceSender: 50n })];
      await thread.propose();
      await thread.accept();
      const update = await other.opening(alice);
      const body = { update: formatUpdate(update) };
      await expectCoded(alice.ask("openThread", { ...thread.params, body }), "InvalidValue");
    });

    it("has neither leg when one party does not come", async () => {
      const thread = between();
      await thread.propose();
      await thread.accept();
      await expectCoded(thread.openBy(alice), "ThreadNotJoined");
      expect((await scene.services.store.threads.load(thread.hash))?.senderLeg).to.equal("none");
      expect((await alice.state()).assets[0]?.locked).to.equal(0n);
    });

    it("tells only the party whose leg does not fit, and goes on with its next try", async () => {
      const thread = between();
      await thread.propose();
      await thread.accept();
      const stale = await thread.opening(bob);
      await (await scene.funded({ user: 10n })).buy("a", pay(bob, 1n));
      const waits = thread.openBy(alice);
      const body = { update: formatUpdate(stale) };
      await expectCoded(bob.ask("openThread", { ...thread.params, body }), "OutOfSync");
      await Promise.all([waits, thread.openBy(bob)]);
      expect((await bob.state()).assets[0]?.locked).to.equal(100n);
    });

    it("asks for collateral where the hub cannot stand in for the sender", async () => {
      bob = await scene.funded({ user: 10n });
      const thread = between();
      await thread.propose();
      await thread.accept();
      await expectCoded(thread.openBy(alice), "InsufficientCollateral");
    });

    it("refuses what is no thread of two users of this hub", async () => {
      const now = BigInt(Math.floor(scene.services.clock.now() / 1000));
      const cases = [
        [between({ expiry: now + 31n * 86_400n }), "InvalidThread"],
        [between({ expiry: now - 1n }), "InvalidThread"],
        [between({ receiver: scene.services.signer.address }), "InvalidThread"],
        [between({ balanceSender: 0n }), "InvalidThread"],
        [between({ balanceSender: 5_000n }), "BalanceTooLow"],
        [between({ asset: hashlock }), "AssetUnknown"],
        [between({ app: alice.address }), "ThreadLimit"],
      ] as const;
      for (const [thread, code] of cases) await expectCoded(thread.propose(), code);
    });

    it("is between its parties and nobody else's business", async () => {
      const thread = between();
      await thread.propose();
      const stranger = scene.user();
      await expectCoded(stranger.ask("getThread", thread.params), "ThreadUnknown");
      const body = { sigReceiver: thread.signBy(stranger, thread.hash) };
      await expectCoded(stranger.ask("acceptThread", { ...thread.params, body }), "ThreadUnknown");
      await expectCoded(
        bob.ask("acceptThread", { ...thread.params, body: { sigReceiver: thread.signBy(alice, thread.hash) } }),
        "InvalidSignature",
      );
    });

    it("cannot be slipped in by the way of other updates", async () => {
      const thread = between();
      await expectCoded(alice.update([await thread.opening(alice)]), "InvalidValue");
    });

    it("stays shut once it was declined", async () => {
      const thread = between();
      await thread.propose();
      await bob.ask("declineThread", thread.params);
      await expectCoded(thread.accept(), "ThreadNotReady");
    });
  });

  describe("a stream", () => {
    it("N-6: closes the receiver's leg on the sender's payment, then the sender's at the same", async () => {
      const before = await hubsShare();
      const thread = await between().open();
      await thread.closeBy(bob, 40n, paymentNote(thread.payment(40n)));
      expect((await scene.services.store.threads.load(thread.hash))?.status).to.equal("receiverClosed");
      await alice.level();
      expect(await bob.balances()).to.deep.equal({ hub: 960n, user: 1_040n });
      expect(await alice.balances()).to.deep.equal({ hub: 1_040n, user: 960n });
      expect(await hubsShare()).to.equal(before);
      expect((await scene.services.store.threads.load(thread.hash))?.status).to.equal("closed");
      expect((await alice.state()).threadRoot).to.match(/^0x0{64}$/);
    });

    it("A-1: the receiver gets no more than the sender has signed, and the sender cannot go back on it", async () => {
      const thread = await between().open();
      await expectCoded(thread.closeBy(bob, 1n), "ThreadOutcomeUnproven");
      await expectCoded(thread.closeBy(bob, 41n, paymentNote(thread.payment(40n))), "ThreadOutcomeUnproven");
      await expectCoded(thread.closeBy(alice, 0n), "ThreadReceiverFirst");
      await thread.closeBy(bob, 40n, paymentNote(thread.payment(40n)));
      await alice.level();
      expect((await alice.balances()).user).to.equal(960n);
    });

    it("keeps the highest payment as the hub's evidence, whatever comes later (N-7)", async () => {
      const thread = await between().open();
      await alice.ask("showThreadEvidence", { ...thread.params, body: paymentNote(thread.payment(40n)) });
      await alice.ask("showThreadEvidence", { ...thread.params, body: paymentNote(thread.payment(30n)) });
      expect((await scene.services.store.threads.load(thread.hash))?.payment?.payment.balanceReceiver).to.equal(40n);
      await thread.closeBy(bob, 40n);
    });

    it("many at once close in any order", async () => {
      const threads: ThreadOfUsers[] = [];
      for (let i = 0; i < 5; i++) threads.push(await between({ balanceSender: 10n }).open());
      for (const i of [3, 0, 4, 1, 2]) {
        await threads[i]?.closeBy(bob, BigInt(i), paymentNote(threads[i].payment(BigInt(i) || 1n)));
        await alice.level();
      }
      expect((await bob.balances()).user).to.equal(1_010n);
      expect((await alice.state()).assets[0]?.locked).to.equal(0n);
    });
  });

  describe("a conditional payment", () => {
    const secret = bytesToHex(new Uint8Array(32).fill(7));

    it("pays the receiver for the preimage", async () => {
      const appState = hashlockOf(secret);
      const thread = await between({ app: hashlock, appStateHash: hashAppState(appState) }).open();
      const wrong = { resolution: formatThreadResolution({ appState, resolver: hashlockOf(appState), nonce: 0n }) };
      await expectCoded(thread.closeBy(bob, 100n, wrong), "AppFailed");
      await thread.closeBy(bob, 100n, {
        resolution: formatThreadResolution({ appState, resolver: secret, nonce: 0n }),
      });
      await alice.level();
      expect([(await alice.balances()).user, (await bob.balances()).user]).to.deep.equal([900n, 1_100n]);
    });

    it("pays what its arbiter has signed", async () => {
      const appState = signedAppState(bob.address);
      const thread = await between({ app: signed, appStateHash: hashAppState(appState) }).open();
      const resolver = signOutcome(thread.thread, 30n, bob.key, scene.services.domain);
      const resolution = formatThreadResolution({ appState, resolver, nonce: 0n });
      await expectCoded(thread.closeBy(bob, 31n, { resolution }), "ThreadOutcomeUnproven");
      await thread.closeBy(bob, 30n, { resolution });
      await alice.level();
      expect([(await alice.balances()).user, (await bob.balances()).user]).to.deep.equal([970n, 1_030n]);
    });
  });

  describe("an updatable thread", () => {
    it("N-6: leaves both channels in one step, so that no second outcome can hurt the hub", async () => {
      const before = await hubsShare();
      const thread = await between({ updatable: true, balanceReceiver: 100n }).open();
      const evidence = { update: formatSignedThreadUpdate(thread.update(1n, 150n)) };
      await Promise.all([thread.closeBy(alice, 150n, evidence), thread.closeBy(bob, 150n, evidence)]);
      expect([(await alice.balances()).user, (await bob.balances()).user]).to.deep.equal([950n, 1_050n]);
      expect(await hubsShare()).to.equal(before);
      expect((await scene.services.store.threads.load(thread.hash))?.status).to.equal("closed");
    });

    it("cannot be closed by one party alone", async () => {
      const thread = await between({ updatable: true }).open();
      await expectCoded(thread.closeBy(alice, 0n), "ThreadNotJoined");
      expect((await alice.state()).assets[0]?.locked).to.equal(100n);
    });

    it("does not close where the two sign different outcomes", async () => {
      const thread = await between({ updatable: true }).open();
      const tries = await Promise.allSettled([thread.closeBy(alice, 0n), thread.closeBy(bob, 100n)]);
      expect(tries.map(({ status }) => status)).to.deep.equal(["rejected", "rejected"]);
      expect((await alice.state()).assets[0]?.locked).to.equal(100n);
    });
  });

  it("survives a restart of the hub with its list of open threads", async () => {
    const thread = await between().open();
    await scene.restart();
    await thread.closeBy(bob, 5n, paymentNote(thread.payment(5n)));
    await alice.level();
    expect((await alice.balances()).user).to.equal(995n);
  });

  it("H-19: takes over from its users the threads that a restored copy does not know", async () => {
    const file = join(scene.world.folder, "hub.sqlite");
    await scene.world.stopHub();
    copyFileSync(file, `${file}.copy`);
    await scene.restart();
    const thread = await between().open();
    const shown = await Promise.all([alice, bob].map((user) => user.sync()));
    await scene.world.stopHub();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
    copyFileSync(`${file}.copy`, file);
    await scene.restart();

    const [sigSender, sigReceiver] = [thread.signBy(alice, thread.hash), thread.signBy(bob, thread.hash)];
    const evidence = formatThreadEvidence({ thread: thread.thread, sigSender, sigReceiver });
    const prove = async (user: HubUser, threads: readonly (typeof evidence)[]): Promise<void> => {
      const { doubleSigned } = shown[user === alice ? 0 : 1] as WireSync;
      const body = { updates: [], ...(doubleSigned && { doubleSigned }), threads: [...threads] };
      await user.ask("update", { ...user.params, body });
    };
    await expectCoded(prove(alice, []), "ThreadNotInRoot");
    await prove(alice, [evidence]);
    await prove(bob, [evidence]);
    await thread.closeBy(bob, 25n, paymentNote(thread.payment(25n)));
    await alice.level();
    expect([(await alice.balances()).user, (await bob.balances()).user]).to.deep.equal([975n, 1_025n]);
  });
});
