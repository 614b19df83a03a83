import { expect } from "chai";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { concat, keccak256 } from "ethers";
import { PERIOD, freshWorld, signPayment, signUpdate } from "../support/world";
import { ETH } from "../support/states";
import { BESIDE, FINAL_NONCE, agree, endSession, movementOf, sumOf, type Agreed } from "../support/threads";
import { proveThread, rootOf } from "../support/thread-tree";

describe("ChannelManager.settleThread, sessions with many threads", () => {
  it("agrees with the tree by hand: sorted leaves, sorted pairs, an odd last leaf rises", async () => {
    const world = await freshWorld();
    const hashes = await Promise.all([1n, 2n, 3n].map(async () => (await agree(world)).hash));
    const [a, b, c] = hashes.map((hash) => keccak256(hash)).sort();
    const pair = keccak256(concat([a!, b!]));
    expect(rootOf(hashes)).to.equal(keccak256(pair < c! ? concat([pair, c!]) : concat([c!, pair])));
  });

  for (const count of [1, 2, 3, 5, 64]) {
    it(`pays all of ${count} threads one by one, in any order, and leaves nothing locked`, async () => {
      const world = await freshWorld();
      const { alice, bob, carol, manager } = world;
      const threads: Agreed[] = [];
      for (let i = 0; i < count; i++) {
        const stakes = { balanceSender: 1_000n + BigInt(i), balanceReceiver: 10n * BigInt(i) };
        threads.push(await agree(world, stakes, i % 2 === 0 ? [alice, bob] : [bob, alice]));
      }
      for (const { signed } of threads) await manager.challengeThread(signed);
      const session = await endSession(
        world,
        alice,
        threads.map(({ thread }) => thread),
      );
      const hashes = threads.map(({ hash }) => hash);
      for (const { thread, hash } of [...threads].reverse()) {
        const settle = (): ReturnType<typeof manager.settleThread> =>
          manager.connect(carol).settleThread(alice, session, thread, proveThread(hashes, hash));
        const [paid, rest] =
          thread.sender === alice.address
            ? [BigInt(thread.balanceSender), BigInt(thread.balanceReceiver)]
            : [BigInt(thread.balanceReceiver), BigInt(thread.balanceSender)];
        const moved = await movementOf(world, { user: alice, session }, settle);
        expect(moved).to.deep.equal({ user: paid, reserve: rest, locked: -sumOf(thread), claimable: 0n, held: -paid });
      }
      expect(await manager.lockedOf(alice, session, ETH)).to.equal(0n);
    });
  }

  it("keeps the assets of one session apart", async () => {
    const world = await freshWorld();
    const { alice, bob, carol, manager } = world;
    const asset = await world.token.getAddress();
    const ether = await agree(world, { balanceSender: 70n, balanceReceiver: 30n });
    const dollars = await agree(world, { asset, balanceSender: 600n, balanceReceiver: 400n }, [bob, alice]);
    for (const { signed } of [ether, dollars]) await manager.challengeThread(signed);
    const session = await endSession(world, alice, [ether.thread, dollars.thread]);
    const settle =
      ({ thread, hash }: Agreed) =>
      (): ReturnType<typeof manager.settleThread> =>
        manager.connect(carol).settleThread(alice, session, thread, proveThread([ether.hash, dollars.hash], hash));

    const movedDollars = await movementOf(world, { user: alice, session, asset }, settle(dollars));
    expect(movedDollars).to.deep.equal({ user: 400n, reserve: 600n, locked: -1_000n, claimable: 0n, held: -400n });
    expect(await manager.lockedOf(alice, session, ETH)).to.equal(100n);
    expect(await manager.reserveOf(ETH)).to.equal(BESIDE.hub);
    const movedEther = await movementOf(world, { user: alice, session }, settle(ether));
    expect(movedEther).to.deep.equal({ user: 70n, reserve: 30n, locked: -100n, claimable: 0n, held: -70n });
  });
});

