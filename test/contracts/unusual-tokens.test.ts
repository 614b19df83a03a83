import { expect } from "chai";
import { ethers } from "hardhat";
import { toBeHex } from "ethers";
import { expectBooks, expectMoved } from "../support/books";
import { hostileScene } from "../support/hostile-scene";
import { row, state } from "../support/states";
import { collateralize, deposit, exitToDeadline, freshWorld, signState } from "../support/world";

const word = (n: bigint): string => toBeHex(n, 32);

describe("C-1/C-2: tokens that are not quite ERC-20", () => {
  it("that return nothing, as USDT, work through a whole life", async () => {
    const world = await freshWorld();
    const { manager, address, treasury, hub, alice, carol } = world;
    const token = await ethers.deployContract("SilentToken");
    const asset = await token.getAddress();
    for (const holder of [alice, hub]) {
      await token.mint(holder, 100n);
      await token.connect(holder).approve(address, 100n);
    }
    await deposit(world, alice, 100n, { asset });
    await collateralize(world, alice, 40n, asset);
    const withdrawn = { asset, depositedUser: 100n, depositedHub: 40n, withdrawnUser: 30n };
    const rows = [row({ ...withdrawn, balanceUser: 60n, balanceHub: 50n })];
    const signed = await signState(world, alice, state(alice.address, rows));
    await expectMoved(manager.connect(carol).withdraw(...signed), asset, [[alice, 30n]]);
    await exitToDeadline(world, alice, signed);
    await expectMoved(manager.connect(carol).settle(...signed), asset, [[alice, 60n]]);
    await expectMoved(manager.connect(hub).recallReserve(asset, 50n), asset, [[treasury, 50n]]);
    await expectBooks(world, alice.address, {}, { asset });
  });

  it("that revert when they move nothing are never asked to", async () => {
    const scene = await hostileScene("NoZeroToken");
    const { manager, alice, carol, asset, signed } = scene;
    const all = row({
      asset,
      depositedUser: 300n,
      depositedHub: 70n,
      balanceHub: 337n,
      withdrawnUser: 30n,
      withdrawnHub: 3n,
    });
    const rows = [...signed[0].assets.filter((other) => other.asset !== asset), all];
    await manager.connect(carol).withdraw(...signed);
    await expect(manager.connect(carol).withdraw(...signed)).not.to.be.reverted;
    const newer = await signState(scene, alice, state(alice.address, rows, { nonce: 2n }));
    await exitToDeadline(scene, alice, newer);
    await expect(manager.connect(carol).settle(...newer)).not.to.emit(manager, "PayoutFailed");
    await expectBooks(scene, alice.address, { holdings: 340n, reserve: 340n }, { asset });
  });

  it("that take a fee are refused on the way in, in deposit and reserve alike", async () => {
    const scene = await hostileScene("FeeToken");
    const { manager, alice, hub, hostile, asset } = scene;
    await hostile.turn(true);
    for (const call of [
      () => manager.connect(alice).deposit(alice, asset, 10n, false),
      () => manager.connect(hub).fundReserve(asset, 10n),
    ]) {
      await expect(call())
        .to.be.revertedWithCustomError(manager, "ReceivedAmountDiffers")
        .withArgs(asset, 10n, 370n, 379n);
    }
    await expectBooks(scene, alice.address, { holdings: 370n, depositedUser: 300n, depositedHub: 70n }, { asset });
  });

  it("that begin to take a fee take it from whoever is paid, and from nobody else's books", async () => {
    const scene = await hostileScene("FeeToken");
    const { manager, address, alice, carol, hostile, asset, signed } = scene;
    await hostile.turn(true);
    await expectMoved(manager.connect(carol).withdraw(...signed), asset, [
      [address, -30n],
      [alice, 29n],
    ]);
    expect(await manager.claimableOf(alice, asset)).to.equal(0n);
  });

  for (const balanceAfter of [39n, 40n, 44n, 46n, 0n, 2n ** 256n - 1n]) {
    it(`whose balance goes from 40 to ${String(balanceAfter)} are refused for a deposit or funds of 5`, async () => {
      const { manager, address, alice, carol } = await freshWorld();
      const token = await ethers.deployContract("LyingToken");
      await token.setLie(40n);
      await token.transfer(address, 0n);
      await token.setLie(balanceAfter);
      for (const call of [
        () => manager.connect(carol).deposit(alice, token, 5n, false),
        () => manager.connect(carol).fundReserve(token, 5n),
      ]) {
        await expect(call())
          .to.be.revertedWithCustomError(manager, "ReceivedAmountDiffers")
          .withArgs(await token.getAddress(), 5n, 40n, balanceAfter);
      }
    });
  }

  for (const answer of [word(0n), word(2n), "0x01"]) {
    it(`that answer ${answer} are refused on the way in`, async () => {
      const scene = await hostileScene("GarbageToken");
      const { manager, alice, hostile, asset } = scene;
      await (await ethers.getContractAt("GarbageToken", asset)).setAnswer(answer);
      await hostile.turn(true);
      await expect(manager.connect(alice).deposit(alice, asset, 10n, false))
        .to.be.revertedWithCustomError(manager, "SafeERC20FailedOperation")
        .withArgs(asset);
    });
  }
});
