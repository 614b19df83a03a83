import { expect } from "chai";
import { ethers } from "hardhat";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { anyValue } from "@nomicfoundation/hardhat-chai-matchers/withArgs";
import { id, keccak256, sha256 } from "ethers";
import { PERIOD, freshWorld, signUpdate, type World } from "../support/world";
import type { Terms } from "../support/states";
import { agree, bare, nextTimestamp, record, recordOf, timestamp, type Agreed } from "../support/threads";
import { trick } from "../support/thread-apps";

const PREIMAGE = id("secret");
const HASHLOCK = sha256(PREIMAGE);

/** A conditional payment of 90 from Alice to Bob, who has 10 already, for the preimage. */
async function conditional(overrides: Partial<Terms> = {}): Promise<{ world: World } & Agreed> {
  const world = await freshWorld();
  const app = await world.hashlock.getAddress();
  const lock = { app, appStateHash: keccak256(HASHLOCK), balanceSender: 90n, balanceReceiver: 10n };
  return { world, ...(await agree(world, { ...lock, ...overrides })) };
}

/** A thread of 1,000, of which Bob has 200, whose app does what its resolver says. Its app state is empty. */
async function hostile(overrides: Partial<Terms> = {}): Promise<{ world: World } & Agreed> {
  const world = await freshWorld();
  const app = await (await ethers.deployContract("HostileApp")).getAddress();
  const stakes = { balanceSender: 800n, balanceReceiver: 200n };
  const terms = { app, appStateHash: keccak256("0x"), ...stakes, ...overrides };
  return { world, ...(await agree(world, terms)) };
}

