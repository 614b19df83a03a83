import { ChannelManager__factory } from "../../typechain-types";
import type { SignedThreadUpdateStruct } from "../../typechain-types/contracts/ChannelManager";
import { ZERO_ADDRESS, type Address } from "../address";
import { isUpdatableApp, threadSum } from "../thread";
import {
  resolvedBalance,
  type ThreadEvidence,
  type ThreadEvidenceContext,
  type ThreadResolution,
} from "../thread-evidence";
import type { ThreadRecord } from "./thread-record";

/** What of a record decides whether evidence adds anything to it. */
export type StandingRecord = Pick<ThreadRecord, "balanceReceiver" | "nonce" | "deadline" | "resolved">;

/** A call that adds to what the contract knows of a thread. */
export interface Showing {
  readonly data: string;
  /** What it shows, in words that are the same only for the same evidence. */
  readonly name: string;
  /** Where an estimate would lead astray: the contract insists on what it lends an app, used or not. */
  readonly gasLimit?: bigint;
  /** By how much the receiver's balance would change; undefined where nobody can compute it. */
  readonly change?: bigint;
}

/** What the contract lends an app, what the EVM keeps back of it, and the evidence around it. */
const RESOLUTION_GAS = 1_000_000n;

const manager = ChannelManager__factory.createInterface();

/** Whether app and resolution can say anything that the record does not have; by what is known here. */
type Standing = Pick<StandingRecord, "balanceReceiver" | "nonce" | "resolved"> & { readonly deadline?: bigint };

/**
 * The best of the evidence, if the contract would take it: what raises or replaces what stands there.
 * @param record At the newest block; absent before anybody has shown the thread. Then the terms alone are something.
 */
export function showingOf(
  evidence: ThreadEvidence,
  record: StandingRecord | undefined,
  context: ThreadEvidenceContext,
  nowSeconds: bigint,
): Showing | undefined {
  const { thread } = evidence;
  const standing: Standing = record ?? { balanceReceiver: thread.balanceReceiver, nonce: 0n, resolved: false };
  const better = thread.updatable
    ? updatableShowing(evidence, standing, context, nowSeconds)
    : raisingShowing(evidence, standing, context);
  return better ?? (record === undefined ? termsShowing(evidence) : undefined);
}

/** Not updatable: only what pays the receiver more. */
function raisingShowing(
  evidence: ThreadEvidence,
  { balanceReceiver: standing, resolved }: Standing,
  context: ThreadEvidenceContext,
): Showing | undefined {
  const { thread, payment, resolution } = evidence;
  if (thread.app === ZERO_ADDRESS) {
    const paid = payment?.payment.balanceReceiver ?? 0n;
    return payment === undefined || paid <= standing ? undefined : paymentShowing(evidence, paid - standing);
  }
  if (resolution === undefined) return undefined;
  const answer = resolvedBalance(evidence, context.apps, context.domain);
  if (answer !== undefined)
    return answer > standing ? resolutionShowing(evidence, resolution, answer - standing) : undefined;
  return resolved || isPure(evidence, context) ? undefined : resolutionShowing(evidence, resolution);
}

/** Updatable: a newer update, or an answer of the app where the record has none for that update. */
function updatableShowing(
  evidence: ThreadEvidence,
  { nonce, resolved, balanceReceiver, deadline }: Standing,
  context: ThreadEvidenceContext,
  nowSeconds: bigint,
): Showing | undefined {
  const { thread, update, resolution } = evidence;
  const isClosed =
    isUpdatableApp(thread) && deadline !== undefined && nowSeconds >= deadline - context.challengePeriodSeconds;
  const newest = update?.update.nonce ?? 0n;
  const isNewer = newest > nonce && !isClosed;
  const isTimely = isNewer || newest === nonce;
  if (resolution?.nonce === newest && isTimely && (isNewer || !resolved) && thread.app !== ZERO_ADDRESS) {
    const answer = resolvedBalance(evidence, context.apps, context.domain);
    if (answer !== undefined) return resolutionShowing(evidence, resolution, distance(answer, balanceReceiver));
    if (!isPure(evidence, context)) return resolutionShowing(evidence, resolution);
  }
  if (update === undefined || !isNewer) return undefined;
  const { data, name } = updateShowing(evidence, update.update.nonce);
  return { data, name, change: distance(update.update.balanceReceiver, balanceReceiver) };
}

function termsShowing(evidence: ThreadEvidence): Showing {
  const data = manager.encodeFunctionData("challengeThread", [signedOf(evidence)]);
  return { data, name: "terms", change: threadSum(evidence.thread) };
}

function paymentShowing(evidence: ThreadEvidence, change: bigint): Showing {
  const { payment, sigSender } = evidence.payment ?? missing();
  const args = [signedOf(evidence), payment.balanceReceiver, sigSender] as const;
  const data = manager.encodeFunctionData("challengeThreadWithPayment", [...args]);
  return { data, name: `payment-${payment.balanceReceiver}`, change };
}

function updateShowing(evidence: ThreadEvidence, nonce: bigint): Showing {
  const data = manager.encodeFunctionData("challengeThreadWithUpdate", [signedOf(evidence), updateOf(evidence)]);
  return { data, name: `update-${nonce}` };
}

function resolutionShowing(evidence: ThreadEvidence, resolution: ThreadResolution, change?: bigint): Showing {
  const { appState, resolver, nonce } = resolution;
  const data =
    nonce === 0n
      ? manager.encodeFunctionData("resolveThread", [signedOf(evidence), appState, resolver])
      : manager.encodeFunctionData("resolveThreadWithUpdate", [
          signedOf(evidence),
          updateOf(evidence),
          appState,
          resolver,
        ]);
  const name = `resolution-${nonce}-${change ?? "unknown"}`;
  const showing = { data, name, gasLimit: RESOLUTION_GAS };
  return change === undefined ? showing : { ...showing, change };
}

function signedOf({ thread, sigSender, sigReceiver }: ThreadEvidence): {
  readonly thread: ThreadEvidence["thread"];
  readonly sigSender: string;
  readonly sigReceiver: string;
} {
  return { thread, sigSender, sigReceiver };
}

function updateOf({ update }: ThreadEvidence): SignedThreadUpdateStruct {
  const { update: of, sigSender, sigReceiver } = update ?? missing();
  const { nonce, balanceReceiver, appStateHash } = of;
  return { nonce, balanceReceiver, appStateHash, sigSender, sigReceiver };
}

function isPure({ thread }: ThreadEvidence, { apps }: ThreadEvidenceContext): boolean {
  const pure: readonly (Address | undefined)[] = [apps.hashlock, apps.signed];
  return pure.includes(thread.app);
}

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a;
}

function missing(): never {
  throw new Error("evidence that was not there was to be shown");
}
