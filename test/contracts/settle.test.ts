import { expect } from "chai";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { TypedDataEncoder, id } from "ethers";
import { expectBooks, expectMoved } from "../support/books";
import { ETH, row, state } from "../support/states";
import { CHANNEL_STATE } from "../support/typed-data";
import {
  PERIOD,
  collateralize,
  deposit,
  exitToDeadline,
  freshWorld,
  signState,
  unsigned,
  type SignedState,
  type World,
} from "../support/world";

const ROOT = id("a thread root");

interface Exiting extends World {
  readonly asset: string;
  /** Nonce 5, the standing state. */
  readonly standing: SignedState;
  readonly deadline: bigint;
}

/**
 * Alice exits from this: of ETH 1000 of hers and 400 of the hub's, 30 and 7 executed, 23 and 5 more authorised, 100 in
 * threads; of the token 2000 of hers and 800 of the hub's. After that state she put in 61 more wei and the hub 13.
 */
async function exitingWorld(): Promise<Exiting> {
  const world = await freshWorld();
  const { manager, alice, carol } = world;
  const asset = await world.token.getAddress();
  await deposit(world, alice, 1_000n);
  await collateralize(world, alice, 400n);
  await deposit(world, alice, 2_000n, { asset });
  await collateralize(world, alice, 800n, asset);
  const ether = { depositedUser: 1_000n, depositedHub: 400n };
  const executed = row({ ...ether, balanceUser: 970n, balanceHub: 393n, withdrawnUser: 30n, withdrawnHub: 7n });
  await manager.connect(carol).withdraw(...(await signState(world, alice, state(alice.address, [executed]))));

  const rows = [
    row({ ...ether, balanceUser: 850n, balanceHub: 385n, locked: 100n, withdrawnUser: 53n, withdrawnHub: 12n }),
    row({ asset, depositedUser: 2_000n, depositedHub: 800n, balanceUser: 1_900n, balanceHub: 900n }),
  ];
  const standing = await signState(world, alice, state(alice.address, rows, { nonce: 5n, threadRoot: ROOT }));
  await manager.connect(alice).startExit(...standing);
  const { exitDeadline: deadline } = await manager.channelOf(alice);
  await deposit(world, alice, 61n);
  await deposit(world, alice, 13n, { forHub: true });
  return { ...world, asset, standing, deadline };
}

const hashOf = ([given]: SignedState): string => TypedDataEncoder.hashStruct("ChannelState", CHANNEL_STATE, given);

