import { expect } from "chai";
import { ethers } from "hardhat";
import { ZeroAddress } from "ethers";
import type { FreezingToken } from "../../typechain-types";
import { expectBooks, expectMoved } from "../support/books";
import { ETH, row, state } from "../support/states";
import { deposit, freshWorld, signState, type World } from "../support/world";

interface Failed extends World {
  readonly asset: string;
  readonly frozen: FreezingToken;
}

/** Alice's withdrawals of 30 wei and of 40 units of a token failed; 70 wei and 60 units are still in her channel. */
async function failedPayouts(): Promise<Failed> {
  const world = await freshWorld();
  const { manager, address, alice, carol } = world;
  const recipient = await (await ethers.deployContract("RevertingReceiver")).getAddress();
  const frozen = await ethers.deployContract("FreezingToken");
  const asset = await frozen.getAddress();
  await frozen.mint(alice, 100n);
  await frozen.connect(alice).approve(address, 100n);
  await deposit(world, alice, 100n);
  await deposit(world, alice, 100n, { asset });
  await frozen.freeze(recipient, true);
  const rows = [
    row({ depositedUser: 100n, balanceUser: 70n, withdrawnUser: 30n }),
    row({ asset, depositedUser: 100n, balanceUser: 60n, withdrawnUser: 40n }),
  ];
  await manager.connect(carol).withdraw(...(await signState(world, alice, state(alice.address, rows, { recipient }))));
  return { ...world, asset, frozen };
}

describe("claim", () => {
  it("refuses whoever has nothing to claim", async () => {
    const { manager, carol, asset } = await failedPayouts();
    await expect(manager.connect(carol).claim(asset, carol))
      .to.be.revertedWithCustomError(manager, "NothingToClaim")
      .withArgs(carol.address, asset);
  });

  it("refuses to pay the zero address or the contract itself", async () => {
    const { manager, address, alice } = await failedPayouts();
    for (const to of [ZeroAddress, address]) {
      await expect(manager.connect(alice).claim(ETH, to))
        .to.be.revertedWithCustomError(manager, "InvalidRecipient")
        .withArgs(to);
    }
  });

  it("refuses when the payee does, and keeps the claim", async () => {
    const world = await failedPayouts();
    const { manager, alice } = world;
    const receiver = await ethers.deployContract("RevertingReceiver");
    await expect(manager.connect(alice).claim(ETH, receiver)).to.be.revertedWithCustomError(receiver, "NoThanks");
    await expectBooks(world, alice.address, {
      holdings: 100n,
      claimable: 30n,
      depositedUser: 100n,
      withdrawnUser: 30n,
    });
  });

  it("refuses when the token does, and keeps the claim", async () => {
    const { manager, address, alice, bob, asset, frozen } = await failedPayouts();
    await frozen.freeze(bob, true);
    await expect(manager.connect(alice).claim(asset, bob))
      .to.be.revertedWithCustomError(frozen, "Frozen")
      .withArgs(address, bob.address);
    expect(await manager.claimableOf(alice, asset)).to.equal(40n);
  });

  it("refuses when the token answers false, and keeps the claim", async () => {
    const world = await freshWorld();
    const { manager, alice, carol } = world;
    const token = await ethers.deployContract("RefusingToken");
    const asset = await token.getAddress();
    await token.mint(alice, 9n);
    await token.connect(alice).approve(manager, 9n);
    await deposit(world, alice, 9n, { asset });
    await token.turn(true);
    const rows = [row({ asset, depositedUser: 9n, withdrawnUser: 9n })];
    await manager.connect(carol).withdraw(...(await signState(world, alice, state(alice.address, rows))));
    await expect(manager.connect(alice).claim(asset, alice))
      .to.be.revertedWithCustomError(manager, "SafeERC20FailedOperation")
      .withArgs(asset);
    expect(await manager.claimableOf(alice, asset)).to.equal(9n);
  });

  it("pays ether to whom the caller names, once", async () => {
    const world = await failedPayouts();
    const { manager, address, alice, bob } = world;
    const sent = manager.connect(alice).claim(ETH, bob);
    await expect(sent).to.emit(manager, "Claimed").withArgs(alice.address, ETH, bob.address, 30n);
    await expectMoved(sent, ETH, [
      [address, -30n],
      [alice, 0n],
      [bob, 30n],
    ]);
    await expectBooks(world, alice.address, { holdings: 70n, depositedUser: 100n, withdrawnUser: 30n });
    await expect(manager.connect(alice).claim(ETH, bob))
      .to.be.revertedWithCustomError(manager, "NothingToClaim")
      .withArgs(alice.address, ETH);
  });

  it("pays a token to whom the caller names, once, and leaves the ether to be claimed", async () => {
    const world = await failedPayouts();
    const { manager, address, alice, bob, asset } = world;
    const sent = manager.connect(alice).claim(asset, bob);
    await expect(sent).to.emit(manager, "Claimed").withArgs(alice.address, asset, bob.address, 40n);
    await expectMoved(sent, asset, [
      [address, -40n],
      [alice, 0n],
      [bob, 40n],
    ]);
    await expectBooks(world, alice.address, { holdings: 60n, depositedUser: 100n, withdrawnUser: 40n }, { asset });
    expect(await manager.claimableOf(alice, ETH)).to.equal(30n);
    await expect(manager.connect(alice).claim(asset, bob))
      .to.be.revertedWithCustomError(manager, "NothingToClaim")
      .withArgs(alice.address, asset);
  });

  it("N-5: has no gas cap: a receiver that needs more than a payout may give can claim", async () => {
    const { manager, alice } = await failedPayouts();
    const receiver = await ethers.deployContract("ThriftyReceiver", [300_000n]);
    await expectMoved(manager.connect(alice).claim(ETH, receiver), ETH, [[receiver, 30n]]);
  });
});
