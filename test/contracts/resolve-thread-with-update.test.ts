import { expect } from "chai";
import { ethers } from "hardhat";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { ZeroAddress, keccak256 } from "ethers";
import type { SignedThreadUpdateStruct } from "../../typechain-types/contracts/ChannelManager";
import { PERIOD, freshWorld, signUpdate, type World } from "../support/world";
import type { Terms } from "../support/states";
import { FINAL_NONCE, agree, bare, nextTimestamp, record, recordOf, timestamp, type Agreed } from "../support/threads";
import { trick } from "../support/thread-apps";

const TERMS_STATE = "0x00";
const UPDATE_STATE = "0x01";

/** An application of 1,000 between Alice and Bob, 800 : 200, whose app does what its resolver says. */
async function application(overrides: Partial<Terms> = {}): Promise<{ world: World } & Agreed> {
  const world = await freshWorld();
  const app = await (await ethers.deployContract("HostileApp")).getAddress();
  const stakes = { balanceSender: 800n, balanceReceiver: 200n, updatable: true };
  return { world, ...(await agree(world, { app, appStateHash: keccak256(TERMS_STATE), ...stakes, ...overrides })) };
}

/** An update to the app state `UPDATE_STATE`. */
const update = (
  world: World,
  thread: Terms,
  nonce: bigint,
  balanceReceiver: bigint,
  appState = UPDATE_STATE,
): Promise<SignedThreadUpdateStruct> =>
  signUpdate(world, world.alice, world.bob, thread, { nonce, balanceReceiver, appStateHash: keccak256(appState) });

