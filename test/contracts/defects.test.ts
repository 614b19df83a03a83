import { expect } from "chai";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expectBooks, expectMoved } from "../support/books";
import { ETH, row, state, terms, type AssetRow } from "../support/states";
import { rootOf } from "../support/thread-tree";
import {
  PERIOD,
  collateralize,
  deposit,
  exitToDeadline,
  freshWorld,
  signPayment,
  signState,
  signThread,
  threadHash,
  type World,
} from "../support/world";

// Defects of the predecessor that no single function owns. The others bear their ids in the files of the functions.

const YEAR = 365n * 86_400n;

describe("A-4: balances above the channel's total", () => {
  async function fundedWorld(): Promise<World> {
    const world = await freshWorld();
    await deposit(world, world.alice, 100n);
    await collateralize(world, world.alice, 40n);
    return world;
  }

  const excesses: readonly (readonly [title: string, ether: Partial<AssetRow>])[] = [
    ["a balance above it", { balanceUser: 101n, balanceHub: 40n }],
    ["both balances together above it", { balanceUser: 71n, balanceHub: 70n }],
    ["a withdrawal above it", { balanceHub: 40n, withdrawnUser: 101n }],
    ["balance and withdrawal together above it", { balanceUser: 51n, balanceHub: 40n, withdrawnUser: 50n }],
  ];
  for (const [title, ether] of excesses) {
    it(`are refused although both signed: ${title}`, async () => {
      const world = await fundedWorld();
      const { manager, alice, carol } = world;
      const rows = [row({ depositedUser: 100n, depositedHub: 40n, ...ether })];
      const signed = await signState(world, alice, state(alice.address, rows));
      for (const call of [
        () => manager.connect(carol).withdraw(...signed),
        () => manager.connect(alice).startExit(...signed),
      ]) {
        await expect(call()).to.be.revertedWithCustomError(manager, "NotConserved").withArgs(ETH);
      }
    });
  }

  it("cannot come about later: an accepted exit settles whatever happens to the counters meanwhile", async () => {
    const world = await fundedWorld();
    const { manager, hub, alice, bob, carol } = world;
    const rows = [row({ depositedUser: 90n, depositedHub: 40n, balanceUser: 110n, withdrawnUser: 20n })];
    const signed = await signState(world, alice, state(alice.address, rows));
    await manager.connect(hub).startExit(...signed);
    await manager.connect(bob).deposit(alice, ETH, 3n, false, { value: 3n });
    await manager.connect(bob).deposit(alice, ETH, 5n, true, { value: 5n });
    await collateralize(world, alice, 7n);
    await time.increase(PERIOD);
    await expectMoved(manager.connect(carol).settle(...signed), ETH, [[alice, 110n + 20n + 10n + 3n]]);
    await expectBooks(world, alice.address, { holdings: 12n, reserve: 12n });
  });
});

