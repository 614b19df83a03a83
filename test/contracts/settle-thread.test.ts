import { expect } from "chai";
import { ethers } from "hardhat";
import { setCode, time } from "@nomicfoundation/hardhat-network-helpers";
import { ZeroHash } from "ethers";
import {
  PERIOD,
  deposit,
  exitAndSettle,
  freshWorld,
  signPayment,
  signState,
  signUpdate,
  type World,
} from "../support/world";
import { ETH, row, state, type Terms } from "../support/states";
import {
  FINAL_NONCE,
  agree,
  endSession,
  movementOf,
  recordOf,
  sumOf,
  timestamp,
  type Agreed,
} from "../support/threads";
import { proveThread, rootOf } from "../support/thread-tree";

/** A stream of 100 from Alice to Bob, of which 37 are paid; both sessions are over, and so is the thread's window. */
async function ended(overrides: Partial<Terms> = {}): Promise<{ world: World } & Agreed> {
  const world = await freshWorld();
  const agreed = await agree(world, overrides);
  const payment = await signPayment(world, world.alice, agreed.thread, 37n);
  await world.manager.challengeThreadWithPayment(agreed.signed, 37n, payment);
  for (const user of [world.alice, world.bob]) await endSession(world, user, [agreed.thread]);
  return { world, ...agreed };
}

