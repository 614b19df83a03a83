import { zeroPadValue, type Log, type Provider } from "ethers";
import type { Address } from "../address";
import { MAX_ASSETS, unsignedState } from "../channel-state";
import type { DisputedThread, OpenExit, WaitingLeg } from "../dispute";
import type { Hash } from "../hex";
import { bytesToHex, hexToBytes, ZERO_HASH } from "../hex";
import { keccak256 } from "../keccak";
import { readChannel, type Head } from "./channel-view";
import { channelManagerAt } from "./contract";
import { decodeEvent, partiesOf, type ChainEvent } from "./events";
import { stateIn, threadIn } from "./shown-state";
import { readThreadRecord } from "./thread-record";

/** What is asked for in one go: nodes refuse longer ranges. */
const BLOCKS_AT_A_TIME = 10_000;

export interface EventRange {
  readonly fromBlock: number;
  readonly toBlock: number;
}

/** All events of the contract, or those that name a user, oldest first. @throws Error if the node does not answer */
export async function readEvents(
  provider: Provider,
  channelManager: Address,
  { fromBlock, toBlock }: EventRange,
  user?: Address,
): Promise<readonly ChainEvent[]> {
  const topicLists = user === undefined ? [[]] : [1, 2, 3].map((at) => [...Array<null>(at).fill(null), topicOf(user)]);
  const found = new Map<string, Log>();
  for (let from = fromBlock; from <= toBlock; from += BLOCKS_AT_A_TIME) {
    const range = { fromBlock: from, toBlock: Math.min(toBlock, from + BLOCKS_AT_A_TIME - 1) };
    for (const topics of topicLists) {
      const logs = await provider.getLogs({ address: channelManager, ...range, topics });
      for (const log of logs) found.set(`${log.blockNumber}:${log.index}`, log);
    }
  }
  const logs = [...found.values()].sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index);
  const events = logs.map(decodeEvent).filter((event) => event !== undefined);
  return user === undefined ? events : events.filter((event) => concerns(event, user));
}

function concerns(event: ChainEvent, user: Address): boolean {
  return partiesOf(event).includes(user) || ("payer" in event && event.payer === user);
}

function topicOf(address: Address): string {
  return zeroPadValue(address, 32);
}

/** Open exits and threads, as one block has them. */
export interface DisputesOnChain {
  readonly exits: readonly OpenExit[];
  readonly threads: readonly DisputedThread[];
}

/** @param events Of `readEvents`, up to `head`; those of one user give that user's disputes. */
export async function readDisputes(
  provider: Provider,
  channelManager: Address,
  events: readonly ChainEvent[],
  head: Pick<Head, "number">,
): Promise<DisputesOnChain> {
  const exits = await Promise.all(
    usersOf(events).map((user) => readExit(provider, channelManager, user, events, head.number)),
  );
  const waiting = await readWaiting(provider, channelManager, events, head.number);
  const threads = await Promise.all(
    threadsOf(events).map((hash) => readThread(provider, channelManager, hash, events, waiting, head.number)),
  );
  return { exits: exits.filter((exit) => exit !== undefined), threads: threads.filter((each) => each !== undefined) };
}

type ExitEvent = Extract<ChainEvent, { readonly name: "ExitStarted" | "ExitChallenged" }>;
type ThreadEvent = Extract<ChainEvent, { readonly name: "ThreadChallenged" | "ThreadResolved" }>;

function isExit(event: ChainEvent): event is ExitEvent {
  return event.name === "ExitStarted" || event.name === "ExitChallenged";
}

function isThread(event: ChainEvent): event is ThreadEvent {
  return event.name === "ThreadChallenged" || event.name === "ThreadResolved";
}

function usersOf(events: readonly ChainEvent[]): readonly Address[] {
  return [...new Set(events.filter(isExit).map(({ user }) => user))];
}

function threadsOf(events: readonly ChainEvent[]): readonly Hash[] {
  return [...new Set(events.filter(isThread).map(({ threadHash }) => threadHash))];
}

