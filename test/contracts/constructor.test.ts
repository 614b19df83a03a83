import { expect } from "chai";
import { ethers } from "hardhat";
import { ZeroAddress, getCreateAddress } from "ethers";
import { freshWorld } from "../support/world";

const HOUR = 3_600n;
const LONGEST = 30n * 24n * HOUR;

/** The address that the next contract of the default deployer gets. */
async function nextAddress(): Promise<string> {
  const [deployer] = await ethers.getSigners();
  return getCreateAddress({ from: deployer!.address, nonce: await deployer!.getNonce() });
}

describe("constructor", () => {
  it("refuses the zero address as hub", async () => {
    const { manager, treasury } = await freshWorld();
    await expect(ethers.deployContract("ChannelManager", [ZeroAddress, treasury, HOUR]))
      .to.be.revertedWithCustomError(manager, "InvalidHub")
      .withArgs(ZeroAddress);
  });

  it("refuses itself as hub", async () => {
    const { manager, treasury } = await freshWorld();
    const itself = await nextAddress();
    await expect(ethers.deployContract("ChannelManager", [itself, treasury, HOUR]))
      .to.be.revertedWithCustomError(manager, "InvalidHub")
      .withArgs(itself);
  });

  it("refuses the zero address as treasury", async () => {
    const { manager, hub } = await freshWorld();
    await expect(ethers.deployContract("ChannelManager", [hub, ZeroAddress, HOUR]))
      .to.be.revertedWithCustomError(manager, "InvalidTreasury")
      .withArgs(ZeroAddress);
  });

  it("refuses itself as treasury", async () => {
    const { manager, hub } = await freshWorld();
    const itself = await nextAddress();
    await expect(ethers.deployContract("ChannelManager", [hub, itself, HOUR]))
      .to.be.revertedWithCustomError(manager, "InvalidTreasury")
      .withArgs(itself);
  });

  it("N-12: refuses the hub as treasury, which has to outlive the hub's key", async () => {
    const { manager, hub } = await freshWorld();
    await expect(ethers.deployContract("ChannelManager", [hub, hub, HOUR]))
      .to.be.revertedWithCustomError(manager, "InvalidTreasury")
      .withArgs(hub.address);
  });

  for (const period of [0n, HOUR - 1n, LONGEST + 1n, 2n ** 64n - 1n]) {
    it(`refuses a challenge period of ${String(period)} s`, async () => {
      const { manager, hub, treasury } = await freshWorld();
      await expect(ethers.deployContract("ChannelManager", [hub, treasury, period]))
        .to.be.revertedWithCustomError(manager, "InvalidChallengePeriod")
        .withArgs(period, HOUR, LONGEST);
    });
  }

  for (const period of [HOUR, LONGEST]) {
    it(`keeps hub, treasury and a challenge period of ${String(period)} s`, async () => {
      const { hub, treasury } = await freshWorld();
      const manager = await ethers.deployContract("ChannelManager", [hub, treasury, period]);
      expect(await manager.hub()).to.equal(hub.address);
      expect(await manager.treasury()).to.equal(treasury.address);
      expect(await manager.challengePeriodSeconds()).to.equal(period);
    });
  }
});
