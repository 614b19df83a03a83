import { expect } from "chai";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expectBooks, expectMoved } from "../support/books";
import { row, state } from "../support/states";
import { exitToDeadline, freshWorld, signState, unsigned, type World } from "../support/world";

const MAX = 2n ** 128n - 1n;

/** A world in which Alice and the hub hold more of the token than a counter can count. */
async function wealthyWorld(): Promise<World & { readonly asset: string }> {
  const world = await freshWorld();
  for (const holder of [world.alice, world.hub]) await world.token.mint(holder, 2n ** 130n);
  return { ...world, asset: await world.token.getAddress() };
}

describe("uint128 limits", () => {
  for (const forHub of [false, true]) {
    it(`let a deposit fill the ${forHub ? "hub" : "user"}'s counter and refuse one unit more`, async () => {
      const world = await wealthyWorld();
      const { manager, alice, asset } = world;
      await manager.connect(alice).deposit(alice, asset, MAX, forHub);
      await expect(manager.connect(alice).deposit(alice, asset, 1n, forHub))
        .to.be.revertedWithCustomError(manager, "SafeCastOverflowedUintDowncast")
        .withArgs(128n, MAX + 1n);
      const counter = forHub ? { depositedHub: MAX } : { depositedUser: MAX };
      await expectBooks(world, alice.address, { holdings: MAX, ...counter }, { asset });
    });
  }

  it("let collateral fill the hub's counter and refuse one unit more", async () => {
    const world = await wealthyWorld();
    const { manager, hub, alice, asset } = world;
    await manager.connect(hub).fundReserve(asset, MAX);
    await manager.connect(hub).fundReserve(asset, 1n);
    await manager.connect(hub).collateralize([{ user: alice, asset, amount: MAX }]);
    await expect(manager.connect(hub).collateralize([{ user: alice, asset, amount: 1n }]))
      .to.be.revertedWithCustomError(manager, "SafeCastOverflowedUintDowncast")
      .withArgs(128n, MAX + 1n);
    await expectBooks(world, alice.address, { holdings: MAX + 1n, reserve: 1n, depositedHub: MAX }, { asset });
  });

  it("do not bound the reserve", async () => {
    const world = await wealthyWorld();
    const { manager, hub, treasury, asset } = world;
    await manager.connect(hub).fundReserve(asset, MAX);
    await manager.connect(hub).fundReserve(asset, MAX);
    await expectMoved(manager.connect(hub).recallReserve(asset, 2n * MAX), asset, [[treasury, 2n * MAX]]);
  });

  it("let two full counters be withdrawn, to the last unit", async () => {
    const world = await wealthyWorld();
    const { manager, hub, alice, carol, asset } = world;
    await manager.connect(alice).deposit(alice, asset, MAX, false);
    await manager.connect(hub).deposit(alice, asset, MAX, true);
    const all = row({ asset, depositedUser: MAX, depositedHub: MAX, withdrawnUser: MAX, withdrawnHub: MAX });
    const signed = await signState(world, alice, state(alice.address, [all]));
    await expectMoved(manager.connect(carol).withdraw(...signed), asset, [[alice, MAX]]);
    await expectBooks(
      world,
      alice.address,
      { holdings: MAX, reserve: MAX, depositedUser: MAX, depositedHub: MAX, withdrawnUser: MAX, withdrawnHub: MAX },
      { asset },
    );
  });

  it("A-4: let a settlement pay more than 128 bits to one side, so that it never reverts for arithmetic", async () => {
    const world = await wealthyWorld();
    const { manager, hub, alice, carol, asset } = world;
    await manager.connect(hub).deposit(alice, asset, MAX, true);
    // all of the hub's is Alice's by now, half of it withdrawn on paper; then she fills her own counter
    const half = MAX / 2n;
    const rows = [row({ asset, depositedHub: MAX, balanceUser: MAX - half, withdrawnUser: half })];
    const signed = await signState(world, alice, state(alice.address, rows));
    await manager.connect(alice).startExit(...signed);
    await manager.connect(alice).deposit(alice, asset, MAX, false);
    await time.increase(10n ** 6n);
    const sent = manager.connect(carol).settle(...signed);
    await expect(sent)
      .to.emit(manager, "AssetSettled")
      .withArgs(alice.address, asset, 0n, 2n * MAX, 0n, 0n);
    await expectMoved(sent, asset, [[alice, 2n * MAX]]);
    await expectBooks(world, alice.address, {}, { asset });
  });

  it("A-4: let a settlement book more than 128 bits to the reserve", async () => {
    const world = await wealthyWorld();
    const { manager, hub, alice, carol, asset } = world;
    await manager.connect(alice).deposit(alice, asset, MAX, false);
    const half = MAX / 2n;
    const rows = [row({ asset, depositedUser: MAX, balanceHub: MAX - half, withdrawnHub: half })];
    const signed = await signState(world, alice, state(alice.address, rows));
    await manager.connect(alice).startExit(...signed);
    await manager.connect(hub).deposit(alice, asset, MAX, true);
    await time.increase(10n ** 6n);
    const sent = manager.connect(carol).settle(...signed);
    await expect(sent)
      .to.emit(manager, "AssetSettled")
      .withArgs(alice.address, asset, 0n, 0n, 2n * MAX, 0n);
    await expectBooks(world, alice.address, { holdings: 2n * MAX, reserve: 2n * MAX }, { asset });
  });

  it("let two full counters be reclaimed", async () => {
    const world = await wealthyWorld();
    const { manager, hub, alice, carol, asset } = world;
    await manager.connect(alice).deposit(alice, asset, MAX, false);
    await manager.connect(hub).deposit(alice, asset, MAX, true);
    await manager.connect(alice).deposit(alice, `0x${"00".repeat(20)}`, 1n, false, { value: 1n });
    const zero = unsigned(state(alice.address, [row()], { nonce: 0n }));
    await exitToDeadline(world, alice, zero);
    await manager.connect(carol).settle(...zero);
    const sent = manager.connect(carol).reclaim(alice, 0n, asset);
    await expect(sent).to.emit(manager, "Reclaimed").withArgs(alice.address, asset, 0n, MAX, MAX);
    await expectBooks(world, alice.address, { holdings: MAX, reserve: MAX }, { asset });
  });
});