describe("A-5, A-6: expiry that pre-empts a running dispute", () => {
  it("does not exist: a channel settles around a disputed thread, and nobody can touch what is locked", async () => {
    const world = await freshWorld();
    const { manager, hub, alice, bob, carol } = world;
    await deposit(world, alice, 100n);
    const thread = terms(alice.address, bob.address, { balanceSender: 60n });
    const hash = threadHash(thread);
    const rows = [row({ depositedUser: 100n, balanceUser: 33n, balanceHub: 7n, locked: 60n })];
    const newest = await signState(world, alice, state(alice.address, rows, { threadRoot: rootOf([hash]) }));
    await exitToDeadline(world, alice, newest);
    // the dispute about the thread begins when the channel's window is over, and has a whole window of its own
    await manager.connect(bob).challengeThread(await signThread(world, alice, bob, thread));
    await expectMoved(manager.connect(alice).settle(...newest), ETH, [[alice, 33n]]);
    await expectBooks(world, alice.address, { holdings: 67n, reserve: 7n, locked: 60n });

    await expect(manager.connect(alice).reclaim(alice, 0n, ETH)).to.be.revertedWithCustomError(
      manager,
      "NothingToReclaim",
    );
    await expect(manager.connect(hub).recallReserve(ETH, 8n)).to.be.revertedWithCustomError(manager, "ReserveTooLow");
    await expect(manager.connect(alice).settleThread(alice, 0n, thread, [])).to.be.revertedWithCustomError(
      manager,
      "ThreadNotFinal",
    );
    const { deadline } = await manager.recordOf(hash);
    await time.setNextBlockTimestamp(deadline - 1n);
    await manager
      .connect(bob)
      .challengeThreadWithPayment(
        await signThread(world, alice, bob, thread),
        45n,
        await signPayment(world, alice, thread, 45n),
      );
    await expectMoved(manager.connect(carol).settleThread(alice, 0n, thread, []), ETH, [
      [alice, 15n],
      [carol, 0n],
    ]);
    await expectBooks(world, alice.address, { holdings: 52n, reserve: 52n });
  });

  it("does not exist: years of silence after the deadline pay what the standing state says, to both", async () => {
    const world = await freshWorld();
    const { manager, hub, alice, carol } = world;
    await deposit(world, alice, 100n);
    const rows = [row({ depositedUser: 100n, balanceUser: 64n, balanceHub: 36n })];
    const newest = await signState(world, alice, state(alice.address, rows));
    await exitToDeadline(world, alice, newest);
    await time.increase(10n * YEAR);
    await expectMoved(manager.connect(carol).settle(...newest), ETH, [
      [alice, 64n],
      [hub, 0n],
      [carol, 0n],
    ]);
    await expectBooks(world, alice.address, { holdings: 36n, reserve: 36n });
  });
});

describe("B-3: states that could not be used to exit", () => {
  it("do not exist: any state that withdraws also exits, years later, and as an answer", async () => {
    const world = await freshWorld();
    const { manager, alice, carol } = world;
    await deposit(world, alice, 100n);
    const rows = [row({ depositedUser: 100n, balanceUser: 55n, balanceHub: 15n, withdrawnUser: 30n })];
    const older = await signState(world, alice, state(alice.address, rows));
    const newer = await signState(world, alice, state(alice.address, rows, { nonce: 2n, recipient: carol.address }));
    await time.increase(20n * YEAR);
    await manager.connect(alice).startExit(...older);
    await manager.connect(carol).challenge(...newer);
    await time.increase(PERIOD);
    await expectMoved(manager.connect(carol).settle(...newer), ETH, [
      [alice, 85n],
      [carol, 0n],
    ]);
    await expectBooks(world, alice.address, { holdings: 15n, reserve: 15n });
  });
});

describe("O-3: history rolled back by a state that was thought dead", () => {
  it("does not happen: an older state cannot undo a withdrawal, and the newest beats it in an exit", async () => {
    const world = await freshWorld();
    const { manager, hub, alice, carol } = world;
    await deposit(world, alice, 100n);
    const old = await signState(
      world,
      alice,
      state(alice.address, [row({ depositedUser: 100n, balanceUser: 70n, withdrawnUser: 30n })]),
    );
    const newest = await signState(
      world,
      alice,
      state(alice.address, [row({ depositedUser: 100n, balanceUser: 5n, balanceHub: 65n, withdrawnUser: 30n })], {
        nonce: 2n,
      }),
    );
    await manager.connect(carol).withdraw(...newest);
    await expectMoved(manager.connect(alice).withdraw(...old), ETH, [[alice, 0n]]);
    await manager.connect(alice).startExit(...old);
    await manager.connect(hub).challenge(...newest);
    await time.increase(PERIOD);
    await expect(manager.connect(alice).settle(...old))
      .to.be.revertedWithCustomError(manager, "NonceDiffers")
      .withArgs(2n, 1n);
    await expectMoved(manager.connect(hub).settle(...newest), ETH, [[alice, 5n]]);
    await expectBooks(world, alice.address, { holdings: 65n, reserve: 65n });
  });
});
