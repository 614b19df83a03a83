import { expect } from "chai";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { id } from "ethers";
import type { SignedThreadUpdateStruct } from "../../typechain-types/contracts/ChannelManager";
import { PERIOD, freshWorld, signPayment, signUpdate, type World } from "../support/world";
import type { Terms } from "../support/states";
import { FINAL_NONCE, agree, bare, nextTimestamp, record, recordOf, timestamp, type Agreed } from "../support/threads";

/** A bidirectional thread of 100 between Alice and Bob that began at 60 : 40. */
async function duplex(overrides: Partial<Terms> = {}): Promise<{ world: World } & Agreed> {
  const world = await freshWorld();
  return {
    world,
    ...(await agree(world, { updatable: true, balanceSender: 60n, balanceReceiver: 40n, ...overrides })),
  };
}

const update = (
  world: World,
  thread: Terms,
  nonce: bigint,
  balanceReceiver: bigint,
): Promise<SignedThreadUpdateStruct> => signUpdate(world, world.alice, world.bob, thread, { nonce, balanceReceiver });

describe("ChannelManager.challengeThreadWithUpdate", () => {
  it("refuses nonce 0, which the terms already are", async () => {
    const { world, thread, signed } = await duplex();
    await expect(world.manager.challengeThreadWithUpdate(signed, await update(world, thread, 0n, 50n)))
      .to.be.revertedWithCustomError(world.manager, "NonceNotHigher")
      .withArgs(0n, 0n);
  });

  for (const nonce of [1n, 6n, 7n]) {
    it(`refuses nonce ${nonce} when 7 stands`, async () => {
      const { world, thread, signed } = await duplex();
      await world.manager.challengeThreadWithUpdate(signed, await update(world, thread, 7n, 50n));
      await expect(world.manager.challengeThreadWithUpdate(signed, await update(world, thread, nonce, 90n)))
        .to.be.revertedWithCustomError(world.manager, "NonceNotHigher")
        .withArgs(7n, nonce);
    });
  }

  it("refuses an update in a thread that is not updatable", async () => {
    const { world, thread, signed, hash } = await duplex({ updatable: false });
    await expect(world.manager.challengeThreadWithUpdate(signed, await update(world, thread, 1n, 50n)))
      .to.be.revertedWithCustomError(world.manager, "UpdateNotAllowed")
      .withArgs(hash);
  });

  it("refuses an update that gives the receiver more than the thread holds", async () => {
    const { world, thread, signed } = await duplex();
    for (const balanceReceiver of [101n, 2n ** 128n - 1n]) {
      await expect(world.manager.challengeThreadWithUpdate(signed, await update(world, thread, 1n, balanceReceiver)))
        .to.be.revertedWithCustomError(world.manager, "BalanceAboveSum")
        .withArgs(100n, balanceReceiver);
    }
  });

  for (const [field, party] of [
    ["sigSender", "alice"],
    ["sigReceiver", "bob"],
  ] as const) {
    it(`refuses an update that ${party} did not sign`, async () => {
      const { world, thread, signed } = await duplex();
      const { alice, bob, carol } = world;
      const own = await update(world, thread, 1n, 50n);
      const other = party === "alice" ? bob : alice;
      const body = { nonce: 1n, balanceReceiver: 50n };
      const others = await Promise.all([carol, other].map((signer) => signUpdate(world, signer, signer, thread, body)));
      for (const forged of others) {
        await expect(world.manager.challengeThreadWithUpdate(signed, { ...own, [field]: forged[field] }))
          .to.be.revertedWithCustomError(world.manager, "InvalidSignature")
          .withArgs(world[party].address);
      }
    });

    it(`refuses terms that ${party} did not sign, however good the update is`, async () => {
      const { world, thread, signed } = await duplex();
      const good = await update(world, thread, 1n, 50n);
      await expect(world.manager.challengeThreadWithUpdate({ ...signed, [field]: "0x" }, good))
        .to.be.revertedWithCustomError(world.manager, "InvalidSignature")
        .withArgs(world[party].address);
    });
  }

  it("refuses an update in which any signed word was changed", async () => {
    const { world, thread, signed } = await duplex();
    const good = await update(world, thread, 1n, 50n);
    const twin = await update(world, (await agree(world, { updatable: true })).thread, 1n, 50n);
    const changed = [
      { nonce: 2n },
      { balanceReceiver: 51n },
      { appStateHash: id("another") },
      { sigSender: twin.sigSender },
    ];
    for (const change of changed) {
      await expect(world.manager.challengeThreadWithUpdate(signed, { ...good, ...change }))
        .to.be.revertedWithCustomError(world.manager, "InvalidSignature")
        .withArgs(world.alice.address);
    }
  });

  it("refuses a payment's signature in place of an update's", async () => {
    const { world, thread, signed } = await duplex();
    const good = await update(world, thread, 1n, 50n);
    const sigSender = await signPayment(world, world.alice, thread, 50n);
    await expect(world.manager.challengeThreadWithUpdate(signed, { ...good, sigSender }))
      .to.be.revertedWithCustomError(world.manager, "InvalidSignature")
      .withArgs(world.alice.address);
  });

  it("refuses an update from the deadline on", async () => {
    const { world, thread, signed, hash } = await duplex();
    await world.manager.challengeThread(signed);
    const late = await update(world, thread, 1n, 50n);
    await time.setNextBlockTimestamp((await timestamp()) + PERIOD);
    await expect(world.manager.challengeThreadWithUpdate(signed, late))
      .to.be.revertedWithCustomError(world.manager, "ThreadIsFinal")
      .withArgs(hash);
  });

  it("refuses an update in the last period where an app resolves, and takes it one second before", async () => {
    const { world, thread, signed, hash } = await duplex({ app: "0x00000000000000000000000000000000000000aa" });
    await world.manager.challengeThread(signed);
    const opened = await timestamp();
    const [first, second] = [await update(world, thread, 1n, 50n), await update(world, thread, FINAL_NONCE, 51n)];
    await time.setNextBlockTimestamp(opened + PERIOD - 1n);
    await world.manager.challengeThreadWithUpdate(bare(thread), first);
    await time.setNextBlockTimestamp(opened + PERIOD);
    await expect(world.manager.challengeThreadWithUpdate(bare(thread), second))
      .to.be.revertedWithCustomError(world.manager, "UpdatesClosed")
      .withArgs(hash, opened + 2n * PERIOD);
    const deadline = opened + 2n * PERIOD;
    expect(await recordOf(world, hash)).to.deep.equal(record(deadline, { nonce: 1n, balanceReceiver: 50n }));
  });

  it("refuses anything after the final nonce", async () => {
    const { world, thread, signed, hash } = await duplex();
    await world.manager.challengeThreadWithUpdate(signed, await update(world, thread, FINAL_NONCE, 50n));
    await expect(world.manager.challengeThreadWithUpdate(signed, await update(world, thread, FINAL_NONCE, 90n)))
      .to.be.revertedWithCustomError(world.manager, "ThreadIsFinal")
      .withArgs(hash);
  });

  it("opens the record with the update, whoever shows it", async () => {
    const { world, thread, signed, hash } = await duplex();
    const third = await update(world, thread, 3n, 55n);
    const deadline = (await nextTimestamp()) + PERIOD;
    await expect(world.manager.connect(world.carol).challengeThreadWithUpdate(signed, third))
      .to.emit(world.manager, "ThreadChallenged")
      .withArgs(hash, world.alice.address, world.bob.address, 3n, 55n, deadline);
    expect(await recordOf(world, hash)).to.deep.equal(record(deadline, { nonce: 3n, balanceReceiver: 55n }));
  });

  it("takes the newest update to the last second, also when it takes back, and leaves the deadline", async () => {
    const { world, thread, signed, hash } = await duplex();
    await world.manager.challengeThreadWithUpdate(signed, await update(world, thread, 1n, 100n));
    const deadline = (await timestamp()) + PERIOD;
    const newest = await update(world, thread, FINAL_NONCE - 1n, 0n);
    await time.setNextBlockTimestamp(deadline - 1n);
    await expect(world.manager.connect(world.carol).challengeThreadWithUpdate(bare(thread), newest))
      .to.emit(world.manager, "ThreadChallenged")
      .withArgs(hash, world.alice.address, world.bob.address, FINAL_NONCE - 1n, 0n, deadline);
    expect(await recordOf(world, hash)).to.deep.equal(record(deadline, { nonce: FINAL_NONCE - 1n }));
  });

  it("stays open when the receiver has all, because a newer update may take back", async () => {
    const { world, thread, signed, hash } = await duplex();
    await world.manager.challengeThreadWithUpdate(signed, await update(world, thread, 1n, 100n));
    await world.manager.challengeThreadWithUpdate(bare(thread), await update(world, thread, 2n, 1n));
    expect(await recordOf(world, hash)).to.include({ nonce: 2n, balanceReceiver: 1n });
  });
});
