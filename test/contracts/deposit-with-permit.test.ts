import { expect } from "chai";
import { ethers } from "hardhat";
import { ZeroAddress, ZeroHash } from "ethers";
import { expectBooks, expectMoved } from "../support/books";
import { signPermit, type Permit } from "../support/permits";
import { ETH } from "../support/states";
import { freshWorld, type World } from "../support/world";

const NO_PERMIT: Permit = [0n, 0, ZeroHash, ZeroHash];

/** A world in which Alice has approved nothing. */
async function worldWithoutAllowance(): Promise<World & { readonly asset: string }> {
  const world = await freshWorld();
  await world.token.connect(world.alice).approve(world.address, 0n);
  return { ...world, asset: await world.token.getAddress() };
}

describe("depositWithPermit", () => {
  it("refuses ETH, which has no permits", async () => {
    const { manager, alice } = await freshWorld();
    await expect(manager.connect(alice).depositWithPermit(alice, ETH, 5n, false, ...NO_PERMIT))
      .to.be.revertedWithCustomError(manager, "TokenWithoutCode")
      .withArgs(ETH);
  });

  it("refuses a token without code", async () => {
    const { manager, alice, bob } = await freshWorld();
    await expect(manager.connect(alice).depositWithPermit(alice, bob, 5n, false, ...NO_PERMIT))
      .to.be.revertedWithCustomError(manager, "TokenWithoutCode")
      .withArgs(bob.address);
  });

  it("refuses users that have no channel and a deposit of nothing, as deposit does", async () => {
    const { manager, alice, token } = await freshWorld();
    const caller = manager.connect(alice);
    await expect(caller.depositWithPermit(ZeroAddress, token, 5n, false, ...NO_PERMIT))
      .to.be.revertedWithCustomError(manager, "InvalidUser")
      .withArgs(ZeroAddress);
    await expect(caller.depositWithPermit(alice, token, 0n, false, ...NO_PERMIT)).to.be.revertedWithCustomError(
      manager,
      "ZeroAmount",
    );
  });

  it("refuses a permit over another amount", async () => {
    const world = await worldWithoutAllowance();
    const { manager, address, alice, token } = world;
    const permit = await signPermit(world, alice, 6n);
    await expect(manager.connect(alice).depositWithPermit(alice, token, 5n, false, ...permit))
      .to.be.revertedWithCustomError(token, "ERC20InsufficientAllowance")
      .withArgs(address, 0n, 5n);
  });

  it("needs no approval and leaves no allowance", async () => {
    const world = await worldWithoutAllowance();
    const { manager, address, alice, token, asset } = world;
    const permit = await signPermit(world, alice, 5n);
    const sent = manager.connect(alice).depositWithPermit(alice, token, 5n, false, ...permit);
    await expect(sent).to.emit(manager, "Deposited").withArgs(alice.address, asset, alice.address, 0n, false, 5n);
    await expectMoved(sent, asset, [
      [alice, -5n],
      [address, 5n],
    ]);
    expect(await token.allowance(alice, address)).to.equal(0n);
    await expectBooks(world, alice.address, { holdings: 5n, depositedUser: 5n }, { asset });
  });

  it("credits whichever user and side the caller names", async () => {
    const world = await worldWithoutAllowance();
    const { manager, alice, bob, token, asset } = world;
    const permit = await signPermit(world, alice, 7n);
    const sent = manager.connect(alice).depositWithPermit(bob, token, 7n, true, ...permit);
    await expect(sent).to.emit(manager, "Deposited").withArgs(bob.address, asset, alice.address, 0n, true, 7n);
    await expectMoved(sent, asset, [
      [alice, -7n],
      [bob, 0n],
    ]);
    await expectBooks(world, bob.address, { holdings: 7n, depositedHub: 7n }, { asset });
  });

  it("N-2: a permit that a front-runner has already submitted does no harm", async () => {
    const world = await worldWithoutAllowance();
    const { manager, address, alice, carol, token, asset } = world;
    const permit = await signPermit(world, alice, 5n);
    await token.connect(carol).permit(alice, address, 5n, ...permit);
    await manager.connect(alice).depositWithPermit(alice, token, 5n, false, ...permit);
    await expectBooks(world, alice.address, { holdings: 5n, depositedUser: 5n }, { asset });
  });

  it("N-2: a copied permit moves the thief's money or nothing: its owner is the caller", async () => {
    const world = await worldWithoutAllowance();
    const { manager, address, alice, others, token } = world;
    const thief = others[0]!;
    const permit = await signPermit(world, alice, 5n);
    await expect(manager.connect(thief).depositWithPermit(thief, token, 5n, false, ...permit))
      .to.be.revertedWithCustomError(token, "ERC20InsufficientAllowance")
      .withArgs(address, 0n, 5n);
    await token.connect(thief).permit(alice, address, 5n, ...permit);
    await expect(manager.connect(thief).depositWithPermit(thief, token, 5n, false, ...permit))
      .to.be.revertedWithCustomError(token, "ERC20InsufficientAllowance")
      .withArgs(address, 0n, 5n);
  });

  it("takes a token without permits if it was approved", async () => {
    const world = await freshWorld();
    const { manager, address, alice } = world;
    const token = await ethers.deployContract("NoZeroToken");
    await token.mint(alice, 5n);
    await token.connect(alice).approve(address, 5n);
    await manager.connect(alice).depositWithPermit(alice, token, 5n, false, ...NO_PERMIT);
    await expectBooks(world, alice.address, { holdings: 5n, depositedUser: 5n }, { asset: await token.getAddress() });
  });

  it("credits nothing to a token that swallows the permit and has no allowance", async () => {
    const { manager, address, alice } = await freshWorld();
    const token = await ethers.deployContract("PhantomToken");
    await token.mint(alice, 5n);
    await expect(manager.connect(alice).depositWithPermit(alice, token, 5n, false, ...NO_PERMIT))
      .to.be.revertedWithCustomError(token, "ERC20InsufficientAllowance")
      .withArgs(address, 0n, 5n);
  });
});