describe("ChannelManager.resolveThread", () => {
  it("refuses a thread without an app", async () => {
    const world = await freshWorld();
    const { signed, hash } = await agree(world, { appStateHash: keccak256("0x") });
    await expect(world.manager.resolveThread(signed, "0x", "0x"))
      .to.be.revertedWithCustomError(world.manager, "ThreadHasNoApp")
      .withArgs(hash);
  });

  it("refuses terms that their parties did not sign", async () => {
    const { world, signed } = await conditional();
    for (const [field, party] of [
      ["sigSender", world.alice],
      ["sigReceiver", world.bob],
    ] as const) {
      await expect(world.manager.resolveThread({ ...signed, [field]: "0x" }, HASHLOCK, PREIMAGE))
        .to.be.revertedWithCustomError(world.manager, "InvalidSignature")
        .withArgs(party.address);
    }
  });

  it("refuses an app state that is not the one in the terms", async () => {
    const { world, signed } = await conditional();
    const own = sha256("0x01");
    await expect(world.manager.resolveThread(signed, own, "0x01"))
      .to.be.revertedWithCustomError(world.manager, "AppStateMismatch")
      .withArgs(keccak256(HASHLOCK), keccak256(own));
  });

  it("refuses the terms' app state once an update stands", async () => {
    const { world, thread, signed } = await conditional({ updatable: true });
    const update = await signUpdate(world, world.alice, world.bob, thread, { nonce: 3n, balanceReceiver: 5n });
    await world.manager.challengeThreadWithUpdate(signed, update);
    await expect(world.manager.resolveThread(signed, HASHLOCK, PREIMAGE))
      .to.be.revertedWithCustomError(world.manager, "NonceNotHigher")
      .withArgs(3n, 0n);
  });

  for (const [answer, standing] of [
    [0n, 200n],
    [199n, 200n],
    [200n, 200n],
  ] as const) {
    it(`refuses an answer of ${answer} where the receiver has ${standing} and the thread is not updatable`, async () => {
      const { world, signed } = await hostile();
      await expect(world.manager.resolveThread(signed, "0x", trick("answer", answer)))
        .to.be.revertedWithCustomError(world.manager, "BalanceNotHigher")
        .withArgs(standing, answer);
    });
  }

  for (const updatable of [false, true]) {
    it(`refuses an answer above the sum of ${updatable ? "an updatable" : "a"} thread`, async () => {
      const { world, signed } = await hostile({ updatable });
      for (const answer of [1_001n, 2n ** 128n - 1n]) {
        await expect(world.manager.resolveThread(signed, "0x", trick("answer", answer)))
          .to.be.revertedWithCustomError(world.manager, "BalanceAboveSum")
          .withArgs(1_000n, answer);
      }
    });
  }

  it("refuses to resolve from the deadline on", async () => {
    const { world, signed, hash } = await conditional();
    await world.manager.challengeThread(signed);
    await time.setNextBlockTimestamp((await timestamp()) + PERIOD);
    await expect(world.manager.resolveThread(signed, HASHLOCK, PREIMAGE))
      .to.be.revertedWithCustomError(world.manager, "ThreadIsFinal")
      .withArgs(hash);
  });

  it("refuses to resolve what the receiver has won already", async () => {
    const { world, signed, hash } = await conditional();
    await world.manager.resolveThread(signed, HASHLOCK, PREIMAGE);
    const again = expect(world.manager.resolveThread(signed, HASHLOCK, PREIMAGE));
    await again.to.be.revertedWithCustomError(world.manager, "ThreadIsFinal").withArgs(hash);
  });

  it("refuses to open a record of terms that already give the receiver all", async () => {
    const { world, signed, hash } = await conditional({ balanceSender: 0n });
    const opening = expect(world.manager.resolveThread(signed, HASHLOCK, PREIMAGE));
    await opening.to.be.revertedWithCustomError(world.manager, "ThreadIsFinal").withArgs(hash);
  });

  it("refuses a second resolution of an updatable thread's terms: the first stands", async () => {
    const { world, signed, hash } = await hostile({ updatable: true });
    await world.manager.resolveThread(signed, "0x", trick("answer", 300n));
    for (const answer of [299n, 300n, 301n]) {
      await expect(world.manager.resolveThread(signed, "0x", trick("answer", answer)))
        .to.be.revertedWithCustomError(world.manager, "AlreadyResolved")
        .withArgs(hash, 0n);
    }
    expect((await world.manager.recordOf(hash)).balanceReceiver).to.equal(300n);
  });

  it("refuses a call with too little gas for the app's whole allowance", async () => {
    const { world, signed } = await conditional();
    const needed = (500_000n * 64n) / 63n + 40_000n;
    await expect(world.manager.resolveThread(signed, HASHLOCK, PREIMAGE, { gasLimit: 400_000 }))
      .to.be.revertedWithCustomError(world.manager, "InsufficientGas")
      .withArgs(needed, (left: bigint) => left < needed);
  });

  it("opens the record with the resolution, whoever shows it", async () => {
    const { world, signed, hash } = await conditional();
    const deadline = (await nextTimestamp()) + PERIOD;
    const resolving = world.manager.connect(world.carol).resolveThread(signed, HASHLOCK, PREIMAGE);
    await expect(resolving)
      .to.emit(world.manager, "ThreadResolved")
      .withArgs(hash, world.alice.address, world.bob.address, 0n, 100n, deadline, PREIMAGE);
    await expect(resolving).not.to.emit(world.manager, "ThreadChallenged");
    const expected = record(deadline, { balanceReceiver: 100n, resolved: true });
    expect(await recordOf(world, hash)).to.deep.equal(expected);
  });

  it("resolves an open record to the last second, without the signatures of the terms, and leaves the deadline", async () => {
    const { world, thread, signed, hash } = await conditional();
    await world.manager.challengeThread(signed);
    const deadline = (await timestamp()) + PERIOD;
    await time.setNextBlockTimestamp(deadline - 1n);
    await expect(world.manager.resolveThread(bare(thread), HASHLOCK, PREIMAGE))
      .to.emit(world.manager, "ThreadResolved")
      .withArgs(hash, world.alice.address, world.bob.address, 0n, 100n, deadline, PREIMAGE);
    const expected = record(deadline, { balanceReceiver: 100n, resolved: true });
    expect(await recordOf(world, hash)).to.deep.equal(expected);
  });

  it("lets the app raise the receiver again and again where the thread is not updatable", async () => {
    const { world, signed, hash } = await hostile();
    for (const answer of [201n, 202n, 999n]) {
      await expect(world.manager.resolveThread(signed, "0x", trick("answer", answer)))
        .to.emit(world.manager, "ThreadResolved")
        .withArgs(hash, world.alice.address, world.bob.address, 0n, answer, anyValue, trick("answer", answer));
    }
    expect((await world.manager.recordOf(hash)).balanceReceiver).to.equal(999n);
  });

  for (const answer of [0n, 199n, 1_000n]) {
    it(`lets the app give the receiver ${answer} where the thread is updatable and he had 200`, async () => {
      const { world, signed, hash } = await hostile({ updatable: true });
      const deadline = (await nextTimestamp()) + 2n * PERIOD;
      await world.manager.resolveThread(signed, "0x", trick("answer", answer));
      const expected = record(deadline, { balanceReceiver: answer, resolved: true });
      expect(await recordOf(world, hash)).to.deep.equal(expected);
    });
  }

  it("accepts the greatest answer there is", async () => {
    const all = 2n ** 128n - 1n;
    const { world, signed, hash } = await hostile({ balanceSender: all, balanceReceiver: 0n });
    await world.manager.resolveThread(signed, "0x", trick("answer", all));
    expect((await world.manager.recordOf(hash)).balanceReceiver).to.equal(all);
  });
});
