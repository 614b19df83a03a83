import { ethers } from "hardhat";
import { rowOf, ZERO_ADDRESS, type Address, type ChannelState } from "../../protocol";
import type { OwnThread } from "../../client/threads/own-thread";
import { paidOf, standingOf } from "../../client/threads/own-thread";
import type { ChaosWorld } from "../chaos/chaos-world";

/** Base units of each asset. */
export type Holdings = ReadonlyMap<Address, bigint>;

/** What an account has outside of every channel: its wallet with what it spent for gas since a block, and claims. */
export async function walletOf(world: ChaosWorld, account: string, sinceBlock: number): Promise<Holdings> {
  const { manager, token } = world.world;
  const ether = (await ethers.provider.getBalance(account)) + (await gasSpent(account, sinceBlock));
  const claims = [await manager.claimableOf(account, ZERO_ADDRESS), await manager.claimableOf(account, world.token)];
  return new Map([
    [ZERO_ADDRESS, ether + (claims[0] ?? 0n)],
    [world.token, (await token.balanceOf(account)) + (claims[1] ?? 0n)],
  ]);
}

/** The hub's: the same, and the reserve. */
export async function treasuryOf(world: ChaosWorld, sinceBlock: number): Promise<Holdings> {
  const wallet = await walletOf(world, world.world.hub.address, sinceBlock);
  const { manager } = world.world;
  const reserves = await Promise.all([...wallet.keys()].map((asset) => manager.reserveOf(asset)));
  return new Map([...wallet].map(([asset, amount], i) => [asset, amount + (reserves[i] ?? 0n)]));
}

export function plus(a: Holdings, b: Holdings): Holdings {
  return new Map([...a].map(([asset, amount]) => [asset, amount + (b.get(asset) ?? 0n)]));
}

/** What a side of a state has in it, by asset. */
export function inState(world: ChaosWorld, state: ChannelState, side: "balanceUser" | "balanceHub"): Holdings {
  return new Map([ZERO_ADDRESS, world.token].map((asset) => [asset, rowOf(state, asset)[side]]));
}

/** What a party can prove to be its own in its open threads. */
export function inThreads(world: ChaosWorld, user: Address, threads: readonly OwnThread[]): Holdings {
  const sums = new Map<Address, bigint>([ZERO_ADDRESS, world.token].map((asset) => [asset, 0n]));
  for (const own of threads.filter(({ leg }) => leg === "open")) {
    const { asset, sender, updatable, balanceSender, balanceReceiver } = own.thread;
    const received = updatable ? standingOf(own).balanceReceiver : paidOf(own);
    const share = sender === user ? balanceSender + balanceReceiver - received : received;
    sums.set(asset, (sums.get(asset) ?? 0n) + share);
  }
  return sums;
}

/** Texts for what somebody has too little of. */
export function missing(has: Holdings, due: Holdings): readonly string[] {
  return [...due].flatMap(([asset, amount]) => {
    const lack = amount - (has.get(asset) ?? 0n);
    return lack > 0n ? [`${lack} of ${asset} are missing`] : [];
  });
}

interface RawBlock {
  readonly hash: string;
  readonly transactions: readonly string[];
}

interface RawReceipt {
  readonly from: string;
  readonly gasUsed: string;
  readonly effectiveGasPrice: string;
}

/** Fees by payer, in lower case, of blocks that were looked at; a block is named by its hash. */
const feesOfBlocks = new Map<string, ReadonlyMap<string, bigint>>();
const MANY_BLOCKS = 10_000;

async function gasSpent(account: string, sinceBlock: number): Promise<bigint> {
  const head = await ethers.provider.getBlockNumber();
  let spent = 0n;
  for (let number = sinceBlock + 1; number <= head; number++) {
    spent += (await feesIn(number)).get(account.toLowerCase()) ?? 0n;
  }
  return spent;
}

async function feesIn(number: number): Promise<ReadonlyMap<string, bigint>> {
  const ask = ethers.provider.send.bind(ethers.provider);
  const block = (await ask("eth_getBlockByNumber", [`0x${number.toString(16)}`, false])) as RawBlock;
  const known = feesOfBlocks.get(block.hash);
  if (known !== undefined) return known;
  const fees = new Map<string, bigint>();
  for (const hash of block.transactions) {
    const receipt = (await ask("eth_getTransactionReceipt", [hash])) as RawReceipt;
    const fee = BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice);
    fees.set(receipt.from, (fees.get(receipt.from) ?? 0n) + fee);
  }
  if (feesOfBlocks.size > MANY_BLOCKS) feesOfBlocks.clear();
  feesOfBlocks.set(block.hash, fees);
  return fees;
}
