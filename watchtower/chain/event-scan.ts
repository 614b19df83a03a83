import type { Log as ChainLog, Provider } from "ethers";
import type { Address, Hash } from "../../protocol";
import { decodeEvent } from "../../protocol/chain/events";
import { ChannelManager__factory } from "../../typechain-types";
import type { TowerStore } from "../store/tower-store";

/** Blocks in one question for events: what public nodes answer. */
const BLOCKS_PER_QUESTION = 2_000;

/** So many blocks are read again each time: what a reorganisation put there is not missed. */
const REREAD_BLOCKS = 64;

const NAMES = ["ExitStarted", "ExitChallenged", "Settled", "ThreadChallenged", "ThreadResolved"] as const;

const manager = ChannelManager__factory.createInterface();
const TOPICS = NAMES.map((name) => manager.getEvent(name as "Settled").topicHash);

/**
 * Marks everybody whom something happened to since the last look. Events only say where to look: what there is to do is
 * read from the contract, so that an event twice, or one of a block that is gone, does no harm.
 * @throws what the node throws; then the same blocks are read again
 */
export async function markEvents(
  { provider, channelManager, store }: { provider: Provider; channelManager: Address; store: TowerStore },
  headNumber: number,
  startBlock: number,
): Promise<void> {
  const next = store.nextBlock() ?? startBlock;
  for (let from = Math.max(startBlock, Math.min(next, headNumber + 1) - REREAD_BLOCKS); from <= headNumber;) {
    const to = Math.min(from + BLOCKS_PER_QUESTION - 1, headNumber);
    const logs = await provider.getLogs({ address: channelManager, topics: [TOPICS], fromBlock: from, toBlock: to });
    store.write(() => {
      for (const log of logs) for (const user of concernedBy(log, store)) store.setActive(user, true);
      store.setNextBlock(to + 1);
    });
    from = to + 1;
  }
}

function concernedBy(log: ChainLog, store: TowerStore): readonly Address[] {
  const event = decodeEvent(log);
  if (event === undefined) return [];
  if ("threadHash" in event) return store.usersOfThread(event.threadHash.toLowerCase() as Hash);
  return "user" in event ? [event.user] : [];
}
