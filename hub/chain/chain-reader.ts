import type { Log as EthersLog, Provider } from "ethers";
import type { Address, Hash } from "../../protocol";
import { readBlock, type Head } from "../../protocol/chain/channel-view";
import { decodeEvent, type ChainEvent } from "../../protocol/chain/events";
import type { Log } from "../log";
import type { BlockMark, ChainStore } from "../store/chain-store";

/** Where blocks are read from. A node is not believed: what it says is compared with what it said before. */
export interface ChainSource {
  readonly provider: Provider;
  readonly channelManager: Address;
  readonly log: Log;
}

/** Events of some blocks, with the marks of those blocks that are to be remembered. */
export interface BlocksRead {
  readonly blocks: readonly BlockMark[];
  readonly events: readonly ChainEvent[];
}

/** A block that the node must have. @throws Error if it does not: it lags, or another one answered for it. */
export async function requireBlock(provider: Provider, number: number): Promise<Head> {
  const block = await readBlock(provider, number);
  if (block === undefined) throw new Error(`the node does not have block ${number} yet`);
  return block;
}

export async function isInChain(provider: Provider, mark: BlockMark): Promise<boolean> {
  return (await requireBlock(provider, mark.number)).hash === mark.hash;
}

/**
 * The newest block below `high` that was read and is still in the chain. Its ancestors are too, so the search may jump:
 * ever further down until one fits, then halving.
 */
export async function commonBlock(
  provider: Provider,
  store: Pick<ChainStore, "newestBlock">,
  high: number,
): Promise<BlockMark | undefined> {
  let bad = high;
  let good: BlockMark | undefined;
  for (let step = 1; good === undefined; step *= 2) {
    const mark = await store.newestBlock(bad - step);
    if (mark === undefined) break;
    if (await isInChain(provider, mark)) good = mark;
    else bad = mark.number;
  }
  for (let low = good?.number ?? -1; bad - low > 1;) {
    const middle = low + Math.floor((bad - low) / 2);
    const mark = await store.newestBlock(middle);
    if (mark === undefined || mark.number <= (good?.number ?? -1)) low = middle;
    else if (await isInChain(provider, mark)) [good, low] = [mark, middle];
    else bad = mark.number;
  }
  return good;
}

/** One block by its hash: whatever the chain does meanwhile, these are the logs of this block. */
export async function readByHash(source: ChainSource, { number, hash }: BlockMark): Promise<BlocksRead> {
  const logs = await source.provider.getLogs({ address: source.channelManager, blockHash: hash });
  const strange = logs.find((log) => log.blockHash.toLowerCase() !== hash || log.blockNumber !== number);
  if (strange !== undefined) throw new Error(`asked for block ${hash}, the node answered with ${strange.blockHash}`);
  return { blocks: [{ number, hash }], events: eventsOf(source, logs) };
}

/**
 * Blocks that are deep already, many at a time. The last one is asked before and after, and each log's block must be in
 * the chain: otherwise the chain moved, or the node lies, and nothing of the answer is used.
 */
export async function readRange(source: ChainSource, from: number, to: number): Promise<BlocksRead> {
  const { provider, channelManager } = source;
  const { hash } = await requireBlock(provider, to);
  const logs = await provider.getLogs({ address: channelManager, fromBlock: from, toBlock: to });
  const marks = new Map<number, Hash>([[to, hash]]);
  for (const { blockNumber, blockHash } of logs) {
    if (blockNumber < from || blockNumber > to) throw new Error(`the node answered with a log of block ${blockNumber}`);
    const known = marks.get(blockNumber) ?? (await requireBlock(provider, blockNumber)).hash;
    if (known !== blockHash.toLowerCase()) throw new Error(`the node answered with a log of block ${blockHash}`);
    marks.set(blockNumber, known);
  }
  if ((await requireBlock(provider, to)).hash !== hash) throw new Error(`block ${to} changed while it was read`);
  const blocks = [...marks].map(([number, each]): BlockMark => ({ number, hash: each }));
  return { blocks, events: eventsOf(source, logs) };
}

/** A log that makes no sense is left out and said, so that it stops nobody else's (H-8). */
function eventsOf({ channelManager, log }: ChainSource, logs: readonly EthersLog[]): readonly ChainEvent[] {
  return logs.flatMap((each) => {
    try {
      if (each.removed || each.address.toLowerCase() !== channelManager) return [];
      return decodeEvent(each) ?? [];
    } catch (error) {
      log.error(`log ${each.index} of block ${each.blockNumber} cannot be read; it is left out`, error);
      return [];
    }
  });
}