describe("settle", () => {
  it("refuses where no exit runs", async () => {
    const { manager, alice, carol } = await freshWorld();
    await expect(
      manager.connect(carol).settle(...unsigned(state(alice.address, [row()], { nonce: 0n }))),
    ).to.be.revertedWithCustomError(manager, "ChannelNotExiting");
  });

  it("refuses in the last second before the deadline", async () => {
    const { manager, alice, standing, deadline } = await exitingWorld();
    await time.setNextBlockTimestamp(deadline - 1n);
    await expect(manager.connect(alice).settle(...standing))
      .to.be.revertedWithCustomError(manager, "DeadlineNotReached")
      .withArgs(deadline);
  });

  for (const nonce of [4n, 6n]) {
    it(`refuses nonce ${String(nonce)} where 5 stands`, async () => {
      const world = await exitingWorld();
      const { manager, alice, carol, standing, deadline } = world;
      const other = await signState(world, alice, { ...standing[0], nonce });
      await time.increaseTo(deadline);
      await expect(manager.connect(carol).settle(...other))
        .to.be.revertedWithCustomError(manager, "NonceDiffers")
        .withArgs(5n, nonce);
    });
  }

  for (const [when, after] of [
    ["at the deadline", 0n],
    ["a second after it", 1n],
    ["years after it", 10n * 365n * 86_400n],
  ] as const) {
    it(`pays ${when}: balance, deposits not accounted for, withdrawals not executed, each to its side`, async () => {
      const world = await exitingWorld();
      const { manager, address, hub, alice, carol, asset, standing, deadline } = world;
      await time.setNextBlockTimestamp(deadline + after);
      const sent = manager.connect(carol).settle(...standing);
      await expect(sent)
        .to.emit(manager, "Settled")
        .withArgs(alice.address, 0n, 5n, hashOf(standing), ROOT)
        .and.to.emit(manager, "AssetSettled")
        .withArgs(alice.address, ETH, 0n, 850n + 61n + 23n, 385n + 13n + 5n, 100n)
        .and.to.emit(manager, "AssetSettled")
        .withArgs(alice.address, asset, 0n, 1_900n, 900n, 0n)
        .and.not.to.emit(manager, "PayoutFailed");
      await expectMoved(sent, ETH, [
        [address, -934n],
        [alice, 934n],
        [carol, 0n],
        [hub, 0n],
      ]);
      await expectMoved(sent, asset, [
        [address, -1_900n],
        [alice, 1_900n],
        [carol, 0n],
      ]);
      await expectBooks(world, alice.address, { holdings: 7n + 403n + 100n, reserve: 410n, locked: 100n });
      await expectBooks(world, alice.address, { holdings: 900n, reserve: 900n }, { asset });
      expect(await manager.threadRootOf(alice, 0n)).to.equal(ROOT);
      expect(await manager.channelOf(alice)).to.deep.equal([1n, 0n, 0n]);
    });
  }

  it("pays the user even where withdrawals name another recipient", async () => {
    const world = await freshWorld();
    const { manager, alice, bob, carol } = world;
    await deposit(world, alice, 100n);
    const rows = [row({ depositedUser: 100n, balanceUser: 60n, withdrawnUser: 40n })];
    const signed = await signState(world, alice, state(alice.address, rows, { recipient: bob.address }));
    await exitToDeadline(world, alice, signed);
    await expectMoved(manager.connect(carol).settle(...signed), ETH, [
      [alice, 100n],
      [bob, 0n],
    ]);
    await expectBooks(world, alice.address, {});
  });

  it("pays own deposits back to each side where nothing was ever signed", async () => {
    const world = await freshWorld();
    const { manager, alice, carol } = world;
    await deposit(world, alice, 70n);
    await collateralize(world, alice, 30n);
    const zero = unsigned(state(alice.address, [row()], { nonce: 0n }));
    await exitToDeadline(world, alice, zero);
    const sent = manager.connect(carol).settle(...zero);
    await expect(sent).to.emit(manager, "AssetSettled").withArgs(alice.address, ETH, 0n, 70n, 30n, 0n);
    await expectMoved(sent, ETH, [[alice, 70n]]);
    await expectBooks(world, alice.address, { holdings: 30n, reserve: 30n });
  });

  it("keeps no thread root and nothing locked where there were no threads", async () => {
    const world = await freshWorld();
    const { manager, alice, carol } = world;
    await deposit(world, alice, 70n);
    const signed = await signState(
      world,
      alice,
      state(alice.address, [row({ depositedUser: 70n, balanceUser: 69n, balanceHub: 1n })]),
    );
    await exitToDeadline(world, alice, signed);
    await manager.connect(carol).settle(...signed);
    expect(await manager.threadRootOf(alice, 0n)).to.equal(`0x${"00".repeat(32)}`);
    await expectBooks(world, alice.address, { holdings: 1n, reserve: 1n });
  });

  it("happens once", async () => {
    const { manager, carol, standing, deadline } = await exitingWorld();
    await time.increaseTo(deadline);
    await manager.connect(carol).settle(...standing);
    await expect(manager.connect(carol).settle(...standing)).to.be.revertedWithCustomError(
      manager,
      "ChannelNotExiting",
    );
  });

  it("B-2: anybody may settle, and each gets the same", async () => {
    for (const who of ["alice", "hub", "treasury", "bob", "carol"] as const) {
      const world = await exitingWorld();
      await time.increaseTo(world.deadline);
      await world.manager.connect(world[who]).settle(...world.standing);
      await expectBooks(world, world.alice.address, { holdings: 510n, reserve: 410n, locked: 100n });
    }
  });

  it("B-7: whatever was signed before a settlement is dead after it, the unsigned state included", async () => {
    const world = await exitingWorld();
    const { manager, alice, hub, carol, standing, deadline } = world;
    const newer = await signState(world, alice, { ...standing[0], nonce: 99n });
    const zero = unsigned(state(alice.address, [row()], { nonce: 0n }));
    await time.increaseTo(deadline);
    await manager.connect(carol).settle(...standing);
    await deposit(world, alice, 5_000n);
    await collateralize(world, alice, 5_000n);
    for (const dead of [standing, newer, zero]) {
      await expect(manager.connect(carol).withdraw(...dead))
        .to.be.revertedWithCustomError(manager, "SessionMismatch")
        .withArgs(1n, 0n);
      await expect(manager.connect(hub).startExit(...dead))
        .to.be.revertedWithCustomError(manager, "SessionMismatch")
        .withArgs(1n, 0n);
    }
    await manager.connect(alice).startExit(...unsigned({ ...zero[0], session: 1n }));
    await expect(manager.connect(hub).challenge(...newer))
      .to.be.revertedWithCustomError(manager, "SessionMismatch")
      .withArgs(1n, 0n);
    await time.increase(PERIOD);
    await expect(manager.connect(hub).settle(...zero))
      .to.be.revertedWithCustomError(manager, "SessionMismatch")
      .withArgs(1n, 0n);
  });

  it("opens the channel again: the next session lives, exits and settles by itself", async () => {
    const world = await exitingWorld();
    const { manager, alice, carol, standing, deadline } = world;
    await time.increaseTo(deadline);
    await manager.connect(carol).settle(...standing);
    await deposit(world, alice, 40n);
    const rows = [row({ depositedUser: 40n, balanceUser: 37n, balanceHub: 3n })];
    const next = await signState(world, alice, state(alice.address, rows, { session: 1n }));
    await exitToDeadline(world, alice, next);
    const sent = manager.connect(carol).settle(...next);
    await expect(sent).to.emit(manager, "AssetSettled").withArgs(alice.address, ETH, 1n, 37n, 3n, 0n);
    await expectMoved(sent, ETH, [[alice, 37n]]);
    expect(await manager.channelOf(alice)).to.deep.equal([2n, 0n, 0n]);
    expect(await manager.threadRootOf(alice, 0n)).to.equal(ROOT);
    await expectBooks(world, alice.address, { holdings: 513n, reserve: 413n }, { session: 1n });
  });

  it("N-3: no agreement settles early, so that a tower has the whole window to show the newest state", async () => {
    const world = await exitingWorld();
    const { manager, hub, alice, carol, treasury, standing, deadline } = world;
    for (const caller of [alice, hub, treasury, carol]) {
      await expect(manager.connect(caller).settle(...standing))
        .to.be.revertedWithCustomError(manager, "DeadlineNotReached")
        .withArgs(deadline);
    }
    const newest = await signState(world, alice, { ...standing[0], nonce: 6n });
    await time.setNextBlockTimestamp(deadline - 1n);
    await manager.connect(carol).challenge(...newest);
    await expect(manager.connect(hub).settle(...standing))
      .to.be.revertedWithCustomError(manager, "NonceDiffers")
      .withArgs(6n, 5n);
  });
});
