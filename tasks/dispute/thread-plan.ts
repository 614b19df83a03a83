import {
  hashThread,
  parseEvidence,
  proveThread,
  threadRoot,
  type Address,
  type Evidence,
  type Hash,
  type Thread,
} from "../../protocol";
import { isFinalOnChain, readThreadRecord } from "../../protocol/chain/thread-record";
import { showingOf } from "../../protocol/chain/thread-showing";
import type { Step } from "../chain/transactions";
import { operationError } from "../errors";
import type { DisputeDeps } from "./deps";
import type { Plan } from "./move";
import { readForecasts } from "./read";
import { countdownOf, timeOf } from "./words";

/** A payout's allowance and a proof of 64 leaves, with something to spare. */
const SETTLE_THREAD_GAS = 500_000n;

/**
 * What a thread needs now: its best evidence, while that counts; its payouts, once it is final.
 * @throws NothingInDispute, EvidenceMissing
 */
export async function planThread(
  deps: DisputeDeps,
  user: Address,
  hash: Hash,
  evidence: Evidence | undefined,
  account: string,
): Promise<Plan> {
  const { provider, channelManager, head, domain, apps, challengePeriodSeconds } = deps;
  const next = `dispute status --user ${user}`;
  const { threads } = await readForecasts(deps, user, evidence);
  const forecast = threads.find((each) => each.hash === hash);
  const held = evidence && parseEvidence(evidence).threads.find(({ thread }) => hashThread(thread) === hash);
  const thread = forecast?.thread ?? held?.thread;
  if (thread === undefined) throw operationError("NothingInDispute", { user, what: `thread ${hash}` });
  const record = await readThreadRecord(provider, channelManager, hash);
  const now = BigInt(head.timestamp);
  if (record !== undefined && isFinalOnChain(thread, record, now)) {
    const steps = await payoutSteps(deps, thread, forecast?.legs ?? [], evidence);
    const done = "The thread is decided, and no settled channel waits for it any more.";
    return { what: `pay out thread ${hash}`, account, steps, done, next };
  }
  const showing = held && showingOf(held, record, { domain, apps, challengePeriodSeconds }, now);
  if (showing === undefined) {
    if (record === undefined) throw operationError("EvidenceMissing", { user });
    const left = countdownOf(record.deadline - now);
    const done = `Nothing at hand changes the thread; it is final ${timeOf(record.deadline)}, ${left}.`;
    return { what: "show a thread", account, steps: [], done, next };
  }
  const what = `show ${showing.name} of thread ${hash}`;
  const { data, gasLimit } = showing;
  const step = { what, to: channelManager, data, valueWei: 0n, ...(gasLimit === undefined ? {} : { gasLimit }) };
  return { what, account, steps: [step], next };
}

/** One payout for each settled channel that waits for the thread. */
export async function payoutSteps(
  { manager, channelManager }: Pick<DisputeDeps, "manager" | "channelManager">,
  thread: Thread,
  legs: readonly { readonly user: Address; readonly session: bigint }[],
  evidence: Evidence | undefined,
): Promise<readonly Step[]> {
  const hash = hashThread(thread);
  const leaves = evidence ? parseEvidence(evidence).threads.map((each) => hashThread(each.thread)) : [];
  const found = await Promise.all(
    legs.map(async ({ user, session }): Promise<readonly Step[]> => {
      const proof = proofFor((await manager.threadRootOf(user, session)) as Hash, hash, leaves);
      if (proof === undefined) return [];
      const data = manager.interface.encodeFunctionData("settleThread", [user, session, thread, [...proof]]);
      const what = `pay the leg of ${user}, session ${session}`;
      return [{ what, to: channelManager, data, valueWei: 0n, gasLimit: SETTLE_THREAD_GAS }];
    }),
  );
  return found.flat();
}

/** A root of one leaf proves itself; others need the list of leaves, which evidence has. */
function proofFor(root: Hash, hash: Hash, leaves: readonly Hash[]): readonly Hash[] | undefined {
  if (threadRoot([hash]) === root) return [];
  return leaves.includes(hash) && threadRoot(leaves) === root ? proveThread(leaves, hash) : undefined;
}
