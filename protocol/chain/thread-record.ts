import type { Provider } from "ethers";
import { channelManagerAt } from "./contract";
import type { Address } from "../address";
import type { Hash } from "../hex";
import { FINAL_NONCE, threadSum, type Thread } from "../thread";
import { readBlock } from "./channel-view";

/** A thread's adjudication. It is there once anybody has shown evidence. */
export interface ThreadRecord {
  readonly balanceReceiver: bigint;
  readonly nonce: bigint;
  /** Unix seconds. */
  readonly deadline: bigint;
  readonly resolved: boolean;
  readonly senderPaid: boolean;
  readonly receiverPaid: boolean;
}

/** The record at a block, or nothing before anybody has shown the thread. @throws Error if the node does not answer */
export async function readThreadRecord(
  provider: Provider,
  channelManager: Address,
  hash: Hash,
  blockTag: number | "latest" = "latest",
): Promise<ThreadRecord | undefined> {
  const record = await channelManagerAt(channelManager, provider).recordOf(hash, { blockTag });
  if (record.deadline === 0n) return undefined;
  const { balanceReceiver, nonce, deadline, resolved, senderPaid, receiverPaid } = record;
  return { balanceReceiver, nonce, deadline, resolved, senderPaid, receiverPaid };
}

/** Whether no evidence can change the record any more. The same rule stands in `ThreadRules.sol`. */
export function isFinalOnChain(
  thread: Thread,
  record: Pick<ThreadRecord, "balanceReceiver" | "nonce" | "deadline">,
  nowSeconds: bigint,
): boolean {
  if (nowSeconds >= record.deadline) return true;
  return thread.updatable ? record.nonce === FINAL_NONCE : record.balanceReceiver === threadSum(thread);
}

/** The record at the newest block, and the final one as deep as is asked for: what no reorganisation takes back. */
export interface ThreadView {
  readonly head?: ThreadRecord;
  readonly final?: ThreadRecord;
}

export async function readThreadView(
  provider: Provider,
  channelManager: Address,
  hash: Hash,
  thread: Thread,
  confirmations: number,
): Promise<ThreadView> {
  const headNumber = await provider.getBlockNumber();
  const head = await readThreadRecord(provider, channelManager, hash, headNumber);
  const deepNumber = headNumber - confirmations + 1;
  if (head === undefined || deepNumber < 0) return {};
  const [deep, block] = await Promise.all([
    readThreadRecord(provider, channelManager, hash, deepNumber),
    readBlock(provider, deepNumber),
  ]);
  const isFinal = deep !== undefined && block !== undefined && isFinalOnChain(thread, deep, BigInt(block.timestamp));
  return isFinal ? { head, final: deep } : { head };
}
