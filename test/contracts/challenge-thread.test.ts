import { expect } from "chai";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { Signature, ZeroAddress } from "ethers";
import { PERIOD, freshWorld } from "../support/world";
import type { Terms } from "../support/states";
import { agree, bare, nextTimestamp, record, recordOf, timestamp } from "../support/threads";

const MAX_UINT128 = 2n ** 128n - 1n;
const MAX_UINT40 = 2n ** 40n - 1n;

/** What gets two windows: one for updates, one for resolutions. */
const GAME = { updatable: true, app: "0x00000000000000000000000000000000000000aa" };

describe("ChannelManager.challengeThread", () => {
  const invalid: [why: string, overrides: Partial<Terms>][] = [
    ["without anything in it", { balanceSender: 0n, balanceReceiver: 0n }],
    ["with a sum of 2^128, all of it one addition above", { balanceSender: MAX_UINT128, balanceReceiver: 1n }],
    ["with the greatest amounts on both sides", { balanceSender: MAX_UINT128, balanceReceiver: MAX_UINT128 }],
    ["whose deadline would not fit 40 bits", { expiry: MAX_UINT40 - PERIOD + 1n }],
    ["whose two windows would not fit 40 bits", { ...GAME, expiry: MAX_UINT40 - 2n * PERIOD + 1n }],
    ["with the greatest expiry", { expiry: 2n ** 64n - 1n }],
  ];
  for (const [why, overrides] of invalid) {
    it(`refuses terms ${why}`, async () => {
      const world = await freshWorld();
      const { signed, hash } = await agree(world, overrides);
      await expect(world.manager.challengeThread(signed))
        .to.be.revertedWithCustomError(world.manager, "InvalidThread")
        .withArgs(hash);
    });
  }

  it("refuses terms of somebody with himself", async () => {
    const world = await freshWorld();
    const { signed, hash } = await agree(world, {}, [world.alice, world.alice]);
    await expect(world.manager.challengeThread(signed))
      .to.be.revertedWithCustomError(world.manager, "InvalidThread")
      .withArgs(hash);
  });

  for (const party of ["sender", "receiver"] as const) {
    it(`refuses terms that the ${party} did not sign`, async () => {
      const world = await freshWorld();
      const { signed, thread } = await agree(world);
      const field = party === "sender" ? "sigSender" : "sigReceiver";
      const forged = {
        ...signed,
        [field]: (await agree(world, { salt: thread.salt }, [world.carol, world.hub])).signed[field],
      };
      await expect(world.manager.challengeThread(forged))
        .to.be.revertedWithCustomError(world.manager, "InvalidSignature")
        .withArgs(thread[party]);
    });

    it(`refuses the zero address as ${party}, which nobody signs for`, async () => {
      const world = await freshWorld();
      const { thread, signed } = await agree(world, { [party]: ZeroAddress });
      const field = party === "sender" ? "sigSender" : "sigReceiver";
      await expect(world.manager.challengeThread({ ...signed, thread, [field]: `0x${"00".repeat(65)}` }))
        .to.be.revertedWithCustomError(world.manager, "InvalidSignature")
        .withArgs(ZeroAddress);
    });
  }

  it("refuses signatures in each other's place", async () => {
    const world = await freshWorld();
    const { signed } = await agree(world);
    const swapped = { ...signed, sigSender: signed.sigReceiver, sigReceiver: signed.sigSender };
    await expect(world.manager.challengeThread(swapped))
      .to.be.revertedWithCustomError(world.manager, "InvalidSignature")
      .withArgs(world.alice.address);
  });

  it("refuses to open a record twice, also when it is final", async () => {
    const world = await freshWorld();
    const { signed, hash } = await agree(world);
    await world.manager.challengeThread(signed);
    const again = expect(world.manager.challengeThread(signed));
    await again.to.be.revertedWithCustomError(world.manager, "ThreadAlreadyOpen").withArgs(hash);
    await time.increase(PERIOD);
    const late = expect(world.manager.challengeThread(signed));
    await late.to.be.revertedWithCustomError(world.manager, "ThreadAlreadyOpen").withArgs(hash);
  });

  it("opens the record with the terms and names both parties, whoever asks", async () => {
    const world = await freshWorld();
    const { signed, hash } = await agree(world, { balanceSender: 60n, balanceReceiver: 40n });
    const deadline = (await nextTimestamp()) + PERIOD;
    await expect(world.manager.connect(world.carol).challengeThread(signed))
      .to.emit(world.manager, "ThreadChallenged")
      .withArgs(hash, world.alice.address, world.bob.address, 0n, 40n, deadline);
    expect(await recordOf(world, hash)).to.deep.equal(record(deadline, { balanceReceiver: 40n }));
  });

  for (const [when, offset] of [
    ["before", -1n],
    ["at", 0n],
    ["after", 1n],
  ] as const) {
    it(`ends the window one period after the later of opening and expiry, with the expiry one second ${when}`, async () => {
      const world = await freshWorld();
      const now = (await timestamp()) + 1_000n;
      const { signed, hash } = await agree(world, { expiry: now + offset });
      await time.setNextBlockTimestamp(now);
      await world.manager.challengeThread(signed);
      expect(await recordOf(world, hash)).to.deep.equal(record((offset > 0n ? now + offset : now) + PERIOD));
    });
  }

  const windows: [what: string, overrides: Partial<Terms>, periods: bigint][] = [
    ["a stream", {}, 1n],
    ["a conditional payment", { app: GAME.app }, 1n],
    ["a bidirectional thread", { updatable: true }, 1n],
    ["an application with updates", GAME, 2n],
  ];
  for (const [what, overrides, periods] of windows) {
    it(`gives ${what} ${periods} period(s) after its expiry, or after opening`, async () => {
      const world = await freshWorld();
      const expiry = (await timestamp()) + 10n * PERIOD;
      const early = await agree(world, { ...overrides, expiry });
      await world.manager.challengeThread(early.signed);
      expect(await recordOf(world, early.hash)).to.deep.equal(record(expiry + periods * PERIOD));
      const late = await agree(world, overrides);
      await world.manager.challengeThread(late.signed);
      expect(await recordOf(world, late.hash)).to.deep.equal(record((await timestamp()) + periods * PERIOD));
    });
  }

  it("accepts the latest deadline of an application with updates", async () => {
    const world = await freshWorld();
    const { signed, hash } = await agree(world, { ...GAME, expiry: MAX_UINT40 - 2n * PERIOD });
    await world.manager.challengeThread(signed);
    expect(await recordOf(world, hash)).to.deep.equal(record(MAX_UINT40));
  });

  it("accepts the greatest sum and the latest deadline there are", async () => {
    const world = await freshWorld();
    const overrides = { balanceSender: MAX_UINT128 - 1n, balanceReceiver: 1n, expiry: MAX_UINT40 - PERIOD };
    const { signed, hash } = await agree(world, overrides);
    await world.manager.challengeThread(signed);
    expect(await recordOf(world, hash)).to.deep.equal(record(MAX_UINT40, { balanceReceiver: 1n }));
  });

  it("accepts the hub as sender and as receiver", async () => {
    const world = await freshWorld();
    const { hub, alice } = world;
    for (const parties of [
      [hub, alice],
      [alice, hub],
    ] as const) {
      const { signed, hash } = await agree(world, {}, parties);
      const [sender, receiver] = parties;
      const deadline = (await nextTimestamp()) + PERIOD;
      await expect(world.manager.challengeThread(signed))
        .to.emit(world.manager, "ThreadChallenged")
        .withArgs(hash, sender.address, receiver.address, 0n, 0n, deadline);
    }
  });

  it("accepts compact signatures (EIP-2098)", async () => {
    const world = await freshWorld();
    const { signed, hash } = await agree(world);
    const compact = (signature: unknown): string => Signature.from(signature as string).compactSerialized;
    const { sigSender, sigReceiver } = signed;
    await world.manager.challengeThread({
      ...signed,
      sigSender: compact(sigSender),
      sigReceiver: compact(sigReceiver),
    });
    expect((await world.manager.recordOf(hash)).deadline).to.equal((await timestamp()) + PERIOD);
  });

  it("opens threads of the same parties apart from each other", async () => {
    const world = await freshWorld();
    const [one, other] = [await agree(world, { balanceReceiver: 1n }), await agree(world, { balanceReceiver: 2n })];
    await world.manager.challengeThread(one.signed);
    expect(await recordOf(world, other.hash)).to.deep.equal(record(0n));
    await world.manager.challengeThread(other.signed);
    expect((await world.manager.recordOf(one.hash)).balanceReceiver).to.equal(1n);
    expect((await world.manager.recordOf(other.hash)).balanceReceiver).to.equal(2n);
  });

  it("needs the signatures as long as no record proves them", async () => {
    const world = await freshWorld();
    const { thread } = await agree(world);
    await expect(world.manager.challengeThread(bare(thread)))
      .to.be.revertedWithCustomError(world.manager, "InvalidSignature")
      .withArgs(world.alice.address);
  });
});
