import { hubError, threadSum, ZERO_ADDRESS, type Address } from "../../protocol";
import { clientError } from "../errors";
import { isSender, type OwnThread } from "./own-thread";

/** Once a thread is shown to the contract, nothing more is agreed on it off chain: it might count no more. */
function isDisputed({ onChain }: OwnThread): boolean {
  return onChain !== undefined;
}

/** Whether a sender alone pays on it. */
export function isStream({ thread }: OwnThread): boolean {
  return !thread.updatable && thread.app === ZERO_ADDRESS;
}

/** Whether what comes now on it will still count. */
export function isLive(record: OwnThread): boolean {
  return record.leg === "open" && record.isEnding !== true && !isDisputed(record);
}

/** Whether anything more may be signed on it. @throws ThreadNotOpen, ThreadDisputed */
export function requireLive(record: OwnThread): void {
  if (record.isEnding === true) throw clientError("ThreadNotOpen", { threadHash: record.hash, leg: "ending" });
  requireOpen(record);
}

/** @throws ThreadNotOpen, ThreadDisputed */
export function requireOpen(record: OwnThread): void {
  const { hash, leg, onChain } = record;
  if (leg !== "open") throw clientError("ThreadNotOpen", { threadHash: hash, leg });
  if (isDisputed(record)) throw hubError("ThreadDisputed", { hash, deadline: onChain?.deadline ?? 0n });
}

/** @throws WrongThreadRole */
export function requireRole(record: OwnThread, user: Address, needed: "sender" | "receiver"): void {
  if (isSender(record, user) === (needed === "sender")) return;
  throw clientError("WrongThreadRole", { threadHash: record.hash, needed });
}

/** What this side gets if the receiver gets `balanceReceiver`. */
export function shareOf({ thread }: OwnThread, user: Address, balanceReceiver: bigint): bigint {
  return thread.receiver === user ? balanceReceiver : threadSum(thread) - balanceReceiver;
}
