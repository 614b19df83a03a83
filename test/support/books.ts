import { expect } from "chai";
import { ethers } from "hardhat";
import type { Addressable, ContractTransactionResponse } from "ethers";
import { ETH } from "./states";
import type { World } from "./world";

/** What the contract holds of an asset, and what its books say of it for one user in one session. */
export interface Books {
  readonly holdings: bigint;
  readonly reserve: bigint;
  readonly claimable: bigint;
  readonly locked: bigint;
  readonly depositedHub: bigint;
  readonly withdrawnHub: bigint;
  readonly depositedUser: bigint;
  readonly withdrawnUser: bigint;
}

export interface Where {
  readonly asset?: string;
  readonly session?: bigint;
}

export async function balanceOf(asset: string, holder: string): Promise<bigint> {
  if (asset === ETH) return ethers.provider.getBalance(holder);
  return (await ethers.getContractAt("IERC20", asset)).balanceOf(holder);
}

export async function books(world: World, user: string, where: Where = {}): Promise<Books> {
  const { asset = ETH, session = 0n } = where;
  const { manager } = world;
  const ledger = await manager.ledgerOf(user, session, asset);
  return {
    holdings: await balanceOf(asset, world.address),
    reserve: await manager.reserveOf(asset),
    claimable: await manager.claimableOf(user, asset),
    locked: await manager.lockedOf(user, session, asset),
    depositedHub: ledger.depositedHub,
    withdrawnHub: ledger.withdrawnHub,
    depositedUser: ledger.depositedUser,
    withdrawnUser: ledger.withdrawnUser,
  };
}

const EMPTY: Books = {
  holdings: 0n,
  reserve: 0n,
  claimable: 0n,
  locked: 0n,
  depositedHub: 0n,
  withdrawnHub: 0n,
  depositedUser: 0n,
  withdrawnUser: 0n,
};

/** Asserts all of the books; what `expected` does not name must be zero. */
export async function expectBooks(
  world: World,
  user: string,
  expected: Partial<Books>,
  where: Where = {},
): Promise<void> {
  expect(await books(world, user, where)).to.deep.equal({ ...EMPTY, ...expected });
}

/** Asserts by how much one transaction changed what each holder has of an asset. Fees apart. */
export async function expectMoved(
  transaction: Promise<ContractTransactionResponse>,
  asset: string,
  changes: readonly (readonly [holder: Addressable | string, change: bigint])[],
): Promise<void> {
  const holders = changes.map(([holder]) => holder);
  const amounts = changes.map(([, change]) => change);
  if (asset === ETH) await expect(transaction).to.changeEtherBalances(holders, amounts);
  else {
    const token = await ethers.getContractAt("IERC20", asset);
    await expect(transaction).to.changeTokenBalances(token, holders, amounts);
  }
}
