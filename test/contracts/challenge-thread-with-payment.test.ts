import { expect } from "chai";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { PERIOD, freshWorld, signPayment, signUpdate, type World } from "../support/world";
import type { Terms } from "../support/states";
import { agree, bare, nextTimestamp, record, recordOf, timestamp, type Agreed } from "../support/threads";

/** A stream of 100 from Alice to Bob that began with 10 paid. */
async function stream(overrides: Partial<Terms> = {}): Promise<{ world: World } & Agreed> {
  const world = await freshWorld();
  return { world, ...(await agree(world, { balanceSender: 90n, balanceReceiver: 10n, ...overrides })) };
}

const pay = (world: World, thread: Terms, balanceReceiver: bigint): Promise<string> =>
  signPayment(world, world.alice, thread, balanceReceiver);

describe("ChannelManager.challengeThreadWithPayment", () => {
  it("refuses a payment in an updatable thread", async () => {
    const { world, thread, signed, hash } = await stream({ updatable: true });
    await expect(world.manager.challengeThreadWithPayment(signed, 60n, await pay(world, thread, 60n)))
      .to.be.revertedWithCustomError(world.manager, "PaymentNotAllowed")
      .withArgs(hash);
  });

  it("refuses a payment in a thread with an app", async () => {
    const { world, thread, signed, hash } = await stream({ app: "0x00000000000000000000000000000000000000aa" });
    await expect(world.manager.challengeThreadWithPayment(signed, 60n, await pay(world, thread, 60n)))
      .to.be.revertedWithCustomError(world.manager, "PaymentNotAllowed")
      .withArgs(hash);
  });

  it("refuses terms that their parties did not sign, however good the payment is", async () => {
    const { world, thread, signed } = await stream();
    const payment = await pay(world, thread, 60n);
    for (const [field, party] of [
      ["sigSender", world.alice],
      ["sigReceiver", world.bob],
    ] as const) {
      await expect(world.manager.challengeThreadWithPayment({ ...signed, [field]: "0x" }, 60n, payment))
        .to.be.revertedWithCustomError(world.manager, "InvalidSignature")
        .withArgs(party.address);
    }
  });

  it("refuses terms that can have no record", async () => {
    const world = await freshWorld();
    const { thread, signed, hash } = await agree(world, { balanceSender: 0n });
    await expect(world.manager.challengeThreadWithPayment(signed, 0n, await pay(world, thread, 0n)))
      .to.be.revertedWithCustomError(world.manager, "InvalidThread")
      .withArgs(hash);
  });

  it("refuses a payment that anybody but the sender signed", async () => {
    const { world, thread, signed } = await stream();
    for (const signer of [world.bob, world.hub, world.carol]) {
      await expect(world.manager.challengeThreadWithPayment(signed, 60n, await signPayment(world, signer, thread, 60n)))
        .to.be.revertedWithCustomError(world.manager, "InvalidSignature")
        .withArgs(world.alice.address);
    }
  });

  it("refuses the sender's signature over another amount, another thread or another kind of statement", async () => {
    const { world, thread, signed } = await stream();
    const { alice, bob } = world;
    const twin = await agree(world, { balanceSender: 90n, balanceReceiver: 10n });
    const foreign = [
      await pay(world, thread, 61n),
      await pay(world, twin.thread, 60n),
      (await signUpdate(world, alice, bob, thread, { nonce: 1n, balanceReceiver: 60n })).sigSender,
      signed.sigSender,
    ];
    for (const signature of foreign) {
      await expect(world.manager.challengeThreadWithPayment(signed, 60n, signature))
        .to.be.revertedWithCustomError(world.manager, "InvalidSignature")
        .withArgs(alice.address);
    }
  });

  for (const balanceReceiver of [0n, 9n, 10n]) {
    it(`refuses a payment of ${balanceReceiver} when the terms already give 10`, async () => {
      const { world, thread, signed } = await stream();
      await expect(
        world.manager.challengeThreadWithPayment(signed, balanceReceiver, await pay(world, thread, balanceReceiver)),
      )
        .to.be.revertedWithCustomError(world.manager, "BalanceNotHigher")
        .withArgs(10n, balanceReceiver);
    });
  }

  it("refuses a payment that is not above the standing one", async () => {
    const { world, thread, signed } = await stream();
    await world.manager.challengeThreadWithPayment(signed, 60n, await pay(world, thread, 60n));
    for (const balanceReceiver of [59n, 60n]) {
      await expect(
        world.manager.challengeThreadWithPayment(signed, balanceReceiver, await pay(world, thread, balanceReceiver)),
      )
        .to.be.revertedWithCustomError(world.manager, "BalanceNotHigher")
        .withArgs(60n, balanceReceiver);
    }
  });

  it("refuses a payment of more than the thread holds", async () => {
    const { world, thread, signed } = await stream();
    for (const balanceReceiver of [101n, 2n ** 128n - 1n]) {
      await expect(
        world.manager.challengeThreadWithPayment(signed, balanceReceiver, await pay(world, thread, balanceReceiver)),
      )
        .to.be.revertedWithCustomError(world.manager, "BalanceAboveSum")
        .withArgs(100n, balanceReceiver);
    }
  });

  it("refuses a payment from the deadline on", async () => {
    const { world, thread, signed, hash } = await stream();
    await world.manager.challengeThread(signed);
    const payment = await pay(world, thread, 60n);
    await time.setNextBlockTimestamp((await timestamp()) + PERIOD);
    await expect(world.manager.challengeThreadWithPayment(signed, 60n, payment))
      .to.be.revertedWithCustomError(world.manager, "ThreadIsFinal")
      .withArgs(hash);
  });

  it("refuses any payment once the receiver has all", async () => {
    const { world, thread, signed, hash } = await stream();
    await world.manager.challengeThreadWithPayment(signed, 100n, await pay(world, thread, 100n));
    await expect(world.manager.challengeThreadWithPayment(signed, 100n, await pay(world, thread, 100n)))
      .to.be.revertedWithCustomError(world.manager, "ThreadIsFinal")
      .withArgs(hash);
  });

  it("opens the record with the payment, whoever shows it", async () => {
    const { world, thread, signed, hash } = await stream();
    const payment = await pay(world, thread, 11n);
    const deadline = (await nextTimestamp()) + PERIOD;
    await expect(world.manager.connect(world.carol).challengeThreadWithPayment(signed, 11n, payment))
      .to.emit(world.manager, "ThreadChallenged")
      .withArgs(hash, world.alice.address, world.bob.address, 0n, 11n, deadline);
    expect(await recordOf(world, hash)).to.deep.equal(record(deadline, { balanceReceiver: 11n }));
  });

  it("takes the window from the expiry when it opens the record before it", async () => {
    const expiry = (await timestamp()) + 10_000_000n;
    const { world, thread, signed, hash } = await stream({ expiry });
    await world.manager.challengeThreadWithPayment(signed, 60n, await pay(world, thread, 60n));
    expect(await recordOf(world, hash)).to.deep.equal(record(expiry + PERIOD, { balanceReceiver: 60n }));
  });

  it("raises an open record to the last second, without the signatures of the terms, and leaves the deadline", async () => {
    const { world, thread, signed, hash } = await stream();
    await world.manager.challengeThread(signed);
    const deadline = (await timestamp()) + PERIOD;
    const payment = await pay(world, thread, 99n);
    await time.setNextBlockTimestamp(deadline - 1n);
    await expect(world.manager.connect(world.carol).challengeThreadWithPayment(bare(thread), 99n, payment))
      .to.emit(world.manager, "ThreadChallenged")
      .withArgs(hash, world.alice.address, world.bob.address, 0n, 99n, deadline);
    expect(await recordOf(world, hash)).to.deep.equal(record(deadline, { balanceReceiver: 99n }));
  });

  it("lets the highest payment win in whatever order payments come", async () => {
    const { world, thread, signed, hash } = await stream();
    for (const balanceReceiver of [30n, 20n, 80n, 30n, 79n]) {
      const payment = await pay(world, thread, balanceReceiver);
      await world.manager.challengeThreadWithPayment(signed, balanceReceiver, payment).catch(() => undefined);
    }
    expect((await world.manager.recordOf(hash)).balanceReceiver).to.equal(80n);
  });
});