/** Assets that were ever paid into a channel, ETH first. */
export function assetsOf(events: readonly ChainEvent[], user: Address): readonly Address[] {
  const paid = events.filter((event) => event.name === "Deposited" || event.name === "Collateralized");
  return [...new Set(paid.filter((event) => event.user === user).map(({ asset }) => asset))].sort();
}

async function readExit(
  provider: Provider,
  channelManager: Address,
  user: Address,
  events: readonly ChainEvent[],
  blockNumber: number,
): Promise<OpenExit | undefined> {
  const view = await readChannel(provider, channelManager, user, assetsOf(events, user), blockNumber);
  const { session, exitNonce: nonce, exitDeadline: deadline, ledgers } = view;
  const event = events.findLast(
    (each): each is ExitEvent => isExit(each) && each.user === user && each.session === session,
  );
  if (deadline === 0n || event === undefined) return undefined;
  const { stateHash, sigHub, sigUser } = event;
  const data = await dataOf(provider, event.transactionHash);
  const state =
    nonce === 0n ? unsignedState(user, session, assetsOf(events, user).slice(0, MAX_ASSETS)) : stateIn(data, stateHash);
  const standing = state === undefined ? {} : { standing: { state, sigHub, sigUser } };
  return { ...{ user, session, nonce, deadline, stateHash, ledgers }, ...standing };
}

async function readThread(
  provider: Provider,
  channelManager: Address,
  hash: Hash,
  events: readonly ChainEvent[],
  waiting: readonly EndedWithThreads[],
  blockNumber: number,
): Promise<DisputedThread | undefined> {
  const own = events.filter(isThread).filter(({ threadHash }) => threadHash === hash);
  const [first] = own;
  const record = await readThreadRecord(provider, channelManager, hash, blockNumber);
  if (first === undefined || record === undefined) return undefined;
  const { sender, receiver } = first;
  const thread = threadIn(await dataOf(provider, first.transactionHash), hash);
  const unpaid = [...(record.senderPaid ? [] : [sender]), ...(record.receiverPaid ? [] : [receiver])];
  const legs = legsOf(hash, unpaid, waiting);
  return { hash, sender, receiver, ...(thread === undefined ? {} : { thread }), record, legs };
}

/** A session that was settled with threads in it, some of which are unpaid. */
export interface EndedWithThreads extends WaitingLeg {
  readonly threadRoot: Hash;
}

async function readWaiting(
  provider: Provider,
  channelManager: Address,
  events: readonly ChainEvent[],
  blockTag: number,
): Promise<readonly EndedWithThreads[]> {
  const manager = channelManagerAt(channelManager, provider);
  const ended = events.filter((event) => event.name === "Settled").filter(({ threadRoot }) => threadRoot !== ZERO_HASH);
  const open = await Promise.all(
    ended.map(async ({ user, session, threadRoot }) => {
      const assets = assetsOf(events, user);
      const locked = await Promise.all(assets.map((asset) => manager.lockedOf(user, session, asset, { blockTag })));
      return locked.some((amount) => amount > 0n) ? [{ user, session, threadRoot }] : [];
    }),
  );
  return open.flat();
}

/** A root of one leaf says which thread it is; of others only the list of leaves would. */
function legsOf(hash: Hash, unpaid: readonly Address[], waiting: readonly EndedWithThreads[]): readonly WaitingLeg[] {
  const leaf = bytesToHex(keccak256(hexToBytes(hash)));
  return unpaid.flatMap((user) => {
    const own = waiting.filter((each) => each.user === user);
    const exact = own.filter(({ threadRoot }) => threadRoot === leaf);
    return (exact.length > 0 ? exact : own).map(({ session }) => ({ user, session }));
  });
}

async function dataOf(provider: Provider, transactionHash: Hash): Promise<string> {
  return (await provider.getTransaction(transactionHash))?.data ?? "0x";
}
