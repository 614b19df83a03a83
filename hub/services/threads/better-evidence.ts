import {
  bestBalance,
  hubError,
  verifyThreadEvidence,
  type ThreadEvidence,
  type ThreadEvidenceContext,
} from "../../../protocol";
import type { ThreadNote, ThreadRow } from "../../store/thread-store";
import { evidenceOf } from "./view";

/**
 * What of the given evidence is newer than what is known, checked.
 * @throws ThreadNotReady before both have signed the terms, and what `verifyThreadEvidence` returns
 */
export function betterEvidence(row: ThreadRow, given: ThreadNote, context: ThreadEvidenceContext): ThreadNote {
  const { hash, status, sigReceiver } = row;
  if (sigReceiver === undefined) throw hubError("ThreadNotReady", { hash, status, needed: "accepted" });
  const { payment, update, resolution } = given;
  const newer: ThreadNote = {
    ...(payment !== undefined && payment.payment.balanceReceiver > (row.payment?.payment.balanceReceiver ?? -1n)
      ? { payment }
      : {}),
    ...(update !== undefined && update.update.nonce > (row.update?.update.nonce ?? 0n) ? { update } : {}),
  };
  const merged = evidenceOf({ ...without(row), ...newer, ...(resolution === undefined ? {} : { resolution }) });
  const wrong = verifyThreadEvidence(merged, context);
  if (wrong) throw wrong;
  return resolution === undefined || !isBetter(row, merged, context) ? newer : { ...newer, resolution };
}

/** A resolution of an older update is worth nothing once there is a newer one. */
function without(row: ThreadRow): Omit<ThreadRow, "resolution"> {
  return Object.fromEntries(Object.entries(row).filter(([name]) => name !== "resolution")) as unknown as ThreadRow;
}

function isBetter(row: ThreadRow, merged: ThreadEvidence, context: ThreadEvidenceContext): boolean {
  if (row.resolution === undefined || row.resolution.nonce < (merged.resolution?.nonce ?? 0n)) return true;
  return bestBalance(merged, context) > bestBalance(evidenceOf(row), context);
}