describe("ChannelManager.resolveThreadWithUpdate", () => {
  it("refuses an update below the standing one", async () => {
    const { world, thread, signed } = await application();
    await world.manager.challengeThreadWithUpdate(signed, await update(world, thread, 7n, 500n));
    for (const nonce of [0n, 1n, 6n]) {
      const stale = await update(world, thread, nonce, 500n);
      await expect(world.manager.resolveThreadWithUpdate(signed, stale, UPDATE_STATE, trick("answer", 300n)))
        .to.be.revertedWithCustomError(world.manager, "NonceNotHigher")
        .withArgs(7n, nonce);
    }
  });

  it("refuses an update of nonce 0: the terms are the state of nonce 0", async () => {
    const { world, thread, signed, hash } = await application();
    const zeroth = await update(world, thread, 0n, 500n);
    await expect(world.manager.resolveThreadWithUpdate(signed, zeroth, UPDATE_STATE, trick("answer", 300n)))
      .to.be.revertedWithCustomError(world.manager, "UpdateNotAllowed")
      .withArgs(hash);
  });

  it("refuses an update of a thread that is not updatable", async () => {
    const { world, thread, signed, hash } = await application({ updatable: false });
    const first = await update(world, thread, 1n, 500n);
    await expect(world.manager.resolveThreadWithUpdate(signed, first, UPDATE_STATE, trick("answer", 300n)))
      .to.be.revertedWithCustomError(world.manager, "UpdateNotAllowed")
      .withArgs(hash);
  });

  it("refuses an update that gives the receiver more than the thread holds, whatever the app would say", async () => {
    const { world, thread, signed } = await application();
    const greedy = await update(world, thread, 1n, 1_001n);
    await expect(world.manager.resolveThreadWithUpdate(signed, greedy, UPDATE_STATE, trick("answer", 300n)))
      .to.be.revertedWithCustomError(world.manager, "BalanceAboveSum")
      .withArgs(1_000n, 1_001n);
  });

  for (const [field, party] of [
    ["sigSender", "alice"],
    ["sigReceiver", "bob"],
  ] as const) {
    it(`refuses an update, or terms, that ${party} did not sign`, async () => {
      const { world, thread, signed } = await application();
      const good = await update(world, thread, 1n, 500n);
      const { manager } = world;
      const expected = world[party].address;
      await expect(manager.resolveThreadWithUpdate(signed, { ...good, [field]: "0x" }, UPDATE_STATE, trick("answer")))
        .to.be.revertedWithCustomError(manager, "InvalidSignature")
        .withArgs(expected);
      await expect(manager.resolveThreadWithUpdate({ ...signed, [field]: "0x" }, good, UPDATE_STATE, trick("answer")))
        .to.be.revertedWithCustomError(manager, "InvalidSignature")
        .withArgs(expected);
    });
  }

  it("refuses an update at the standing nonce that was not signed", async () => {
    const { world, thread, signed } = await application();
    const standing = await update(world, thread, 7n, 500n);
    await world.manager.challengeThreadWithUpdate(signed, standing);
    const forged = { ...standing, appStateHash: keccak256("0xff") };
    await expect(world.manager.resolveThreadWithUpdate(signed, forged, "0xff", trick("answer", 300n)))
      .to.be.revertedWithCustomError(world.manager, "InvalidSignature")
      .withArgs(world.alice.address);
  });

  it("refuses a thread without an app", async () => {
    const { world, thread, signed, hash } = await application({ app: ZeroAddress });
    const first = await update(world, thread, 1n, 500n);
    await expect(world.manager.resolveThreadWithUpdate(signed, first, UPDATE_STATE, trick("answer", 300n)))
      .to.be.revertedWithCustomError(world.manager, "ThreadHasNoApp")
      .withArgs(hash);
  });

  it("refuses the app state of the terms, or any other that is not the update's", async () => {
    const { world, thread, signed } = await application();
    const first = await update(world, thread, 1n, 500n);
    for (const appState of [TERMS_STATE, "0x", "0x0001"]) {
      await expect(world.manager.resolveThreadWithUpdate(signed, first, appState, trick("answer", 300n)))
        .to.be.revertedWithCustomError(world.manager, "AppStateMismatch")
        .withArgs(keccak256(UPDATE_STATE), keccak256(appState));
    }
  });

  it("refuses to resolve a final update: its balances are the outcome", async () => {
    const { world, thread, signed, hash } = await application();
    const last = await update(world, thread, FINAL_NONCE, 500n);
    const resolving = expect(world.manager.resolveThreadWithUpdate(signed, last, UPDATE_STATE, trick("answer", 300n)));
    await resolving.to.be.revertedWithCustomError(world.manager, "ThreadIsFinal").withArgs(hash);
    await world.manager.challengeThreadWithUpdate(signed, last);
    const again = expect(world.manager.resolveThreadWithUpdate(signed, last, UPDATE_STATE, trick("answer", 300n)));
    await again.to.be.revertedWithCustomError(world.manager, "ThreadIsFinal").withArgs(hash);
  });

  it("refuses to resolve from the deadline on", async () => {
    const { world, thread, signed, hash } = await application();
    await world.manager.challengeThread(signed);
    const first = await update(world, thread, 1n, 500n);
    await time.setNextBlockTimestamp((await timestamp()) + 2n * PERIOD);
    await expect(world.manager.resolveThreadWithUpdate(signed, first, UPDATE_STATE, trick("answer", 300n)))
      .to.be.revertedWithCustomError(world.manager, "ThreadIsFinal")
      .withArgs(hash);
  });

  it("refuses an answer above the sum, and leaves the record as it was", async () => {
    const { world, thread, signed, hash } = await application();
    await world.manager.challengeThread(signed);
    const before = await recordOf(world, hash);
    const first = await update(world, thread, 1n, 500n);
    await expect(world.manager.resolveThreadWithUpdate(signed, first, UPDATE_STATE, trick("answer", 1_001n)))
      .to.be.revertedWithCustomError(world.manager, "BalanceAboveSum")
      .withArgs(1_000n, 1_001n);
    expect(await recordOf(world, hash)).to.deep.equal(before);
  });

  it("refuses to resolve one nonce twice: the first resolution stands", async () => {
    const { world, thread, signed, hash } = await application();
    const first = await update(world, thread, 1n, 500n);
    await world.manager.resolveThreadWithUpdate(signed, first, UPDATE_STATE, trick("answer", 300n));
    for (const answer of [0n, 300n, 1_000n]) {
      await expect(world.manager.resolveThreadWithUpdate(signed, first, UPDATE_STATE, trick("answer", answer)))
        .to.be.revertedWithCustomError(world.manager, "AlreadyResolved")
        .withArgs(hash, 1n);
    }
    expect(await recordOf(world, hash)).to.include({ nonce: 1n, balanceReceiver: 300n, resolved: true });
  });

  it("opens the record with the update and its resolution, whoever shows them", async () => {
    const { world, thread, signed, hash } = await application();
    const fifth = await update(world, thread, 5n, 500n);
    const deadline = (await nextTimestamp()) + 2n * PERIOD;
    const { manager, alice, bob, carol } = world;
    await expect(manager.connect(carol).resolveThreadWithUpdate(signed, fifth, UPDATE_STATE, trick("answer", 299n)))
      .to.emit(manager, "ThreadResolved")
      .withArgs(hash, alice.address, bob.address, 5n, 299n, deadline, trick("answer", 299n));
    const expected = record(deadline, { nonce: 5n, balanceReceiver: 299n, resolved: true });
    expect(await recordOf(world, hash)).to.deep.equal(expected);
  });

  it("resolves the standing update at its own nonce to the last second, up or down, and leaves the deadline", async () => {
    for (const answer of [1n, 999n]) {
      const { world, thread, signed, hash } = await application();
      const fifth = await update(world, thread, 5n, 500n);
      await world.manager.challengeThreadWithUpdate(signed, fifth);
      const deadline = (await timestamp()) + 2n * PERIOD;
      await time.setNextBlockTimestamp(deadline - 1n);
      await expect(world.manager.resolveThreadWithUpdate(bare(thread), fifth, UPDATE_STATE, trick("answer", answer)))
        .to.emit(world.manager, "ThreadResolved")
        .withArgs(hash, world.alice.address, world.bob.address, 5n, answer, deadline, trick("answer", answer));
      const expected = record(deadline, { nonce: 5n, balanceReceiver: answer, resolved: true });
      expect(await recordOf(world, hash)).to.deep.equal(expected);
    }
  });

  it("has one period for updates and then one for resolutions, so that no late update undoes a resolution", async () => {
    const { world, thread, signed, hash } = await application();
    const fifth = await update(world, thread, 5n, 500n);
    const sixth = await update(world, thread, 6n, 0n);
    await world.manager.resolveThreadWithUpdate(signed, fifth, UPDATE_STATE, trick("answer", 900n));
    const { deadline } = await recordOf(world, hash);
    await time.setNextBlockTimestamp(deadline - PERIOD);
    const { manager } = world;
    const late = expect(manager.challengeThreadWithUpdate(bare(thread), sixth));
    await late.to.be.revertedWithCustomError(manager, "UpdatesClosed").withArgs(hash, deadline);
    const resolved = manager.resolveThreadWithUpdate(bare(thread), sixth, UPDATE_STATE, trick("answer", 1n));
    await expect(resolved).to.be.revertedWithCustomError(manager, "UpdatesClosed").withArgs(hash, deadline);
    expect(await recordOf(world, hash)).to.include({ nonce: 5n, balanceReceiver: 900n });
  });

  it("takes an update at the last second of its period, and leaves a whole period to resolve it", async () => {
    const { world, thread, signed, hash } = await application();
    await world.manager.challengeThread(signed);
    const { deadline } = await recordOf(world, hash);
    await time.setNextBlockTimestamp(deadline - PERIOD - 1n);
    await world.manager.challengeThreadWithUpdate(bare(thread), await update(world, thread, 6n, 0n));
    await time.setNextBlockTimestamp(deadline - 1n);
    const sixth = await update(world, thread, 6n, 0n);
    await world.manager.resolveThreadWithUpdate(bare(thread), sixth, UPDATE_STATE, trick("answer", 700n));
    expect(await recordOf(world, hash)).to.include({ nonce: 6n, balanceReceiver: 700n, resolved: true });
  });

  it("resolves a newer update over the resolution of an older one", async () => {
    const { world, thread, signed, hash } = await application();
    await world.manager.resolveThread(signed, TERMS_STATE, trick("answer", 1_000n));
    const { deadline } = await recordOf(world, hash);
    for (const [nonce, answer] of [
      [1n, 900n],
      [2n, 100n],
      [FINAL_NONCE - 1n, 450n],
    ] as const) {
      const newer = await update(world, thread, nonce, 500n);
      await world.manager.resolveThreadWithUpdate(bare(thread), newer, UPDATE_STATE, trick("answer", answer));
      const expected = record(deadline, { nonce, balanceReceiver: answer, resolved: true });
      expect(await recordOf(world, hash)).to.deep.equal(expected);
    }
  });

  it("forgets a resolution when a higher nonce is shown, and resolves that one afresh", async () => {
    const { world, thread, signed, hash } = await application();
    await world.manager.resolveThread(signed, TERMS_STATE, trick("answer", 1_000n));
    const { deadline } = await recordOf(world, hash);
    const newer = await update(world, thread, 1n, 500n);
    await world.manager.challengeThreadWithUpdate(bare(thread), newer);
    expect(await recordOf(world, hash)).to.deep.equal(record(deadline, { nonce: 1n, balanceReceiver: 500n }));
    await world.manager.resolveThreadWithUpdate(bare(thread), newer, UPDATE_STATE, trick("answer", 501n));
    const expected = record(deadline, { nonce: 1n, balanceReceiver: 501n, resolved: true });
    expect(await recordOf(world, hash)).to.deep.equal(expected);
  });
});
