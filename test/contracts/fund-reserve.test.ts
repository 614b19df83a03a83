import { expect } from "chai";
import { expectBooks, expectMoved } from "../support/books";
import { ETH } from "../support/states";
import { deposit, freshWorld } from "../support/world";

describe("fundReserve", () => {
  it("refuses to fund nothing", async () => {
    const { manager, hub, token } = await freshWorld();
    for (const asset of [ETH, token]) {
      await expect(manager.connect(hub).fundReserve(asset, 0n)).to.be.revertedWithCustomError(manager, "ZeroAmount");
    }
  });

  for (const value of [0n, 4n, 6n]) {
    it(`refuses ${String(value)} wei for funds of 5`, async () => {
      const { manager, hub } = await freshWorld();
      await expect(manager.connect(hub).fundReserve(ETH, 5n, { value }))
        .to.be.revertedWithCustomError(manager, "WrongEtherValue")
        .withArgs(5n, value);
    });
  }

  it("refuses ether with a token", async () => {
    const { manager, hub, token } = await freshWorld();
    await expect(manager.connect(hub).fundReserve(token, 5n, { value: 5n }))
      .to.be.revertedWithCustomError(manager, "WrongEtherValue")
      .withArgs(0n, 5n);
  });

  it("refuses a token without code", async () => {
    const { manager, hub, bob } = await freshWorld();
    await expect(manager.connect(hub).fundReserve(bob, 5n))
      .to.be.revertedWithCustomError(manager, "TokenWithoutCode")
      .withArgs(bob.address);
  });

  it("adds ether of anybody to the reserve", async () => {
    const world = await freshWorld();
    const { manager, address, hub, carol } = world;
    await manager.connect(hub).fundReserve(ETH, 30n, { value: 30n });
    const sent = manager.connect(carol).fundReserve(ETH, 5n, { value: 5n });
    await expect(sent).to.emit(manager, "ReserveFunded").withArgs(ETH, carol.address, 5n);
    await expectMoved(sent, ETH, [
      [carol, -5n],
      [address, 5n],
    ]);
    await expectBooks(world, carol.address, { holdings: 35n, reserve: 35n });
  });

  it("adds a token of the caller to the reserve of that token alone", async () => {
    const world = await freshWorld();
    const { manager, address, hub, alice, token } = world;
    const asset = await token.getAddress();
    await deposit(world, alice, 70n, { asset });
    const sent = manager.connect(hub).fundReserve(asset, 5n);
    await expect(sent).to.emit(manager, "ReserveFunded").withArgs(asset, hub.address, 5n);
    await expectMoved(sent, asset, [
      [hub, -5n],
      [alice, 0n],
      [address, 5n],
    ]);
    await expectBooks(world, alice.address, { holdings: 75n, depositedUser: 70n, reserve: 5n }, { asset });
    await expectBooks(world, alice.address, {});
  });
});
