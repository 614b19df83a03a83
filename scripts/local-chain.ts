import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type JsonRpcProvider, Transaction } from "ethers";

/** A block with transactions, to be made again. Empty ones between them are made by number. */
interface SavedBlock {
  readonly number: number;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Signed, as they were sent. */
  readonly transactions: readonly string[];
}

export interface SavedChain {
  /** When the chain began; its first block must not be later than those that follow. */
  readonly startedAt: string;
  readonly blocks: readonly SavedBlock[];
}

export const SAVED_CHAIN = join("data", "local-chain.json");

/** The chain of an earlier `npm start`, or a new one. */
export function loadChain(): SavedChain {
  if (!existsSync(SAVED_CHAIN)) return { startedAt: new Date().toISOString(), blocks: [] };
  return JSON.parse(readFileSync(SAVED_CHAIN, "utf8")) as SavedChain;
}

/** Replaces the file at once, so that a crash leaves the old one or the new one. */
function saveChain(chain: SavedChain): void {
  mkdirSync(dirname(SAVED_CHAIN), { recursive: true });
  writeFileSync(`${SAVED_CHAIN}.tmp`, JSON.stringify(chain));
  renameSync(`${SAVED_CHAIN}.tmp`, SAVED_CHAIN);
}

/** Makes the blocks again: the same transactions at the same heights and times, so every address and balance returns. */
export async function replayChain(provider: JsonRpcProvider, { blocks }: SavedChain): Promise<void> {
  await provider.send("evm_setAutomine", [false]);
  for (const { number, timestamp, transactions } of blocks) {
    const missing = number - 1 - (await provider.getBlockNumber());
    if (missing > 0) await provider.send("hardhat_mine", [`0x${missing.toString(16)}`, "0x1"]);
    await provider.send("evm_setNextBlockTimestamp", [timestamp]);
    for (const raw of transactions) await provider.send("eth_sendRawTransaction", [raw]);
    await provider.send("evm_mine", []);
  }
  await provider.send("evm_setAutomine", [true]);
  await provider.send("evm_mine", [Math.floor(Date.now() / 1000)]); // the clock goes on from now
}

/** Appends new blocks to the file from time to time, and at the end. */
export function keepChain(provider: JsonRpcProvider, known: SavedChain): { save(): Promise<void>; stop(): void } {
  let chain = known;
  let saving: Promise<void> = Promise.resolve();
  const saveNew = async (): Promise<void> => {
    const from = (chain.blocks.at(-1)?.number ?? 0) + 1;
    const head = await provider.getBlockNumber();
    const added: SavedBlock[] = [];
    for (let number = from; number <= head; number++) {
      const block = await provider.getBlock(number, true);
      if (block === null || block.prefetchedTransactions.length === 0) continue;
      const transactions = block.prefetchedTransactions.map((each) => Transaction.from(each).serialized);
      added.push({ number, timestamp: block.timestamp, transactions });
    }
    if (added.length === 0) return;
    chain = { ...chain, blocks: [...chain.blocks, ...added] };
    saveChain(chain);
  };
  const save = (): Promise<void> => (saving = saving.catch(() => undefined).then(saveNew));
  const timer = setInterval(() => void save().catch(() => undefined), 2_000);
  return { save, stop: () => clearInterval(timer) };
}
