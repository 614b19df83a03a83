import { expect } from "chai";
import { ZeroHash } from "ethers";
import {
  PERIOD,
  deposit,
  freshWorld,
  signPayment,
  signState,
  signThread,
  signUpdate,
  threadHash,
} from "../support/world";
import { ETH, row, state } from "../support/states";
import { FINAL_NONCE, agree, bare, endSession, nextTimestamp } from "../support/threads";
import { proveThread, rootOf } from "../support/thread-tree";

// Each bears the name of a defect of the predecessor (see docs/security.md).
describe("Defects designed out, threads", () => {
  it("A-1: nothing that the payer signs alone lowers or blocks what the payee can prove", async () => {
    const world = await freshWorld();
    const { alice, bob, carol, manager } = world;
    const { thread, signed, hash } = await agree(world);
    const pay = async (amount: bigint): Promise<unknown> =>
      manager
        .connect(alice)
        .challengeThreadWithPayment(signed, amount, await signPayment(world, alice, thread, amount));

    await pay(1n); // the payer shows the oldest payment first
    await manager.challengeThreadWithPayment(bare(thread), 9n, await signPayment(world, alice, thread, 9n));
    for (const amount of [0n, 1n, 8n]) {
      const lowering = expect(pay(amount));
      await lowering.to.be.revertedWithCustomError(manager, "BalanceNotHigher").withArgs(9n, amount);
    }
    const zero = { nonce: FINAL_NONCE, balanceReceiver: 0n };
    const alone = await signUpdate(world, alice, alice, thread, zero);
    const blocking = expect(manager.connect(alice).challengeThreadWithUpdate(signed, alone));
    await blocking.to.be.revertedWithCustomError(manager, "UpdateNotAllowed").withArgs(hash);

    for (const user of [alice, bob]) await endSession(world, user, [thread]);
    const settle = manager.connect(carol);
    await expect(settle.settleThread(bob, 0n, thread, [])).to.changeEtherBalance(bob, 9n);
    await expect(settle.settleThread(alice, 0n, thread, [])).to.changeEtherBalance(alice, 91n);
  });

  it("A-1: in an updatable thread the payer alone cannot make an update", async () => {
    const world = await freshWorld();
    const { alice, bob, manager } = world;
    const { thread, signed } = await agree(world, { updatable: true });
    const alone = await signUpdate(world, alice, alice, thread, { nonce: FINAL_NONCE, balanceReceiver: 0n });
    await expect(manager.connect(alice).challengeThreadWithUpdate(signed, alone))
      .to.be.revertedWithCustomError(manager, "InvalidSignature")
      .withArgs(bob.address);
  });

  it("A-8: the opening names both parties, anybody may guard them, and the outcome binds the other channel", async () => {
    const world = await freshWorld();
    const { alice, bob, hub, carol, manager } = world;
    const { thread, signed, hash } = await agree(world);
    const deadline = (await nextTimestamp()) + PERIOD;
    await expect(manager.connect(alice).challengeThread(signed))
      .to.emit(manager, "ThreadChallenged")
      .withArgs(hash, alice.address, bob.address, 0n, 0n, deadline);
    for (const party of [
      manager.filters.ThreadChallenged(undefined, alice),
      manager.filters.ThreadChallenged(undefined, undefined, bob),
    ]) {
      expect((await manager.queryFilter(party)).map(({ args }) => args.threadHash)).to.deep.equal([hash]);
    }
    const payment = await signPayment(world, alice, thread, 64n);
    await manager.connect(hub).challengeThreadWithPayment(bare(thread), 64n, payment); // Bob is offline throughout
    for (const user of [alice, bob]) await endSession(world, user, [thread]);
    await expect(manager.connect(carol).settleThread(alice, 0n, thread, [])).to.changeEtherBalance(alice, 36n);
    await expect(manager.connect(carol).settleThread(bob, 0n, thread, [])).to.changeEtherBalance(bob, 64n);
  });

  it("A-9: no state has threads without money for them, or money without threads", async () => {
    const world = await freshWorld();
    const { alice, manager } = world;
    await deposit(world, alice, 100n);
    const { hash } = await agree(world);
    const cases = [
      [rootOf([hash]), row({ depositedUser: 100n, balanceUser: 100n })],
      [ZeroHash, row({ depositedUser: 100n, locked: 100n })],
    ] as const;
    for (const [threadRoot, assets] of cases) {
      const signed = await signState(world, alice, state(alice.address, [assets], { threadRoot }));
      await expect(manager.connect(alice).startExit(...signed))
        .to.be.revertedWithCustomError(manager, "ThreadRootMismatch")
        .withArgs(threadRoot);
    }
    const created = row({ depositedUser: 100n, balanceUser: 1n, locked: 100n });
    const inflated = await signState(world, alice, state(alice.address, [created], { threadRoot: rootOf([hash]) }));
    await expect(manager.connect(alice).startExit(...inflated))
      .to.be.revertedWithCustomError(manager, "NotConserved")
      .withArgs(ETH);
  });

  it("A-9: leaves are settled one by one, each once for ever, and nothing is stranded", async () => {
    const world = await freshWorld();
    const { alice, carol, manager } = world;
    const threads = [
      await agree(world),
      await agree(world, { balanceSender: 30n }),
      await agree(world, { balanceSender: 4n }),
    ];
    for (const { signed } of threads) await manager.challengeThread(signed);
    const hashes = threads.map(({ hash }) => hash);
    const session = await endSession(
      world,
      alice,
      threads.map(({ thread }) => thread),
    );
    const left = [104n, 4n, 0n];
    for (const [i, { thread, hash }] of [threads[1]!, threads[0]!, threads[2]!].entries()) {
      const settle = (): ReturnType<typeof manager.settleThread> =>
        manager.connect(carol).settleThread(alice, session, thread, proveThread(hashes, hash));
      await settle();
      expect(await manager.lockedOf(alice, session, ETH)).to.equal(left[i]);
      const again = expect(settle());
      await again.to.be.revertedWithCustomError(manager, "LegAlreadyPaid").withArgs(hash, alice.address);
    }
  });

  it("A-10: terms that differ between the two channels are two threads, each paid by its own outcome", async () => {
    const world = await freshWorld();
    const { alice, bob, carol, manager } = world;
    const inAlices = await agree(world, { balanceSender: 100n, balanceReceiver: 0n });
    const terms = { ...inAlices.thread, balanceSender: 20n, balanceReceiver: 80n };
    const inBobs = { thread: terms, hash: threadHash(terms), signed: await signThread(world, alice, bob, terms) };
    for (const { signed } of [inAlices, inBobs]) await manager.challengeThread(signed);
    await endSession(world, alice, [inAlices.thread]);
    await endSession(world, bob, [inBobs.thread]);
    const settle = manager.connect(carol);
    for (const [user, own, other] of [
      [alice, inAlices, inBobs],
      [bob, inBobs, inAlices],
    ] as const) {
      const foreign = expect(settle.settleThread(user, 0n, other.thread, []));
      await foreign.to.be.revertedWithCustomError(manager, "ThreadNotInRoot").withArgs(other.hash, rootOf([own.hash]));
    }
    await expect(settle.settleThread(alice, 0n, inAlices.thread, [])).to.changeEtherBalance(alice, 100n);
    await expect(settle.settleThread(bob, 0n, inBobs.thread, [])).to.changeEtherBalance(bob, 80n);
  });

  it("A-11: terms that are used again are adjudicated once and paid once", async () => {
    const world = await freshWorld();
    const { alice, carol, manager } = world;
    const { thread, signed, hash } = await agree(world);
    await manager.challengeThreadWithPayment(signed, 37n, await signPayment(world, alice, thread, 37n));
    await endSession(world, alice, [thread]);
    await manager.connect(carol).settleThread(alice, 0n, thread, []);
    await endSession(world, alice, [thread]);
    const better = await signPayment(world, alice, thread, 99n);
    const again = expect(manager.challengeThreadWithPayment(signed, 99n, better));
    await again.to.be.revertedWithCustomError(manager, "ThreadIsFinal").withArgs(hash);
    const reopened = expect(manager.challengeThread(signed));
    await reopened.to.be.revertedWithCustomError(manager, "ThreadAlreadyOpen").withArgs(hash);
    const twice = expect(manager.settleThread(alice, 1n, thread, []));
    await twice.to.be.revertedWithCustomError(manager, "LegAlreadyPaid").withArgs(hash, alice.address);
  });
});
