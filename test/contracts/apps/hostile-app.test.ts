import { expect } from "chai";
import { ethers } from "hardhat";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { keccak256 } from "ethers";
import type { HostileApp } from "../../../typechain-types";
import { PERIOD, freshWorld, type World } from "../../support/world";
import { agree, bare, endSession, movementOf, recordOf, type Agreed } from "../../support/threads";
import { trick } from "../../support/thread-apps";
import { proveThread } from "../../support/thread-tree";

/** An updatable thread of 1,000, of which Bob has 200, whose app does what its resolver says. */
async function hostile(): Promise<{ world: World; app: HostileApp } & Agreed> {
  const world = await freshWorld();
  const app = await ethers.deployContract("HostileApp");
  const stakes = { updatable: true, balanceSender: 800n, balanceReceiver: 200n };
  return {
    world,
    app,
    ...(await agree(world, { app: await app.getAddress(), appStateHash: keccak256("0x"), ...stakes })),
  };
}

describe("Hostile thread apps", () => {
  const failures: [what: string, resolver: string][] = [
    ["reverts", trick("fail", 300n, 0)],
    ["reverts with a plausible answer", trick("fail", 300n, 32)],
    ["burns all its gas", trick("burnGas")],
    ["tries to write", trick("write", 300n)],
    ["answers nothing", trick("answer", 300n, 0)],
    ["answers with 31 bytes", trick("answer", 300n << 8n, 31)],
    ["answers with 33 bytes", trick("answer", 300n, 33)],
    ["answers with 64 bytes", trick("answer", 300n, 64)],
    ["answers with more than 128 bits", trick("answer", (1n << 128n) + 300n)],
    ["answers with all 256 bits", trick("answer", 2n ** 256n - 1n)],
    ["does not understand its resolver", "0x"],
  ];
  for (const [what, resolver] of failures) {
    it(`refuses one that ${what}, and leaves the record as it was`, async () => {
      const { world, app, thread, signed, hash } = await hostile();
      await world.manager.challengeThread(signed);
      const before = await recordOf(world, hash);
      await expect(world.manager.resolveThread(bare(thread), "0x", resolver))
        .to.be.revertedWithCustomError(world.manager, "AppFailed")
        .withArgs(thread.app);
      expect(await recordOf(world, hash)).to.deep.equal(before);
      expect(await app.written()).to.equal(0n);
    });
  }

  it("does not pay for a return bomb, in an answer or in a revert", async () => {
    const { world, signed, thread } = await hostile();
    for (const name of ["answer", "fail"] as const) {
      // Memory for 448,000 bytes costs the app 425,000 gas; whoever copied them would need as much again.
      const bomb = world.manager.resolveThread(signed, "0x", trick(name, 300n, 448_000), { gasLimit: 800_000 });
      await expect(bomb).to.be.revertedWithCustomError(world.manager, "AppFailed").withArgs(thread.app);
    }
  });

  it("refuses what is no app at all: accounts, precompiles or contracts of another kind", async () => {
    const world = await freshWorld();
    const identity = "0x0000000000000000000000000000000000000004";
    for (const app of [world.carol.address, identity, world.address, await world.token.getAddress()]) {
      const { signed } = await agree(world, { updatable: true, app, appStateHash: keccak256("0x") });
      await expect(world.manager.resolveThread(signed, "0x", "0x"))
        .to.be.revertedWithCustomError(world.manager, "AppFailed")
        .withArgs(app);
    }
  });

  for (const name of ["fail", "burnGas"] as const) {
    it(`hurts only its own thread with "${name}": that pays the standing balances, its neighbour its own outcome`, async () => {
      const { world, thread, signed, hash } = await hostile();
      const { bob, carol, manager } = world;
      const good = { app: thread.app, appStateHash: thread.appStateHash, balanceSender: 50n };
      const neighbour = await agree(world, good);
      await manager.challengeThread(signed);
      await expect(manager.resolveThread(signed, "0x", trick(name))).to.be.revertedWithCustomError(
        manager,
        "AppFailed",
      );
      await manager.resolveThread(neighbour.signed, "0x", trick("answer", 33n));
      await endSession(world, bob, [thread, neighbour.thread]);
      await time.increase(PERIOD);
      const hashes = [hash, neighbour.hash];
      for (const [leg, user, reserve] of [
        [thread, 200n, 800n],
        [neighbour.thread, 33n, 17n],
      ] as const) {
        const proof = proveThread(hashes, await manager.hashThread(leg));
        const settle = (): ReturnType<typeof manager.settleThread> =>
          manager.connect(carol).settleThread(bob, 0n, leg, proof);
        const moved = await movementOf(world, { user: bob, session: 0n }, settle);
        expect(moved).to.deep.equal({ user, reserve, locked: -user - reserve, claimable: 0n, held: -user });
      }
    });
  }
});
