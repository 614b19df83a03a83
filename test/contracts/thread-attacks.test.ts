import { expect } from "chai";
import { ethers } from "hardhat";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { id, keccak256, sha256 } from "ethers";
import { PERIOD, freshWorld, signPayment, signUpdate } from "../support/world";
import { ETH } from "../support/states";
import { FINAL_NONCE, agree, bare, endSession, nextTimestamp, record, recordOf } from "../support/threads";
import { trick } from "../support/thread-apps";

// Each bears the name of an attack on the design on paper, before it was built (see docs/security.md).
describe("Attacks on the design, threads", () => {
  it("N-6: after one leg was paid no newer update, however mutual, changes the other", async () => {
    const world = await freshWorld();
    const { alice, bob, carol, manager } = world;
    const { thread, signed, hash } = await agree(world, { updatable: true });
    const honest = { nonce: 1n, balanceReceiver: 37n };
    await manager.challengeThreadWithUpdate(signed, await signUpdate(world, alice, bob, thread, honest));
    for (const user of [alice, bob]) await endSession(world, user, [thread]);
    const reserve = await manager.reserveOf(ETH);
    await manager.connect(carol).settleThread(alice, 0n, thread, []);
    const newer = await signUpdate(world, alice, bob, thread, { nonce: FINAL_NONCE, balanceReceiver: 100n });
    const minting = expect(manager.connect(bob).challengeThreadWithUpdate(signed, newer));
    await minting.to.be.revertedWithCustomError(manager, "ThreadIsFinal").withArgs(hash);
    await manager.connect(carol).settleThread(bob, 0n, thread, []);
    expect((await manager.reserveOf(ETH)) - reserve).to.equal(100n); // 37 of one leg, 63 of the other: what it fronted
  });

  it("N-6: a stream knows no mutual update, so a leg that was closed at a payment is never undercut", async () => {
    const world = await freshWorld();
    const { alice, bob, manager } = world;
    const { thread, signed, hash } = await agree(world);
    const lower = await signUpdate(world, alice, bob, thread, { nonce: 1n, balanceReceiver: 0n });
    const undercutting = expect(manager.challengeThreadWithUpdate(signed, lower));
    await undercutting.to.be.revertedWithCustomError(manager, "UpdateNotAllowed").withArgs(hash);
  });

  it("N-7: a payment has no nonce: in an updatable thread it is no evidence at all", async () => {
    const world = await freshWorld();
    const { alice, bob, manager } = world;
    const { thread, signed, hash } = await agree(world, { updatable: true });
    const agreed = await signUpdate(world, alice, bob, thread, { nonce: 3n, balanceReceiver: 80n });
    await manager.challengeThreadWithUpdate(signed, agreed);
    for (const amount of [0n, 1n, 81n]) {
      const taking = manager.challengeThreadWithPayment(
        signed,
        amount,
        await signPayment(world, alice, thread, amount),
      );
      await expect(taking).to.be.revertedWithCustomError(manager, "PaymentNotAllowed").withArgs(hash);
    }
    expect(await recordOf(world, hash)).to.include({ nonce: 3n, balanceReceiver: 80n });
  });

  it("N-8: strangers who use the salt, or any of the terms, adjudicate a thread of their own", async () => {
    const world = await freshWorld();
    const { alice, bob, carol, hub, manager } = world;
    const ours = await agree(world);
    const theirs = await agree(world, { salt: ours.thread.salt }, [carol, hub]);
    const squatted = await agree(world, { salt: ours.thread.salt, balanceSender: 101n }, [alice, carol]);
    for (const { signed } of [theirs, squatted]) await manager.challengeThread(signed);
    await time.increase(PERIOD);
    expect(await recordOf(world, ours.hash)).to.deep.equal(record(0n));
    await manager.challengeThreadWithPayment(ours.signed, 37n, await signPayment(world, alice, ours.thread, 37n));
    await endSession(world, bob, [ours.thread]);
    await expect(manager.connect(carol).settleThread(bob, 0n, ours.thread, [])).to.changeEtherBalance(bob, 37n);
  });

  it("N-9: silence pays nothing: no leg is settled that no event announced a period before", async () => {
    const world = await freshWorld();
    const { alice, bob, manager } = world;
    const { thread, signed, hash } = await agree(world);
    await endSession(world, alice, [thread]);
    await time.increase(1_000n * PERIOD);
    const silent = expect(manager.connect(alice).settleThread(alice, 0n, thread, []));
    await silent.to.be.revertedWithCustomError(manager, "ThreadNotFinal").withArgs(hash, 0n);
    const deadline = (await nextTimestamp()) + PERIOD;
    await expect(manager.challengeThread(signed))
      .to.emit(manager, "ThreadChallenged")
      .withArgs(hash, alice.address, bob.address, 0n, 0n, deadline);
    await time.setNextBlockTimestamp(deadline - 1n);
    const early = expect(manager.connect(alice).settleThread(alice, 0n, thread, []));
    await early.to.be.revertedWithCustomError(manager, "ThreadNotFinal").withArgs(hash, deadline);
  });

  it("N-10: opening a hashlock early does not cut it short: the preimage counts until expiry and a period", async () => {
    const world = await freshWorld();
    const { alice, bob, manager, hashlock } = world;
    const lock = sha256(id("secret"));
    const expiry = BigInt(await time.latest()) + 50n * PERIOD;
    const overrides = { expiry, app: await hashlock.getAddress(), appStateHash: keccak256(lock) };
    const { thread, signed, hash } = await agree(world, overrides);
    await manager.connect(alice).challengeThread(signed);
    await endSession(world, alice, [thread]);
    await time.setNextBlockTimestamp(expiry + PERIOD - 2n);
    const early = expect(manager.connect(alice).settleThread(alice, 0n, thread, []));
    await early.to.be.revertedWithCustomError(manager, "ThreadNotFinal").withArgs(hash, expiry + PERIOD);
    await manager.connect(bob).resolveThread(bare(thread), lock, id("secret"));
    expect((await recordOf(world, hash)).balanceReceiver).to.equal(100n);
  });

  it("N-10: a late update does not take away the time to resolve it", async () => {
    const world = await freshWorld();
    const { alice, bob, carol, manager } = world;
    const app = await (await ethers.deployContract("HostileApp")).getAddress();
    const { thread, signed, hash } = await agree(world, { updatable: true, app, appStateHash: keccak256("0x") });
    const deadline = (await nextTimestamp()) + 2n * PERIOD;
    await manager.resolveThread(signed, "0x", trick("answer", 90n));
    const update = (nonce: bigint): ReturnType<typeof signUpdate> =>
      signUpdate(world, alice, bob, thread, { nonce, balanceReceiver: 0n });
    const [first, second] = [await update(1n), await update(2n)];
    await time.setNextBlockTimestamp(deadline - PERIOD - 1n);
    await manager.connect(alice).challengeThreadWithUpdate(bare(thread), first); // clears the resolution
    await time.setNextBlockTimestamp(deadline - 2n);
    await manager.connect(bob).resolveThreadWithUpdate(bare(thread), first, "0x", trick("answer", 80n));
    const late = expect(manager.connect(alice).challengeThreadWithUpdate(bare(thread), second));
    await late.to.be.revertedWithCustomError(manager, "UpdatesClosed").withArgs(hash, deadline);
    await endSession(world, bob, [thread]);
    await expect(manager.connect(carol).settleThread(bob, 0n, thread, [])).to.changeEtherBalance(bob, 80n);
  });

  it("N-10: endless superseding does not keep a thread open: the deadline never moves", async () => {
    const world = await freshWorld();
    const { alice, bob, carol, manager } = world;
    const { thread, signed, hash } = await agree(world, { updatable: true });
    const deadline = (await nextTimestamp()) + PERIOD;
    await manager.challengeThread(signed);
    for (let nonce = 1n; nonce <= 5n; nonce++) {
      await time.increase(PERIOD / 6n);
      const update = await signUpdate(world, alice, bob, thread, { nonce, balanceReceiver: 10n * nonce });
      await manager.challengeThreadWithUpdate(bare(thread), update);
      expect((await recordOf(world, hash)).deadline).to.equal(deadline);
    }
    const sixth = await signUpdate(world, alice, bob, thread, { nonce: 6n, balanceReceiver: 60n });
    await time.setNextBlockTimestamp(deadline);
    const late = expect(manager.challengeThreadWithUpdate(bare(thread), sixth));
    await late.to.be.revertedWithCustomError(manager, "ThreadIsFinal").withArgs(hash);
    await endSession(world, bob, [thread]);
    await expect(manager.connect(carol).settleThread(bob, 0n, thread, [])).to.changeEtherBalance(bob, 50n);
  });
});