describe("ChannelManager.settleThread, both legs", () => {
  for (const outcome of [0n, 1n, 37n, 99n, 100n]) {
    it(`leaves the hub at zero over both legs when the receiver gets ${outcome} of 100`, async () => {
      const world = await freshWorld();
      const { alice, bob, carol, manager } = world;
      const { thread, signed } = await agree(world, { updatable: true, balanceSender: 55n, balanceReceiver: 45n });
      const update = await signUpdate(world, alice, bob, thread, { nonce: FINAL_NONCE, balanceReceiver: outcome });
      await manager.challengeThreadWithUpdate(signed, update);
      for (const user of [alice, bob]) await endSession(world, user, [thread]);
      const reserve = await manager.reserveOf(ETH);
      const settle = manager.connect(carol);
      const [forAlice, forBob] = [
        await movementOf(world, { user: alice, session: 0n }, () => settle.settleThread(alice, 0n, thread, [])),
        await movementOf(world, { user: bob, session: 0n }, () => settle.settleThread(bob, 0n, thread, [])),
      ];
      expect([forAlice.user, forBob.user]).to.deep.equal([100n - outcome, outcome]);
      // The hub had fronted one of the two stakes of 100 and gets exactly 100 back.
      expect((await manager.reserveOf(ETH)) - reserve).to.equal(100n);
      expect(forAlice.locked + forBob.locked).to.equal(-200n);
    });
  }

  it("pays the only leg there is when the hub itself is sender or receiver", async () => {
    const world = await freshWorld();
    const { alice, carol, hub, manager } = world;
    const paid = await agree(world, { balanceSender: 90n, balanceReceiver: 10n }, [hub, alice]);
    const paying = await agree(world, { balanceSender: 80n, balanceReceiver: 20n }, [alice, hub]);
    await manager.challengeThreadWithPayment(paid.signed, 64n, await signPayment(world, hub, paid.thread, 64n));
    await manager.challengeThreadWithPayment(paying.signed, 27n, await signPayment(world, alice, paying.thread, 27n));
    const hashes = [paid.hash, paying.hash];
    const session = await endSession(world, alice, [paid.thread, paying.thread]);
    for (const [{ thread, hash }, user] of [
      [paid, 64n],
      [paying, 73n],
    ] as const) {
      const proof = proveThread(hashes, hash);
      const settle = (): ReturnType<typeof manager.settleThread> =>
        manager.connect(carol).settleThread(alice, session, thread, proof);
      const moved = await movementOf(world, { user: alice, session }, settle);
      expect(moved).to.deep.equal({ user, reserve: 100n - user, locked: -100n, claimable: 0n, held: -user });
      await expect(manager.settleThread(hub, session, thread, proof))
        .to.be.revertedWithCustomError(manager, "ThreadNotInRoot")
        .withArgs(hash, `0x${"00".repeat(32)}`);
    }
  });

  it("pays before the deadline what no evidence could change: a receiver who has all, a final update", async () => {
    const world = await freshWorld();
    const { alice, bob, carol, manager } = world;
    const [stream, duplex, gift] = [
      await agree(world),
      await agree(world, { updatable: true }),
      await agree(world, { balanceSender: 0n, balanceReceiver: 100n }),
    ];
    const threads = [stream, duplex, gift];
    await endSession(
      world,
      bob,
      threads.map(({ thread }) => thread),
    );
    await manager.challengeThreadWithPayment(stream.signed, 100n, await signPayment(world, alice, stream.thread, 100n));
    const last = { nonce: FINAL_NONCE, balanceReceiver: 41n };
    await manager.challengeThreadWithUpdate(duplex.signed, await signUpdate(world, alice, bob, duplex.thread, last));
    await manager.challengeThread(gift.signed);
    const hashes = threads.map(({ hash }) => hash);
    for (const [{ thread, hash }, user] of [
      [stream, 100n],
      [duplex, 41n],
      [gift, 100n],
    ] as const) {
      const settle = (): ReturnType<typeof manager.settleThread> =>
        manager.connect(carol).settleThread(bob, 0n, thread, proveThread(hashes, hash));
      const moved = await movementOf(world, { user: bob, session: 0n }, settle);
      expect(moved).to.deep.equal({ user, reserve: 100n - user, locked: -100n, claimable: 0n, held: -user });
    }
  });

  it("keeps an updatable thread open although the receiver has all of it", async () => {
    const world = await freshWorld();
    const { alice, bob, manager } = world;
    const { thread, signed, hash } = await agree(world, { updatable: true, balanceSender: 0n, balanceReceiver: 100n });
    await endSession(world, bob, [thread]);
    await manager.challengeThread(signed);
    const { deadline } = await manager.recordOf(hash);
    await expect(manager.settleThread(bob, 0n, thread, []))
      .to.be.revertedWithCustomError(manager, "ThreadNotFinal")
      .withArgs(hash, deadline);
    const update = await signUpdate(world, alice, bob, thread, { nonce: 1n, balanceReceiver: 3n });
    await manager.challengeThreadWithUpdate(signed, update);
    await time.increase(PERIOD);
    await expect(manager.connect(alice).settleThread(bob, 0n, thread, [])).to.changeEtherBalance(bob, 3n);
  });

  it("pays amounts of full width", async () => {
    const world = await freshWorld();
    const { alice, bob, carol, manager, token } = world;
    const asset = await token.getAddress();
    const all = 2n ** 128n - 1n - BESIDE.user;
    for (const holder of [alice, bob]) await token.mint(holder, 2n * all);
    const { thread, signed } = await agree(world, { asset, balanceSender: all - 5n, balanceReceiver: 5n });
    await manager.challengeThreadWithPayment(signed, all - 1n, await signPayment(world, alice, thread, all - 1n));
    for (const user of [alice, bob]) await endSession(world, user, [thread]);
    for (const [party, user] of [
      [alice, 1n],
      [bob, all - 1n],
    ] as const) {
      const settle = (): ReturnType<typeof manager.settleThread> =>
        manager.connect(carol).settleThread(party, 0n, thread, []);
      const moved = await movementOf(world, { user: party, session: 0n, asset }, settle);
      expect(moved).to.deep.equal({ user, reserve: all - user, locked: -all, claimable: 0n, held: -user });
    }
  });
});
