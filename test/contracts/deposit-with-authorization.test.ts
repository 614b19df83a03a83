import { expect } from "chai";
import { ethers } from "hardhat";
import { ZeroAddress, ZeroHash } from "ethers";
import { expectBooks, expectMoved } from "../support/books";
import { signAuthorization, type Authorization } from "../support/permits";
import { ETH } from "../support/states";
import { freshWorld, type World } from "../support/world";

const NO_AUTHORIZATION: Authorization = [0n, 0n, ZeroHash, 0, ZeroHash, ZeroHash];

/** A world in which Alice has approved nothing, with a relayed deposit of hers. */
async function relayedDeposit(): Promise<World & { readonly asset: string; readonly signed: Authorization }> {
  const world = await freshWorld();
  await world.token.connect(world.alice).approve(world.address, 0n);
  const signed = await signAuthorization(world, world.alice, 5n);
  return { ...world, asset: await world.token.getAddress(), signed };
}

describe("depositWithAuthorization", () => {
  for (const [who, addressOf] of [
    ["the zero address", () => ZeroAddress],
    ["the hub", (world: World) => world.hub.address],
    ["the contract itself", (world: World) => world.address],
  ] as const) {
    it(`refuses ${who} as user`, async () => {
      const world = await freshWorld();
      const { manager, carol, token } = world;
      const from = addressOf(world);
      await expect(manager.connect(carol).depositWithAuthorization(from, token, 5n, ...NO_AUTHORIZATION))
        .to.be.revertedWithCustomError(manager, "InvalidUser")
        .withArgs(from);
    });
  }

  it("refuses to deposit nothing", async () => {
    const { manager, alice, carol, token } = await freshWorld();
    await expect(
      manager.connect(carol).depositWithAuthorization(alice, token, 0n, ...NO_AUTHORIZATION),
    ).to.be.revertedWithCustomError(manager, "ZeroAmount");
  });

  it("refuses ETH and tokens without code", async () => {
    const { manager, alice, bob, carol } = await freshWorld();
    for (const asset of [ETH, bob.address]) {
      await expect(manager.connect(carol).depositWithAuthorization(alice, asset, 5n, ...NO_AUTHORIZATION))
        .to.be.revertedWithCustomError(manager, "TokenWithoutCode")
        .withArgs(asset);
    }
  });

  it("refuses an authorisation over another amount", async () => {
    const { manager, alice, carol, token, signed } = await relayedDeposit();
    await expect(manager.connect(carol).depositWithAuthorization(alice, token, 6n, ...signed))
      .to.be.revertedWithCustomError(token, "AuthorizationNotSigned")
      .withArgs(alice.address);
  });

  it("refuses an authorisation that was made out to somebody else", async () => {
    const world = await freshWorld();
    const { manager, alice, carol, token } = world;
    const signed = await signAuthorization(world, alice, 5n, { to: carol.address });
    await expect(manager.connect(carol).depositWithAuthorization(alice, token, 5n, ...signed))
      .to.be.revertedWithCustomError(token, "AuthorizationNotSigned")
      .withArgs(alice.address);
  });

  it("refuses an authorisation that has expired", async () => {
    const world = await freshWorld();
    const { manager, alice, carol, token } = world;
    const signed = await signAuthorization(world, alice, 5n, { validBefore: 1n });
    await expect(manager.connect(carol).depositWithAuthorization(alice, token, 5n, ...signed))
      .to.be.revertedWithCustomError(token, "AuthorizationNotValid")
      .withArgs(0n, 1n);
  });

  it("refuses an authorisation that is not valid yet", async () => {
    const { manager, alice, carol, token } = await freshWorld();
    const later = 2n ** 63n;
    const signed: Authorization = [later, later + 1n, ZeroHash, 0, ZeroHash, ZeroHash];
    await expect(manager.connect(carol).depositWithAuthorization(alice, token, 5n, ...signed))
      .to.be.revertedWithCustomError(token, "AuthorizationNotValid")
      .withArgs(later, later + 1n);
  });

  it("credits the signer, whoever relays it, and names the signer as payer", async () => {
    const world = await relayedDeposit();
    const { manager, address, alice, carol, token, asset, signed } = world;
    const sent = manager.connect(carol).depositWithAuthorization(alice, token, 5n, ...signed);
    await expect(sent).to.emit(manager, "Deposited").withArgs(alice.address, asset, alice.address, 0n, false, 5n);
    await expectMoved(sent, asset, [
      [alice, -5n],
      [carol, 0n],
      [address, 5n],
    ]);
    await expectBooks(world, alice.address, { holdings: 5n, depositedUser: 5n }, { asset });
  });

  it("N-2: an authorisation copied from the mempool credits its signer and nobody else", async () => {
    const world = await relayedDeposit();
    const { manager, alice, bob, carol, token, asset, signed } = world;
    await expect(manager.connect(carol).depositWithAuthorization(carol, token, 5n, ...signed))
      .to.be.revertedWithCustomError(token, "AuthorizationNotSigned")
      .withArgs(carol.address);
    await expect(token.connect(carol).receiveWithAuthorization(alice, manager, 5n, ...signed))
      .to.be.revertedWithCustomError(token, "CallerMustBePayee")
      .withArgs(carol.address, await manager.getAddress());
    await manager.connect(bob).depositWithAuthorization(alice, token, 5n, ...signed);
    await expectBooks(world, bob.address, { holdings: 5n }, { asset });
    await expectBooks(world, carol.address, { holdings: 5n }, { asset });
    await expectBooks(world, alice.address, { holdings: 5n, depositedUser: 5n }, { asset });
  });

  it("works once", async () => {
    const { manager, alice, carol, token, signed } = await relayedDeposit();
    await manager.connect(carol).depositWithAuthorization(alice, token, 5n, ...signed);
    await expect(manager.connect(carol).depositWithAuthorization(alice, token, 5n, ...signed))
      .to.be.revertedWithCustomError(token, "AuthorizationUsed")
      .withArgs(alice.address, signed[2]);
  });

  it("refuses a token that swallows the call and moves nothing", async () => {
    const { manager, address, alice, carol } = await freshWorld();
    const token = await ethers.deployContract("PhantomToken");
    await token.mint(address, 40n);
    await expect(manager.connect(carol).depositWithAuthorization(alice, token, 5n, ...NO_AUTHORIZATION))
      .to.be.revertedWithCustomError(manager, "ReceivedAmountDiffers")
      .withArgs(await token.getAddress(), 5n, 40n, 40n);
  });

  for (const balanceAfter of [39n, 44n, 46n, 2n ** 256n - 1n]) {
    it(`refuses a token whose balance goes from 40 to ${String(balanceAfter)} for a deposit of 5`, async () => {
      const { manager, address, alice, carol } = await freshWorld();
      const token = await ethers.deployContract("LyingToken");
      await token.setLie(40n);
      await token.transfer(address, 0n);
      await token.setLie(balanceAfter);
      await expect(manager.connect(carol).depositWithAuthorization(alice, token, 5n, ...NO_AUTHORIZATION))
        .to.be.revertedWithCustomError(manager, "ReceivedAmountDiffers")
        .withArgs(await token.getAddress(), 5n, 40n, balanceAfter);
    });
  }
});