describe("ChannelManager.settleThread", () => {
  it("refuses a thread of a session that is not settled", async () => {
    const world = await freshWorld();
    const { thread, hash } = await agree(world);
    await expect(world.manager.settleThread(world.alice, 0n, thread, []))
      .to.be.revertedWithCustomError(world.manager, "ThreadNotInRoot")
      .withArgs(hash, ZeroHash);
  });

  it("refuses a thread that is not in the session's root, though an equal one is", async () => {
    const { world, thread } = await ended();
    const other = await agree(world);
    expect(sumOf(other.thread)).to.equal(sumOf(thread));
    await expect(world.manager.settleThread(world.alice, 0n, other.thread, []))
      .to.be.revertedWithCustomError(world.manager, "ThreadNotInRoot")
      .withArgs(other.hash, rootOf([await world.manager.hashThread(thread)]));
  });

  it("refuses a thread in another session or channel than its own", async () => {
    const { world, thread, hash } = await ended();
    for (const [user, session] of [
      [world.alice, 1n],
      [world.carol, 0n],
      [world.hub, 0n],
    ] as const) {
      await expect(world.manager.settleThread(user, session, thread, []))
        .to.be.revertedWithCustomError(world.manager, "ThreadNotInRoot")
        .withArgs(hash, ZeroHash);
    }
  });

  it("refuses a proof with a sibling too many, and a proof that lacks one", async () => {
    const world = await freshWorld();
    const [one, two] = [await agree(world), await agree(world)];
    await world.manager.challengeThread(one.signed);
    await endSession(world, world.alice, [one.thread, two.thread]);
    const [sibling] = proveThread([one.hash, two.hash], one.hash);
    for (const proof of [[], [sibling!, sibling!], [one.hash], [two.hash]]) {
      await expect(world.manager.settleThread(world.alice, 0n, one.thread, proof))
        .to.be.revertedWithCustomError(world.manager, "ThreadNotInRoot")
        .withArgs(one.hash, rootOf([one.hash, two.hash]));
    }
  });

  it("refuses a thread without a record, however long ago the session ended", async () => {
    const world = await freshWorld();
    const { thread, hash } = await agree(world);
    await endSession(world, world.alice, [thread]);
    await time.increase(100n * PERIOD);
    await expect(world.manager.settleThread(world.alice, 0n, thread, []))
      .to.be.revertedWithCustomError(world.manager, "ThreadNotFinal")
      .withArgs(hash, 0n);
  });

  it("refuses a thread one second before its deadline, and pays it at the deadline", async () => {
    const world = await freshWorld();
    const { thread, hash, signed } = await agree(world);
    await endSession(world, world.alice, [thread]);
    await world.manager.challengeThread(signed);
    const deadline = (await timestamp()) + PERIOD;
    await time.setNextBlockTimestamp(deadline - 1n);
    await expect(world.manager.settleThread(world.alice, 0n, thread, []))
      .to.be.revertedWithCustomError(world.manager, "ThreadNotFinal")
      .withArgs(hash, deadline);
    await time.setNextBlockTimestamp(deadline);
    await expect(world.manager.settleThread(world.alice, 0n, thread, [])).to.emit(world.manager, "ThreadSettled");
  });

  it("refuses a thread before its deadline although the receiver lacks only 1, or the nonce only 1", async () => {
    const world = await freshWorld();
    const { alice, bob, manager } = world;
    const [stream, duplex] = [await agree(world), await agree(world, { updatable: true })];
    await endSession(world, alice, [stream.thread, duplex.thread]);
    await manager.challengeThreadWithPayment(stream.signed, 99n, await signPayment(world, alice, stream.thread, 99n));
    const almost = { nonce: FINAL_NONCE - 1n, balanceReceiver: 100n };
    await manager.challengeThreadWithUpdate(duplex.signed, await signUpdate(world, alice, bob, duplex.thread, almost));
    for (const { thread, hash } of [stream, duplex]) {
      const { deadline } = await recordOf(world, hash);
      await expect(manager.settleThread(alice, 0n, thread, proveThread([stream.hash, duplex.hash], hash)))
        .to.be.revertedWithCustomError(manager, "ThreadNotFinal")
        .withArgs(hash, deadline);
    }
  });

  it("refuses a user who is neither sender nor receiver, though the thread is in his root", async () => {
    const { world, thread } = await ended();
    await endSession(world, world.carol, [thread]);
    await expect(world.manager.settleThread(world.carol, 0n, thread, []))
      .to.be.revertedWithCustomError(world.manager, "NotThreadParty")
      .withArgs(world.carol.address);
  });

  for (const party of ["alice", "bob"] as const) {
    it(`refuses to pay ${party}'s leg twice, also out of another session that holds the same thread`, async () => {
      const { world, thread, hash } = await ended();
      const user = world[party];
      await world.manager.settleThread(user, 0n, thread, []);
      await endSession(world, user, [thread]);
      for (const session of [0n, 1n]) {
        await expect(world.manager.settleThread(user, session, thread, []))
          .to.be.revertedWithCustomError(world.manager, "LegAlreadyPaid")
          .withArgs(hash, user.address);
      }
      expect(await world.manager.lockedOf(user, 1n, ETH)).to.equal(100n);
    });
  }

  it("refuses a thread when the session locked less than its sum", async () => {
    const { world, thread } = await ended({ balanceSender: 99n, balanceReceiver: 1n });
    await endSession(world, world.alice, [thread], 99n);
    await expect(world.manager.settleThread(world.alice, 1n, thread, []))
      .to.be.revertedWithCustomError(world.manager, "LockedTooLow")
      .withArgs(ETH, 99n, 100n);
  });

  it("refuses a thread when the session locked another asset", async () => {
    const world = await freshWorld();
    const { alice, manager, token } = world;
    const asset = await token.getAddress();
    const { thread, hash, signed } = await agree(world, { asset });
    await manager.challengeThread(signed);
    await deposit(world, alice, 100n);
    const ending = state(alice.address, [row({ locked: 100n, depositedUser: 100n })], { threadRoot: rootOf([hash]) });
    await exitAndSettle(world, alice, await signState(world, alice, ending));
    await expect(manager.settleThread(alice, 0n, thread, []))
      .to.be.revertedWithCustomError(manager, "LockedTooLow")
      .withArgs(asset, 0n, 100n);
  });

  it("pays the sender what the receiver did not get, and the hub the rest", async () => {
    const { world, thread, hash } = await ended();
    const { manager, alice, carol } = world;
    const moved = await movementOf(world, { user: alice, session: 0n }, async () => {
      const sent = manager.connect(carol).settleThread(alice, 0n, thread, []);
      await expect(sent).to.emit(manager, "ThreadSettled").withArgs(hash, alice.address, ETH, 0n, 63n, 37n);
      return sent;
    });
    expect(moved).to.deep.equal({ user: 63n, reserve: 37n, locked: -100n, claimable: 0n, held: -63n });
    expect(await recordOf(world, hash)).to.include({ balanceReceiver: 37n, senderPaid: true, receiverPaid: false });
  });

  it("pays the receiver his balance, and the hub what it had fronted", async () => {
    const { world, thread, hash } = await ended();
    const { manager, bob, carol } = world;
    const moved = await movementOf(world, { user: bob, session: 0n }, async () => {
      const sent = manager.connect(carol).settleThread(bob, 0n, thread, []);
      await expect(sent).to.emit(manager, "ThreadSettled").withArgs(hash, bob.address, ETH, 0n, 37n, 63n);
      return sent;
    });
    expect(moved).to.deep.equal({ user: 37n, reserve: 63n, locked: -100n, claimable: 0n, held: -37n });
    expect(await recordOf(world, hash)).to.include({ balanceReceiver: 37n, senderPaid: false, receiverPaid: true });
  });

  it("keeps everything else of the record when it marks a leg", async () => {
    const { world, thread, hash } = await ended();
    const before = await recordOf(world, hash);
    await world.manager.settleThread(world.bob, 0n, thread, []);
    await world.manager.settleThread(world.alice, 0n, thread, []);
    expect(await recordOf(world, hash)).to.deep.equal({ ...before, senderPaid: true, receiverPaid: true });
  });

  for (const party of ["alice", "bob"] as const) {
    it(`leaves ${party}'s amount claimable when the payout fails, and pays the hub all the same`, async () => {
      const { world, thread } = await ended();
      const user = world[party];
      const [amountUser, amountHub] = party === "alice" ? [63n, 37n] : [37n, 63n];
      await setCode(user.address, "0x60006000fd"); // an account whose code (EIP-7702) reverts
      const moved = await movementOf(world, { user, session: 0n }, async () => {
        const sent = world.manager.connect(world.carol).settleThread(user, 0n, thread, []);
        const expected = [user.address, ETH, user.address, amountUser];
        await expect(sent)
          .to.emit(world.manager, "PayoutFailed")
          .withArgs(...expected);
        return sent;
      });
      expect(moved).to.deep.equal({ user: 0n, reserve: amountHub, locked: -100n, claimable: amountUser, held: 0n });
    });
  }

  it("leaves a token claimable when the token fails, until it works again", async () => {
    const asset = await (await freshWorld()).token.getAddress();
    const { world, thread } = await ended({ asset });
    const code = await ethers.provider.getCode(asset);
    await setCode(asset, "0x60006000fd");
    await world.manager.connect(world.carol).settleThread(world.bob, 0n, thread, []);
    await setCode(asset, code);
    expect(await world.manager.claimableOf(world.bob, asset)).to.equal(37n);
    const claiming = world.manager.connect(world.bob).claim(asset, world.bob);
    await expect(claiming).to.changeTokenBalances(world.token, [world.bob, world.address], [37n, -37n]);
  });

  it("pays nobody who gets nothing", async () => {
    const world = await freshWorld();
    const { thread, signed } = await agree(world);
    await world.manager.challengeThread(signed);
    await endSession(world, world.bob, [thread]);
    await setCode(world.bob.address, "0x60006000fd");
    const settling = world.manager.settleThread(world.bob, 0n, thread, []);
    await expect(settling).not.to.emit(world.manager, "PayoutFailed");
    expect(await world.manager.reserveOf(ETH)).to.equal(100n + 11n);
  });
});
