import { ethers } from "hardhat";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import type { ContractTransactionResponse } from "ethers";
import type { SignedThreadStruct } from "../../typechain-types/contracts/ChannelManager";
import { ETH, row, state, terms, type AssetRow, type Terms } from "./states";
import { rootOf } from "./thread-tree";
import { collateralize, deposit, exitAndSettle, signState, signThread, threadHash, type World } from "./world";

/** The nonce that no update exceeds. */
export const FINAL_NONCE = 2n ** 64n - 1n;

/** Terms with their hash and both signatures. */
export interface Agreed {
  readonly thread: Terms;
  readonly hash: string;
  readonly signed: SignedThreadStruct;
}

/** Two people agree on a thread, by default Alice on a stream of 100 wei to Bob. */
export async function agree(
  world: World,
  overrides: Partial<Terms> = {},
  [sender, receiver]: readonly [HardhatEthersSigner, HardhatEthersSigner] = [world.alice, world.bob],
): Promise<Agreed> {
  const thread = terms(sender.address, receiver.address, overrides);
  return { thread, hash: threadHash(thread), signed: await signThread(world, sender, receiver, thread) };
}

/** Terms without signatures, as they may be given once the record is open. */
export function bare(thread: Terms): SignedThreadStruct {
  return { thread, sigSender: "0x", sigReceiver: "0x" };
}

export function sumOf(thread: Terms): bigint {
  return BigInt(thread.balanceSender) + BigInt(thread.balanceReceiver);
}

export async function timestamp(): Promise<bigint> {
  return BigInt(await time.latest());
}

/** Fixes the time of the next block and returns it, so that a test knows a deadline before it is set. */
export async function nextTimestamp(): Promise<bigint> {
  const next = (await timestamp()) + 5n;
  await time.setNextBlockTimestamp(next);
  return next;
}

export interface ThreadRecord {
  readonly balanceReceiver: bigint;
  readonly nonce: bigint;
  readonly deadline: bigint;
  readonly resolved: boolean;
  readonly senderPaid: boolean;
  readonly receiverPaid: boolean;
}

/** The record as a plain object, to be compared whole. */
export async function recordOf(world: World, hash: string): Promise<ThreadRecord> {
  const { balanceReceiver, nonce, deadline, resolved, senderPaid, receiverPaid } = await world.manager.recordOf(hash);
  return { balanceReceiver, nonce, deadline, resolved, senderPaid, receiverPaid };
}

/** A record that was opened at `balanceReceiver` and has no other evidence, overridden by what the test is about. */
export function record(deadline: bigint, overrides: Partial<ThreadRecord> = {}): ThreadRecord {
  return {
    balanceReceiver: 0n,
    nonce: 0n,
    deadline,
    resolved: false,
    senderPaid: false,
    receiverPaid: false,
    ...overrides,
  };
}

/** What the user and the hub keep beside the stakes of the threads in a session that `endSession` ends. */
export const BESIDE = { user: 7n, hub: 11n };

/**
 * Ends the user's current session with these threads open in it and returns the session.
 *
 * @param locked what the state locks in each asset, if not the sum of its threads.
 */
export async function endSession(
  world: World,
  user: HardhatEthersSigner,
  threads: readonly Terms[],
  locked?: bigint,
): Promise<bigint> {
  const { session } = await world.manager.channelOf(user);
  const rows: AssetRow[] = [];
  for (const asset of new Set(threads.map((thread) => thread.asset as string))) {
    const sums = threads.filter((thread) => thread.asset === asset).map(sumOf);
    rows.push(await fund(world, user, asset, locked ?? sums.reduce((total, sum) => total + sum)));
  }
  const threadRoot = rootOf(threads.map(threadHash));
  await exitAndSettle(world, user, await signState(world, user, state(user.address, rows, { session, threadRoot })));
  return session;
}

async function fund(world: World, user: HardhatEthersSigner, asset: string, locked: bigint): Promise<AssetRow> {
  const depositedUser = locked + BESIDE.user;
  await deposit(world, user, depositedUser, { asset });
  await collateralize(world, user, BESIDE.hub, asset);
  return row({
    asset,
    locked,
    depositedUser,
    balanceUser: BESIDE.user,
    depositedHub: BESIDE.hub,
    balanceHub: BESIDE.hub,
  });
}

/** Where money is that a leg can move. */
export interface Books {
  readonly user: bigint;
  readonly reserve: bigint;
  readonly locked: bigint;
  readonly claimable: bigint;
  readonly held: bigint;
}

/** What `act` added to each of the books of one leg; nobody but the user may be paid by it, so somebody else acts. */
export async function movementOf(
  world: World,
  leg: { user: HardhatEthersSigner; session: bigint; asset?: string },
  act: () => Promise<ContractTransactionResponse>,
): Promise<Books> {
  const before = await booksOf(world, leg);
  await act();
  const after = await booksOf(world, leg);
  return {
    user: after.user - before.user,
    reserve: after.reserve - before.reserve,
    locked: after.locked - before.locked,
    claimable: after.claimable - before.claimable,
    held: after.held - before.held,
  };
}

async function booksOf(
  { manager, address }: World,
  { user, session, asset = ETH }: { user: HardhatEthersSigner; session: bigint; asset?: string },
): Promise<Books> {
  return {
    user: await holdings(asset, user.address),
    reserve: await manager.reserveOf(asset),
    locked: await manager.lockedOf(user, session, asset),
    claimable: await manager.claimableOf(user, asset),
    held: await holdings(asset, address),
  };
}

async function holdings(asset: string, holder: string): Promise<bigint> {
  if (asset === ETH) return ethers.provider.getBalance(holder);
  return (await ethers.getContractAt("LocalToken", asset)).balanceOf(holder);
}
