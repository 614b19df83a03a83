import { expect } from "chai";
import { ethers } from "hardhat";
import { mine, setBalance, time } from "@nomicfoundation/hardhat-network-helpers";
import { agree, recordOf } from "../support/threads";
import {
  fundAlice,
  guardUntilQuiet,
  register,
  stateAt,
  statusOf,
  towerScene,
  windowPasses,
  wireThread,
  type TowerScene,
} from "../support/tower";
import { PERIOD, signPayment, unsigned, type SignedState } from "../support/world";

describe("a watchtower guards", () => {
  let scene: TowerScene;
  beforeEach(async () => {
    scene = await towerScene();
    await fundAlice(scene);
  });
  afterEach(() => scene.close());

  const exitAs = (who: "hub" | "alice", signed: SignedState) =>
    scene.world.manager.connect(scene.world[who]).startExit(...signed);
  const paidBy = async (act: () => Promise<unknown>): Promise<bigint> => {
    const before = await ethers.provider.getBalance(scene.world.alice);
    await act();
    return (await ethers.provider.getBalance(scene.world.alice)) - before;
  };

  it("an offline user against every older state, to the wei, and settles", async () => {
    const states: SignedState[] = [];
    for (let nonce = 1n; nonce <= 6n; nonce++) states.push(await stateAt(scene, nonce, 100n + nonce));
    const newest = states.at(-1) as SignedState;
    await register(scene, newest);
    let drills = 0;
    for (const old of [unsigned((await stateAt(scene, 0n, 0n))[0]), ...states.slice(0, -1)]) {
      const snapshot = (await ethers.provider.send("evm_snapshot", [])) as unknown;
      const given = old[0].nonce === 0n ? unsigned({ ...old[0], assets: old[0].assets.map(zeroRow) }) : old;
      await exitAs("hub", given);
      await guardUntilQuiet(scene);
      const { exitNonce } = await scene.world.manager.channelOf(scene.world.alice);
      expect(exitNonce).to.equal(6n);
      await windowPasses();
      expect(await paidBy(() => guardUntilQuiet(scene))).to.equal(106n);
      expect((await scene.world.manager.channelOf(scene.world.alice)).session).to.equal(1n);
      await ethers.provider.send("evm_revert", [snapshot]);
      for (const { id } of scene.store.calls(100)) scene.store.dropCall(id); // as if it had never happened
      drills += 1;
    }
    console.log(`      ${drills} older states`);
  });

  it("and never answers with an equal state, nor with an older one", async () => {
    const [old, newest] = [await stateAt(scene, 4n, 90n), await stateAt(scene, 5n, 95n)];
    await register(scene, old);
    await exitAs("alice", newest);
    await guardUntilQuiet(scene);
    expect(scene.store.calls(10)).to.deep.equal([]);
    await scene.restart();
    expect((await statusOf(scene, scene.world.alice.address)).alarms.map(({ text }) => text).join()).to.contain(
      "newer than what was registered",
    );
    await register(scene, newest);
    await guardUntilQuiet(scene);
    expect(scene.store.calls(10)).to.deep.equal([]);
    await windowPasses();
    expect(await paidBy(() => guardUntilQuiet(scene))).to.equal(95n);
  });

  it("what was registered while the exit already ran", async () => {
    await exitAs("hub", await stateAt(scene, 1n, 10n));
    await register(scene, await stateAt(scene, 2n, 150n));
    await guardUntilQuiet(scene);
    await windowPasses();
    expect(await paidBy(() => guardUntilQuiet(scene))).to.equal(150n);
  });

  it("by anybody's exit it heard nothing of: channels are looked at in turn", async () => {
    await register(scene, await stateAt(scene, 2n, 150n));
    await exitAs("hub", await stateAt(scene, 1n, 10n));
    scene.store.setNextBlock((await ethers.provider.getBlockNumber()) + 1_000); // its node left events out
    await guardUntilQuiet(scene);
    expect((await scene.world.manager.channelOf(scene.world.alice)).exitNonce).to.equal(2n);
  });

  it("again after a reorganisation took its challenge back", async () => {
    await register(scene, await stateAt(scene, 2n, 150n));
    await exitAs("hub", await stateAt(scene, 1n, 10n));
    const snapshot = (await ethers.provider.send("evm_snapshot", [])) as unknown;
    await guardUntilQuiet(scene);
    await ethers.provider.send("evm_revert", [snapshot]);
    expect((await scene.world.manager.channelOf(scene.world.alice)).exitNonce).to.equal(1n);
    await mine();
    await guardUntilQuiet(scene);
    expect((await scene.world.manager.channelOf(scene.world.alice)).exitNonce).to.equal(2n);
  });

  it("posts the evidence of a thread, and has its leg paid", async () => {
    const { thread, hash, signed } = await agree(scene.world, { balanceSender: 60n }, [
      scene.world.bob,
      scene.world.alice,
    ]);
    const evidence = wireThread(signed);
    const sigSender = await signPayment(scene.world, scene.world.bob, thread, 35n);
    const payment = { payment: { threadHash: hash, balanceReceiver: "35" }, sigSender };
    const state = await stateAt(scene, 3n, 80n, { threads: [thread] });
    const [first] = (await register(scene, state, [evidence])).threads;
    expect(first?.receipt.payment).to.equal("0");
    const [second] = (await register(scene, state, [{ ...evidence, payment }] as never)).threads;
    expect(second?.receipt.payment).to.equal("35");
    const [kept] = (await register(scene, state, [evidence])).threads; // less takes nothing away
    expect(kept?.receipt.payment).to.equal("35");
    await exitAs("hub", await stateAt(scene, 2n, 20n));
    await guardUntilQuiet(scene);
    await guardUntilQuiet(scene);
    expect((await recordOf(scene.world, hash)).balanceReceiver).to.equal(35n);
    await windowPasses();
    await windowPasses();
    const paid = await paidBy(async () => {
      await guardUntilQuiet(scene); // settles,
      await guardUntilQuiet(scene); // and has the leg paid
    });
    expect(paid).to.equal(80n + 35n);
    await guardUntilQuiet(scene);
    expect((await recordOf(scene.world, hash)).receiverPaid).to.equal(true);
    expect(scene.store.footprint(scene.world.alice.address.toLowerCase() as never).rows).to.equal(1);
  });

  it("a thread that somebody shows with less while the channel is open", async () => {
    const { thread, hash, signed } = await agree(scene.world, { balanceSender: 60n }, [
      scene.world.bob,
      scene.world.alice,
    ]);
    const sigSender = await signPayment(scene.world, scene.world.bob, thread, 35n);
    const payment = { payment: { threadHash: hash, balanceReceiver: "35" }, sigSender };
    const state = await stateAt(scene, 3n, 80n, { threads: [thread] });
    await register(scene, state, [{ ...wireThread(signed), payment }] as never);
    await scene.tower.tick();
    await scene.world.manager.connect(scene.world.carol).challengeThread(signed);
    await guardUntilQuiet(scene);
    expect((await recordOf(scene.world, hash)).balanceReceiver).to.equal(35n);
  });

  it("offers more as the deadline nears, and waits with an empty account instead of giving up", async () => {
    await register(scene, await stateAt(scene, 2n, 150n));
    await exitAs("hub", await stateAt(scene, 1n, 10n));
    await setBalance(scene.wallet.address, 0n);
    await scene.tower.tick();
    expect(scene.store.openCalls().map(({ status }) => status)).to.deep.equal(["queued"]);
    await setBalance(scene.wallet.address, 10n ** 20n);
    await ethers.provider.send("evm_setAutomine", [false]);
    try {
      await scene.tower.tick();
      const offers = [scene.store.openCalls()[0]?.sending?.maxFeePerGas ?? 0n];
      for (const left of [PERIOD / 2n, 1_800n]) {
        const { exitDeadline } = await scene.world.manager.channelOf(scene.world.alice);
        await ethers.provider.send("hardhat_dropTransaction", [scene.store.openCalls()[0]?.sending?.hashes[0]]);
        await time.setNextBlockTimestamp(exitDeadline - left);
        await mine();
        scene.clock.movedMs += 31_000;
        await scene.tower.tick();
        offers.push(scene.store.openCalls()[0]?.sending?.maxFeePerGas ?? 0n);
      }
      const [first = 0n, second = 0n, third = 0n] = offers;
      expect(second >= (first * 125n) / 100n && third >= (second * 15n) / 10n, offers.join()).to.equal(true);
    } finally {
      await ethers.provider.send("evm_setAutomine", [true]);
    }
    await mine();
    await guardUntilQuiet(scene);
    expect((await scene.world.manager.channelOf(scene.world.alice)).exitNonce).to.equal(2n);
  });

  it("the next session as well, in the same row", async () => {
    await register(scene, await stateAt(scene, 7n, 100n));
    await exitAs("hub", await stateAt(scene, 7n, 100n));
    await windowPasses();
    await guardUntilQuiet(scene);
    await fundAlice(scene);
    await register(scene, await stateAt(scene, 2n, 120n, { session: 1n }));
    await exitAs("hub", await stateAt(scene, 1n, 10n, { session: 1n }));
    await guardUntilQuiet(scene);
    await windowPasses();
    expect(await paidBy(() => guardUntilQuiet(scene))).to.equal(120n);
  });

  it("and cannot move anybody's funds: its key may do what anybody may", async () => {
    const { manager, alice } = scene.world;
    const tower = await ethers.getImpersonatedSigner(scene.wallet.address);
    const as = manager.connect(tower);
    await expect(as.startExit(...(await stateAt(scene, 1n, 10n)))).to.be.revertedWithCustomError(manager, "NotParty");
    await expect(as.recallReserve(ethers.ZeroAddress, 1n)).to.be.revertedWithCustomError(manager, "NotHubOrTreasury");
    await expect(
      as.collateralize([{ user: alice, asset: ethers.ZeroAddress, amount: 1n }]),
    ).to.be.revertedWithCustomError(manager, "NotHub");
    await expect(as.claim(ethers.ZeroAddress, tower)).to.be.revertedWithCustomError(manager, "NothingToClaim");
    const forged = await stateAt(scene, 9n, 0n);
    await expect(as.withdraw(forged[0], "0x", "0x")).to.be.revertedWithCustomError(manager, "InvalidSignature");
  });
});

function zeroRow<Row extends { readonly asset: unknown }>(given: Row): Row {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, key === "asset" ? value : 0n])) as Row;
}
