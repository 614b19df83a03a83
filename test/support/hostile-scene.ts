import { ethers } from "hardhat";
import type { HostileToken } from "../../typechain-types";
import { row, state } from "./states";
import { collateralize, deposit, freshWorld, signState, type SignedState, type World } from "./world";

/** Alice's channel with ether, a healthy token and a token that may turn hostile. */
export interface HostileScene extends World {
  readonly hostile: HostileToken;
  readonly asset: string;
  readonly healthy: string;
  /** Withdraws 40 wei, 50 of the healthy and 30 + 3 of the hostile token; see `SETTLEMENT` for the rest. */
  readonly signed: SignedState;
}

/** What settling the scene's state pays when nothing of it was withdrawn before. */
export const SETTLEMENT = {
  ether: { user: 940n, hub: 60n },
  healthy: { user: 500n, hub: 0n },
  hostile: { user: 310n, hub: 60n },
};

export async function hostileScene(contract: string, args: readonly unknown[] = []): Promise<HostileScene> {
  const world = await freshWorld();
  const { address, alice, hub } = world;
  const asset = await (await ethers.deployContract(contract, [...args])).getAddress();
  const hostile = await ethers.getContractAt("HostileToken", asset);
  for (const holder of [alice, hub]) {
    await hostile.mint(holder, 1_000n);
    await hostile.connect(holder).approve(address, 1_000n);
  }
  const healthy = await world.token.getAddress();
  await deposit(world, alice, 1_000n);
  await deposit(world, alice, 500n, { asset: healthy });
  await deposit(world, alice, 300n, { asset });
  await collateralize(world, alice, 70n, asset);
  const rows = [
    row({ depositedUser: 1_000n, balanceUser: 900n, balanceHub: 60n, withdrawnUser: 40n }),
    row({ asset: healthy, depositedUser: 500n, balanceUser: 450n, withdrawnUser: 50n }),
    row({
      asset,
      depositedUser: 300n,
      depositedHub: 70n,
      balanceUser: 280n,
      balanceHub: 57n,
      withdrawnUser: 30n,
      withdrawnHub: 3n,
    }),
  ];
  return { ...world, hostile, asset, healthy, signed: await signState(world, alice, state(alice.address, rows)) };
}
