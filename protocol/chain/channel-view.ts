import type { Provider } from "ethers";
import { channelManagerAt } from "./contract";
import type { Address } from "../address";
import type { Hash } from "../hex";
import type { Ledger, Ledgers } from "../ledger";

/** One channel as one block has it. */
export interface ChannelView {
  readonly session: bigint;
  readonly exitNonce: bigint;
  /** Unix seconds; 0 while open. */
  readonly exitDeadline: bigint;
  /** Counters of that session, of the assets that were asked for. */
  readonly ledgers: Ledgers;
}

export interface Head {
  readonly number: number;
  readonly hash: Hash;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly parentHash: Hash;
}

/** The newest block that a node has. */
export async function readHead(provider: Provider): Promise<Head> {
  const head = await readBlock(provider, "latest");
  if (head === undefined) throw new Error("the node has no newest block");
  return head;
}

export async function readBlock(provider: Provider, which: number | "latest"): Promise<Head | undefined> {
  const block = await provider.getBlock(which);
  if (block === null || block.hash === null) return undefined;
  const { number, hash, timestamp, parentHash } = block;
  return { number, hash: hash as Hash, timestamp, parentHash: parentHash as Hash };
}

/**
 * A channel at one block, in two round trips. The block's hash is asked before and after, so that no half of two blocks is
 * ever taken for one, whatever the chain does in between.
 * @throws Error if the node does not have the block, or another one when it has answered: read again
 */
export async function readChannel(
  provider: Provider,
  channelManager: Address,
  user: Address,
  assets: readonly Address[],
  blockNumber: number,
): Promise<ChannelView> {
  const manager = channelManagerAt(channelManager, provider);
  const at = { blockTag: blockNumber };
  const [before, { session, exitNonce, exitDeadline }] = await Promise.all([
    readBlock(provider, blockNumber),
    manager.channelOf(user, at),
  ]);
  if (before === undefined) throw new Error(`the node does not have block ${blockNumber}`);
  const ledgers = await Promise.all(
    assets.map(async (asset): Promise<readonly [Address, Ledger]> => {
      const ledger = await manager.ledgerOf(user, session, asset, at);
      const { depositedHub, depositedUser, withdrawnHub, withdrawnUser } = ledger;
      return [asset, { depositedHub, depositedUser, withdrawnHub, withdrawnUser }];
    }),
  );
  const after = await readBlock(provider, blockNumber);
  if (after?.hash !== before.hash) throw new Error(`block ${blockNumber} changed while it was read`);
  return { session, exitNonce, exitDeadline, ledgers: new Map(ledgers) };
}

/**
 * What a side may count on: deposits as deep as it asks, withdrawals, exit and session at head. Where the deep block is
 * still in an earlier session, nothing of this one is deep enough yet.
 */
export async function readCautiously(
  provider: Provider,
  channelManager: Address,
  user: Address,
  assets: readonly Address[],
  headNumber: number,
  confirmations: number,
): Promise<ChannelView> {
  const deepNumber = Math.max(0, headNumber - confirmations + 1);
  const head = await readChannel(provider, channelManager, user, assets, headNumber);
  if (deepNumber === headNumber) return head;
  const deep = await readDeep(provider, channelManager, user, assets, deepNumber);
  const ledgers = [...head.ledgers].map(([asset, ledger]): readonly [Address, Ledger] => {
    const old = deep?.session === head.session ? deep.ledgers.get(asset) : undefined;
    const { depositedHub, depositedUser } = old ?? { depositedHub: 0n, depositedUser: 0n };
    return [asset, { ...ledger, depositedHub, depositedUser }];
  });
  return { ...head, ledgers: new Map(ledgers) };
}

/** Before the contract existed there was nothing. */
async function readDeep(
  provider: Provider,
  channelManager: Address,
  user: Address,
  assets: readonly Address[],
  blockTag: number,
): Promise<ChannelView | undefined> {
  const code = await provider.getCode(channelManager, blockTag);
  return code === "0x" ? undefined : readChannel(provider, channelManager, user, assets, blockTag);
}
