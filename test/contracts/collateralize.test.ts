import { expect } from "chai";
import { ZeroAddress } from "ethers";
import { expectBooks, expectMoved } from "../support/books";
import { ETH, row, state } from "../support/states";
import { deposit, exitAndSettle, freshWorld, unsigned, type World } from "../support/world";

/** A world with 100 wei and 60 units of the token in reserve. */
async function fundedWorld(): Promise<World & { readonly asset: string }> {
  const world = await freshWorld();
  const asset = await world.token.getAddress();
  await world.manager.connect(world.hub).fundReserve(ETH, 100n, { value: 100n });
  await world.manager.connect(world.hub).fundReserve(asset, 60n);
  return { ...world, asset };
}

describe("collateralize", () => {
  it("refuses everybody but the hub", async () => {
    const { manager, treasury, alice, carol } = await fundedWorld();
    for (const caller of [treasury, alice, carol]) {
      await expect(manager.connect(caller).collateralize([{ user: alice, asset: ETH, amount: 1n }]))
        .to.be.revertedWithCustomError(manager, "NotHub")
        .withArgs(caller.address);
    }
  });

  for (const [who, addressOf] of [
    ["the zero address", () => ZeroAddress],
    ["the hub", (world: World) => world.hub.address],
    ["the contract itself", (world: World) => world.address],
  ] as const) {
    it(`refuses ${who} as user`, async () => {
      const world = await fundedWorld();
      const user = addressOf(world);
      await expect(world.manager.connect(world.hub).collateralize([{ user, asset: ETH, amount: 1n }]))
        .to.be.revertedWithCustomError(world.manager, "InvalidUser")
        .withArgs(user);
    });
  }

  it("refuses one wei more than the reserve of that asset", async () => {
    const { manager, hub, alice, asset } = await fundedWorld();
    await expect(manager.connect(hub).collateralize([{ user: alice, asset, amount: 61n }]))
      .to.be.revertedWithCustomError(manager, "ReserveTooLow")
      .withArgs(asset, 60n, 61n);
  });

  it("refuses a batch whose sum is above the reserve, as a whole", async () => {
    const world = await fundedWorld();
    const { manager, hub, alice, bob } = world;
    const batch = [
      { user: alice, asset: ETH, amount: 99n },
      { user: bob, asset: ETH, amount: 2n },
    ];
    await expect(manager.connect(hub).collateralize(batch))
      .to.be.revertedWithCustomError(manager, "ReserveTooLow")
      .withArgs(ETH, 100n, 101n);
    await expectBooks(world, alice.address, { holdings: 100n, reserve: 100n });
  });

  it("refuses such a batch also where other assets stand in between or behind", async () => {
    const { manager, hub, alice, asset } = await fundedWorld();
    const line = (of: string, amount: bigint) => ({ user: alice.address, asset: of, amount });
    await expect(manager.connect(hub).collateralize([line(ETH, 99n), line(asset, 1n), line(ETH, 2n)]))
      .to.be.revertedWithCustomError(manager, "ReserveTooLow")
      .withArgs(ETH, 1n, 2n);
    await expect(manager.connect(hub).collateralize([line(ETH, 101n), line(asset, 1n)]))
      .to.be.revertedWithCustomError(manager, "ReserveTooLow")
      .withArgs(ETH, 100n, 101n);
    await expect(manager.connect(hub).collateralize([line(asset, 30n), line(asset, 31n), line(ETH, 1n)]))
      .to.be.revertedWithCustomError(manager, "ReserveTooLow")
      .withArgs(asset, 60n, 61n);
  });

  it("A-2: counts the reserve alone: others' deposits, forced or sent ether cannot become collateral", async () => {
    const world = await fundedWorld();
    const { manager, address, hub, alice, others } = world;
    await deposit(world, alice, 1_000n);
    const fakeUser = others[0]!.address;
    const data = manager.interface.encodeFunctionData("collateralize", [
      [{ user: fakeUser, asset: ETH, amount: 101n }],
    ]);
    await expect(hub.sendTransaction({ to: address, data }))
      .to.be.revertedWithCustomError(manager, "ReserveTooLow")
      .withArgs(ETH, 100n, 101n);
    await expect(hub.sendTransaction({ to: address, data, value: 1_000n })).to.be.reverted;
    await expectBooks(world, fakeUser, { holdings: 1_100n, reserve: 100n });
  });

  it("moves reserve to the hub's side of many channels and assets, one event each, without moving money", async () => {
    const world = await fundedWorld();
    const { manager, address, hub, alice, bob, asset } = world;
    const batch = [
      { user: alice, asset: ETH, amount: 10n },
      { user: bob, asset, amount: 20n },
      { user: alice, asset: ETH, amount: 7n },
    ];
    const sent = manager.connect(hub).collateralize(batch);
    await expect(sent)
      .to.emit(manager, "Collateralized")
      .withArgs(alice.address, ETH, 10n)
      .and.to.emit(manager, "Collateralized")
      .withArgs(bob.address, asset, 20n)
      .and.to.emit(manager, "Collateralized")
      .withArgs(alice.address, ETH, 7n);
    await expectMoved(sent, ETH, [
      [address, 0n],
      [hub, 0n],
    ]);
    await expectBooks(world, alice.address, { holdings: 100n, reserve: 83n, depositedHub: 17n });
    await expectBooks(world, bob.address, { holdings: 60n, reserve: 40n, depositedHub: 20n }, { asset });
  });

  it("may use the reserve up to the last wei", async () => {
    const world = await fundedWorld();
    const { manager, hub, alice } = world;
    await manager.connect(hub).collateralize([{ user: alice, asset: ETH, amount: 100n }]);
    await expectBooks(world, alice.address, { holdings: 100n, depositedHub: 100n });
  });

  it("goes into the current session", async () => {
    const world = await fundedWorld();
    const { manager, hub, alice } = world;
    await deposit(world, alice, 5n);
    await exitAndSettle(world, alice, unsigned(state(alice.address, [row()], { nonce: 0n })));
    await manager.connect(hub).collateralize([{ user: alice, asset: ETH, amount: 30n }]);
    await expectBooks(world, alice.address, { holdings: 100n, reserve: 70n });
    await expectBooks(world, alice.address, { holdings: 100n, reserve: 70n, depositedHub: 30n }, { session: 1n });
  });

  it("takes an empty batch", async () => {
    const world = await fundedWorld();
    await world.manager.connect(world.hub).collateralize([]);
    await expectBooks(world, world.alice.address, { holdings: 100n, reserve: 100n });
  });
});
