import { expect } from "chai";
import { ethers } from "hardhat";
import { setCode, takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import { id, keccak256, sha256, type ContractTransactionResponse } from "ethers";
import { PERIOD, freshWorld, type World } from "../support/world";
import { ETH } from "../support/states";
import { agree, endSession, recordOf } from "../support/threads";
import { trick } from "../support/thread-apps";

/** Fine around the allowances for payouts (50,000, 200,000) and apps (500,000), and far beyond what coverage adds. */
const GAS_LIMITS = [
  ...Array.from({ length: 60 }, (_, i) => 60_000 + 12_500 * i),
  ...Array.from({ length: 10 }, (_, i) => 1_000_000 + 200_000 * i),
];

/** What `observe` says after `act` with each gas limit, each time from the same chain; undefined where it reverted. */
async function sweep<T>(
  act: (gasLimit: number) => Promise<ContractTransactionResponse>,
  observe: () => Promise<T>,
): Promise<(T | undefined)[]> {
  const snapshot = await takeSnapshot();
  const before = await observe();
  const seen: (T | undefined)[] = [];
  for (const gasLimit of GAS_LIMITS) {
    const succeeded = await act(gasLimit).then(
      () => true,
      () => false,
    );
    if (!succeeded) expect(await observe()).to.deep.equal(before);
    seen.push(succeeded ? await observe() : undefined);
    await snapshot.restore();
  }
  return seen;
}

/** Reverts up to some limit, and from there on always the same result as with unlimited gas. */
function expectAllOrNothing<T>(seen: readonly (T | undefined)[]): T {
  const first = seen.findIndex((result) => result !== undefined);
  expect(first, "no limit was too low, or none was enough").to.be.greaterThan(0);
  const unlimited = seen.at(-1);
  for (const result of seen.slice(first)) expect(result).to.deep.equal(unlimited);
  return unlimited!;
}

describe("ChannelManager, threads relayed with any gas limit", () => {
  const apps: [what: string, resolver: string][] = [
    ["answers with the gas it was given", trick("answerGasLeft")],
    ["answers at once", trick("answer", 300n)],
  ];
  for (const [what, resolver] of apps) {
    it(`resolves by an app that ${what} as with unlimited gas, or not at all`, async () => {
      const world = await freshWorld();
      const app = await (await ethers.deployContract("HostileApp")).getAddress();
      const overrides = { app, appStateHash: keccak256("0x"), updatable: true, balanceSender: 10n ** 9n };
      const { signed, hash } = await agree(world, overrides);
      await world.manager.challengeThread(signed);
      const seen = await sweep(
        (gasLimit) => world.manager.resolveThread(signed, "0x", resolver, { gasLimit }),
        () => recordOf(world, hash),
      );
      expect(expectAllOrNothing(seen).resolved).to.be.true;
    });
  }

  it("pays a hashlock, or not at all", async () => {
    const world = await freshWorld();
    const app = await world.hashlock.getAddress();
    const lock = sha256(id("secret"));
    const { signed, hash } = await agree(world, { app, appStateHash: keccak256(lock) });
    await world.manager.challengeThread(signed);
    const seen = await sweep(
      (gasLimit) => world.manager.resolveThread(signed, lock, id("secret"), { gasLimit }),
      () => recordOf(world, hash),
    );
    expect(expectAllOrNothing(seen).balanceReceiver).to.equal(100n);
  });

  /** Writes two fresh slots, 44,200 gas: just within the allowance of a payout in ether. */
  const HUNGRY = "0x6001600155600160025500";

  async function endedLeg(): Promise<{
    world: World;
    settle: (gasLimit: number) => Promise<ContractTransactionResponse>;
  }> {
    const world = await freshWorld();
    const { thread, signed } = await agree(world);
    await world.manager.challengeThread(signed);
    await endSession(world, world.alice, [thread]);
    await time.increase(PERIOD);
    const relay = world.manager.connect(world.carol);
    return { world, settle: (gasLimit) => relay.settleThread(world.alice, 0n, thread, [], { gasLimit }) };
  }

  it("pays a leg to a payee that needs most of its allowance, or not at all", async () => {
    const { world, settle } = await endedLeg();
    await setCode(world.alice.address, HUNGRY);
    const before = await ethers.provider.getBalance(world.alice);
    const seen = await sweep(settle, () => ethers.provider.getBalance(world.alice));
    expect(expectAllOrNothing(seen)).to.equal(before + 100n);
  });

  it("leaves a leg claimable to a payee that burns its allowance, or does nothing at all", async () => {
    const { world, settle } = await endedLeg();
    await setCode(world.alice.address, "0x5b600056"); // loops for ever
    const seen = await sweep(settle, () => world.manager.claimableOf(world.alice, ETH));
    expect(expectAllOrNothing(seen)).to.equal(100n);
  });

  it("names the gas that a payout needs", async () => {
    const { world, settle } = await endedLeg();
    const needed = (50_000n * 64n) / 63n + 40_000n;
    await expect(settle(120_000))
      .to.be.revertedWithCustomError(world.manager, "InsufficientGas")
      .withArgs(needed, (left: bigint) => left < needed);
  });
});
