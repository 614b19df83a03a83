import { expect } from "chai";
import { ethers } from "hardhat";
import { loadChannel, newestOf } from "../../hub/services/channel";
import {
  hashState,
  rowOf,
  verifyState,
  ZERO_ADDRESS,
  type Address,
  type ChannelState,
  type Ledger,
} from "../../protocol";
import { isInterrupted, USERS, type ChaosWorld, type User } from "./chaos-world";

/** Whose money is where, in base units: what every run must end with, to the last wei. */
export type Books = Readonly<Record<string, bigint>>;

/** Where withdrawals of these runs go. */
export const ELSEWHERE = "0x00000000000000000000000000000000e15e3e4e";

const MAX_ROUNDS = 40;

/** Lets everything that happens by itself happen until nothing is open between anybody. */
export async function converge(world: ChaosWorld, users: readonly User[] = USERS): Promise<void> {
  let open: readonly string[] = [];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    await world.pump();
    for (const user of users) {
      try {
        await (await world.user(user)).client.level();
      } catch (error) {
        if (!isInterrupted(error)) throw error;
      }
    }
    open = await openMatters(world, users);
    if (open.length === 0) return;
    world.pass(300);
  }
  throw new Error(`hub and users do not come level: ${open.join("; ")}`);
}

async function openMatters(world: ChaosWorld, users: readonly User[]): Promise<readonly string[]> {
  const store = await world.store();
  const found: string[] = [];
  for (const user of users) {
    const { engine, life } = await world.user(user);
    await engine.idle();
    if (engine.isWaiting || life.isDead) found.push(`${user} waits`);
    const channel = await loadChannel(store.channels, world.address(user));
    if ((channel?.pending.length ?? 0) > 0) found.push(`${channel?.pending.length} updates wait for ${user}`);
    const own = engine.record.doubleSigned;
    const hashes = [own, channel?.doubleSigned].map((each) => each && hashState(each.state));
    if (hashes[0] !== hashes[1]) found.push(`${user} and the hub differ`);
  }
  const open = (await store.transactions.list(100)).filter(({ isFinal }) => !isFinal);
  for (const { id, status } of open) found.push(`transaction ${id} is ${status}`);
  if ((await store.collateral.queued(100)).length > 0) found.push("collateral is granted and not sent");
  if ((await store.collateral.sent()).length > 0) found.push("collateral is on its way");
  return found;
}

/** The money of both users as the hub's disk has it. */
export async function booksOf(world: ChaosWorld): Promise<Books> {
  const store = await world.store();
  const books: Record<string, bigint> = { elsewhere: await ethers.provider.getBalance(ELSEWHERE) };
  const held = await store.payments.reservedTotals();
  books.held = held.get(ZERO_ADDRESS) ?? 0n;
  for (const user of USERS) {
    const channel = await loadChannel(store.channels, world.address(user));
    const balance = (asset: Address): bigint => (channel ? rowOf(newestOf(channel), asset).balanceUser : 0n);
    books[user] = balance(ZERO_ADDRESS);
    books[`${user}'s tokens`] = balance(world.token);
    books[`${user}'s locked`] = channel ? rowOf(newestOf(channel), ZERO_ADDRESS).locked : 0n;
    books[`${user}'s custodial`] = await store.custodial.balance(world.address(user), ZERO_ADDRESS);
  }
  return books;
}

export function plus(books: Books, changes: Books): Books {
  const after: Record<string, bigint> = { ...books };
  for (const [name, change] of Object.entries(changes)) after[name] = (after[name] ?? 0n) + change;
  return after;
}

/** What must hold between hub, users and chain once they are level. */
export async function checkInvariants(world: ChaosWorld, users: readonly User[] = USERS): Promise<void> {
  const store = await world.store();
  const { hub } = await world.hub();
  for (const user of users) {
    const { engine, client } = await world.user(user);
    const address = world.address(user);
    const onDisk = await loadChannel(store.channels, address);
    const inMemory = await hub.services.channels.load(address);
    expect(inMemory.doubleSigned, `${user}: the hub's memory is its disk`).to.deep.equal(onDisk?.doubleSigned);
    const own = engine.record.doubleSigned;
    if (own === undefined || onDisk === undefined) continue;
    const ledgers = await ledgersOf(world, address, own.state);
    const context = { domain: world.domain, hub: hub.services.signer.address, session: own.state.session, ledgers };
    expect(verifyState(own.state, own.sigHub, own.sigUser, context), `${user}: the contract takes it`).to.equal(
      undefined,
    );
    const theirs = onDisk.doubleSigned;
    expect(theirs && hashState(theirs.state)).to.equal(hashState(own.state));
    requireConserved(user, own.state, ledgers);
    expect(await client.incidents(), `${user} saw the hub break the rules`).to.deep.equal([]);
  }
  expect(await store.operation.incidents(), "incidents at the hub").to.equal(0);
  expect(world.signatures.doubles, "two states under one nonce").to.deep.equal([]);
}

/** Nothing is in a state that is not on chain, and what is on chain is in the state: whatever entered or left. */
function requireConserved(user: User, state: ChannelState, ledgers: ReadonlyMap<Address, Ledger>): void {
  for (const [asset, onChain] of ledgers) {
    const row = rowOf(state, asset);
    const { depositedHub, depositedUser, withdrawnHub, withdrawnUser } = row;
    expect({ depositedHub, depositedUser, withdrawnHub, withdrawnUser }, `${user}: ${asset}`).to.deep.equal(onChain);
    const inside = depositedHub + depositedUser - withdrawnHub - withdrawnUser;
    expect(row.balanceHub + row.balanceUser + row.locked, `${user}: the money of ${asset}`).to.equal(inside);
  }
}

async function ledgersOf(world: ChaosWorld, user: Address, state: ChannelState): Promise<ReadonlyMap<Address, Ledger>> {
  const ledgers = new Map<Address, Ledger>();
  for (const asset of [ZERO_ADDRESS, world.token]) {
    const ledger = await world.world.manager.ledgerOf(user, state.session, asset);
    const { depositedHub, depositedUser, withdrawnHub, withdrawnUser } = ledger;
    ledgers.set(asset, { depositedHub, depositedUser, withdrawnHub, withdrawnUser });
  }
  return ledgers;
}

/** Both channels still go on: each user pays the other one more wei, the hub signing first in one of the two. */
export async function requireAlive(world: ChaosWorld, users: readonly User[] = USERS): Promise<void> {
  for (const user of users) {
    const { client } = await world.user(user);
    if (client.balanceOf() === 0n) continue;
    const recipient = world.address(user === "alice" ? "bob" : "alice");
    const amount = { amountWei: 1n };
    const canReceive = (await client.recipientNeedsCollateral(recipient, amount)) === 0n;
    const before = client.getState().state.nonce;
    const type = canReceive ? "PT_CHANNEL" : "PT_CUSTODIAL";
    await client.buy({ payments: [{ type, recipient, amount }] });
    expect(client.getState().state.nonce > before, `${user}'s channel goes on`).to.equal(true);
  }
  await converge(world, users);
  await checkInvariants(world, users);
}
