import { expect } from "chai";
import { ethers } from "hardhat";
import { setBalance, setCoinbase, mine } from "@nomicfoundation/hardhat-network-helpers";
import { expectBooks } from "../support/books";
import { ETH } from "../support/states";
import { deposit, freshWorld } from "../support/world";

describe("plain ether", () => {
  it("is refused with an error that names what to call instead", async () => {
    const { manager, address, carol } = await freshWorld();
    await expect(carol.sendTransaction({ to: address, value: 1n })).to.be.revertedWithCustomError(
      manager,
      "UseFundReserveOrDeposit",
    );
  });

  it("is refused even when it is none", async () => {
    const { manager, address, carol } = await freshWorld();
    await expect(carol.sendTransaction({ to: address })).to.be.revertedWithCustomError(
      manager,
      "UseFundReserveOrDeposit",
    );
  });

  it("is refused with unknown calldata too", async () => {
    const { address, carol } = await freshWorld();
    await expect(carol.sendTransaction({ to: address, value: 1n, data: "0x12345678" })).to.be.revertedWithoutReason();
  });
});

describe("forced ether", () => {
  it("of a contract that destructs itself belongs to nobody's books", async () => {
    const world = await freshWorld();
    await deposit(world, world.alice, 5n);
    await ethers.deployContract("ForcedEther", [world.address], { value: 70n });
    await expectBooks(world, world.alice.address, { holdings: 75n, depositedUser: 5n });
  });

  it("of a block's fees belongs to nobody's books", async () => {
    const world = await freshWorld();
    await setCoinbase(world.address);
    await world.carol.sendTransaction({ to: world.bob.address, value: 1n, maxPriorityFeePerGas: 10n ** 9n });
    const fees = await ethers.provider.getBalance(world.address);
    expect(fees).to.equal(21_000n * 10n ** 9n);
    await setCoinbase(world.carol.address);
    await deposit(world, world.alice, 5n);
    await expectBooks(world, world.alice.address, { holdings: fees + 5n, depositedUser: 5n });
  });

  it("cannot be deposited, funded or recalled by anybody", async () => {
    const { manager, address, hub, alice } = await freshWorld();
    await setBalance(address, 70n);
    await mine();
    await expect(manager.connect(alice).deposit(alice, ETH, 70n, false))
      .to.be.revertedWithCustomError(manager, "WrongEtherValue")
      .withArgs(70n, 0n);
    await expect(manager.connect(hub).fundReserve(ETH, 70n))
      .to.be.revertedWithCustomError(manager, "WrongEtherValue")
      .withArgs(70n, 0n);
    await expect(manager.connect(hub).recallReserve(ETH, 70n))
      .to.be.revertedWithCustomError(manager, "ReserveTooLow")
      .withArgs(ETH, 0n, 70n);
  });
});
