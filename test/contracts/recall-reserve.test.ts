import { expect } from "chai";
import { ethers } from "hardhat";
import { expectBooks, expectMoved } from "../support/books";
import { ETH } from "../support/states";
import { PERIOD, collateralize, deposit, freshWorld, type World } from "../support/world";

/** A world with 100 wei and 60 units of the token in reserve, beside money of Alice's channel. */
async function fundedWorld(): Promise<World & { readonly asset: string }> {
  const world = await freshWorld();
  const asset = await world.token.getAddress();
  await deposit(world, world.alice, 1_000n);
  await collateralize(world, world.alice, 300n);
  await world.manager.connect(world.hub).fundReserve(ETH, 100n, { value: 100n });
  await world.manager.connect(world.hub).fundReserve(asset, 60n);
  return { ...world, asset };
}

describe("recallReserve", () => {
  it("refuses everybody but hub and treasury", async () => {
    const { manager, alice, carol } = await fundedWorld();
    for (const caller of [alice, carol]) {
      await expect(manager.connect(caller).recallReserve(ETH, 1n))
        .to.be.revertedWithCustomError(manager, "NotHubOrTreasury")
        .withArgs(caller.address);
    }
  });

  it("refuses to recall nothing", async () => {
    const { manager, hub } = await fundedWorld();
    await expect(manager.connect(hub).recallReserve(ETH, 0n)).to.be.revertedWithCustomError(manager, "ZeroAmount");
  });

  it("refuses one wei more than the reserve: what is in channels is not the hub's to take", async () => {
    const { manager, hub, asset } = await fundedWorld();
    await expect(manager.connect(hub).recallReserve(ETH, 101n))
      .to.be.revertedWithCustomError(manager, "ReserveTooLow")
      .withArgs(ETH, 100n, 101n);
    await expect(manager.connect(hub).recallReserve(asset, 61n))
      .to.be.revertedWithCustomError(manager, "ReserveTooLow")
      .withArgs(asset, 60n, 61n);
  });

  it("refuses when the treasury does, and keeps the reserve", async () => {
    const { hub } = await freshWorld();
    const treasury = await ethers.deployContract("RevertingReceiver");
    const manager = await ethers.deployContract("ChannelManager", [hub, treasury, PERIOD]);
    await manager.connect(hub).fundReserve(ETH, 5n, { value: 5n });
    await expect(manager.connect(hub).recallReserve(ETH, 5n)).to.be.revertedWithCustomError(treasury, "NoThanks");
    expect(await manager.reserveOf(ETH)).to.equal(5n);
  });

  for (const caller of ["hub", "treasury"] as const) {
    it(`N-12: pays ether to the treasury when the ${caller} asks`, async () => {
      const world = await fundedWorld();
      const { manager, address, treasury, hub } = world;
      const sent = manager.connect(world[caller]).recallReserve(ETH, 30n);
      await expect(sent).to.emit(manager, "ReserveRecalled").withArgs(ETH, world[caller].address, 30n);
      await expectMoved(sent, ETH, [
        [address, -30n],
        [treasury, 30n],
        [hub, 0n],
      ]);
      await expectBooks(world, world.alice.address, {
        holdings: 1_370n,
        reserve: 70n,
        depositedUser: 1_000n,
        depositedHub: 300n,
      });
    });

    it(`N-12: pays a token to the treasury when the ${caller} asks, up to the last unit`, async () => {
      const world = await fundedWorld();
      const { manager, address, treasury, hub, asset } = world;
      const sent = manager.connect(world[caller]).recallReserve(asset, 60n);
      await expect(sent).to.emit(manager, "ReserveRecalled").withArgs(asset, world[caller].address, 60n);
      await expectMoved(sent, asset, [
        [address, -60n],
        [treasury, 60n],
        [hub, 0n],
      ]);
      await expectBooks(world, world.alice.address, {}, { asset });
    });
  }

  it("sends with all the gas there is: a treasury that needs more than a payout's cap still gets it", async () => {
    const { hub } = await freshWorld();
    const treasury = await ethers.deployContract("ThriftyReceiver", [100_000n]);
    const manager = await ethers.deployContract("ChannelManager", [hub, treasury, PERIOD]);
    await manager.connect(hub).fundReserve(ETH, 5n, { value: 5n });
    await expectMoved(manager.connect(hub).recallReserve(ETH, 5n), ETH, [[treasury, 5n]]);
  });
});
