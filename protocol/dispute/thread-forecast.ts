import type { Address } from "../address";
import type { Domain } from "../eip712/domain";
import type { Hash } from "../hex";
import { FINAL_NONCE, isUpdatableApp, threadSum, type Thread } from "../thread";
import { bestBalance, type PureApps, type ThreadEvidence } from "../thread-evidence";
import type { Action, Party } from "./action";
import { settleThreadGas, showThreadGas } from "./gas";

/** A session that ended with this thread open in it, and waits for its outcome. */
export interface WaitingLeg {
  readonly user: Address;
  readonly session: bigint;
}

/** A thread that the contract has to decide, or has decided and not paid. */
export interface DisputedThread {
  readonly hash: Hash;
  readonly sender: Address;
  readonly receiver: Address;
  /** The terms, where somebody's transaction or evidence has them. */
  readonly thread?: Thread;
  /** Absent before anybody has shown the thread. */
  readonly record?: {
    readonly balanceReceiver: bigint;
    readonly nonce: bigint;
    /** Unix seconds. */
    readonly deadline: bigint;
    readonly resolved: boolean;
    readonly senderPaid: boolean;
    readonly receiverPaid: boolean;
  };
  /** Legs that the contract still has to pay, as far as they are known. */
  readonly legs: readonly WaitingLeg[];
}

export interface ThreadShares {
  readonly asset: Address;
  readonly sender: bigint;
  readonly receiver: bigint;
}

export interface ThreadForecast extends DisputedThread {
  readonly kind: "thread";
  readonly secondsLeft?: bigint;
  /** `unshown`: no record; `open`: evidence counts; `overdue`: final, and a leg is unpaid; `done`: both are paid. */
  readonly phase: "unshown" | "open" | "overdue" | "done";
  readonly asItStands?: ThreadShares;
  readonly withEvidence?: ThreadShares;
  readonly action: Action;
}

export interface ThreadForecastContext {
  readonly domain: Domain;
  readonly apps: PureApps;
  readonly challengePeriodSeconds: bigint;
  readonly nowSeconds: bigint;
}

/** @param held Verified evidence of this thread. */
export function forecastThread(
  disputed: DisputedThread,
  held: ThreadEvidence | undefined,
  context: ThreadForecastContext,
): ThreadForecast {
  const thread = disputed.thread ?? held?.thread;
  const { record } = disputed;
  const standing = record?.balanceReceiver ?? thread?.balanceReceiver;
  const better = thread && held ? betterThan(disputed, thread, held, context) : undefined;
  const phase = phaseOf(disputed, thread, context.nowSeconds);
  const isChangeable = (phase === "open" || phase === "unshown") && better !== undefined && better !== standing;
  const forecast = {
    ...disputed,
    ...(thread === undefined ? {} : { thread }),
    ...(record === undefined ? {} : { secondsLeft: record.deadline - context.nowSeconds }),
    ...(thread && standing !== undefined ? { asItStands: sharesOf(thread, standing) } : {}),
    ...(thread && isChangeable ? { withEvidence: sharesOf(thread, better) } : {}),
  };
  const change = isChangeable && standing !== undefined ? better - standing : 0n;
  return { ...forecast, kind: "thread", phase, action: actionOf(forecast, phase, held, change) };
}

/** What of the record's rules the evidence could still change. Source: docs/protocol.md "Threads". */
function betterThan(
  { record }: DisputedThread,
  thread: Thread,
  held: ThreadEvidence,
  { apps, domain, challengePeriodSeconds, nowSeconds }: ThreadForecastContext,
): bigint | undefined {
  const best = bestBalance(held, { apps, domain, challengePeriodSeconds });
  if (record === undefined) return best;
  if (!thread.updatable) return best > record.balanceReceiver ? best : undefined;
  const nonce = held.update?.update.nonce ?? 0n;
  const isClosed = isUpdatableApp(thread) && nowSeconds >= record.deadline - challengePeriodSeconds;
  if (nonce > record.nonce && !isClosed) return best;
  return nonce === record.nonce && !record.resolved && held.resolution !== undefined ? best : undefined;
}

function phaseOf({ record, legs }: DisputedThread, thread: Thread | undefined, now: bigint): ThreadForecast["phase"] {
  if (record === undefined) return "unshown";
  if (!isOver(record, thread, now)) return "open";
  return (record.senderPaid && record.receiverPaid) || legs.length === 0 ? "done" : "overdue";
}

function isOver(record: NonNullable<DisputedThread["record"]>, thread: Thread | undefined, now: bigint): boolean {
  if (now >= record.deadline) return true;
  if (thread === undefined) return false;
  return thread.updatable ? record.nonce === FINAL_NONCE : record.balanceReceiver === threadSum(thread);
}

function sharesOf(thread: Thread, receiver: bigint): ThreadShares {
  return { asset: thread.asset, sender: threadSum(thread) - receiver, receiver };
}

function actionOf(
  { record, legs }: DisputedThread,
  phase: ThreadForecast["phase"],
  held: ThreadEvidence | undefined,
  change: bigint,
): Action {
  if (phase === "done") return { move: "wait", who: [], why: "it is decided, and no leg waits for its payout" };
  if (phase === "overdue") {
    const why = `it is decided: the money of ${legs.length === 1 ? "one leg" : `${legs.length} legs`} waits for somebody to ask for it`;
    return { move: "settleThread", who: ["anybody"], transaction: "settleThread", gas: settleThreadGas(1), why };
  }
  const gainer: readonly Party[] = change > 0n ? ["receiver"] : change < 0n ? ["sender"] : ["sender", "receiver"];
  const shown = held === undefined ? "terms" : kindOf(held);
  if (record === undefined || change !== 0n) {
    return {
      ...{ move: "showThread", who: gainer, transaction: functionOf(held) },
      gas: showThreadGas(shown, record !== undefined),
      ...(record === undefined ? {} : { by: record.deadline - 1n }),
      why:
        change === 0n
          ? "nobody has shown the thread to the contract: until then its stakes stay locked"
          : `the evidence at hand pays the ${change > 0n ? "receiver" : "sender"} more than what the contract has seen`,
    };
  }
  const why = "nothing at hand changes the outcome; after the deadline it is final";
  return {
    move: "wait",
    who: ["anybody"],
    from: record.deadline,
    transaction: "settleThread",
    gas: settleThreadGas(1),
    why,
  };
}

function kindOf({ payment, update, resolution }: ThreadEvidence): "terms" | "payment" | "update" | "resolution" {
  if (resolution !== undefined) return "resolution";
  return payment !== undefined ? "payment" : update !== undefined ? "update" : "terms";
}

function functionOf(held: ThreadEvidence | undefined): string {
  const kind = held === undefined ? "terms" : kindOf(held);
  if (kind === "resolution") return held?.update === undefined ? "resolveThread" : "resolveThreadWithUpdate";
  if (kind === "payment") return "challengeThreadWithPayment";
  return kind === "update" ? "challengeThreadWithUpdate" : "challengeThread";
}
