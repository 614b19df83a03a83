import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The transaction that created a contract. */
export interface Creation {
  readonly transactionHash: string;
  readonly blockNumber: number;
}

/** A line of Ignition's journal, as far as it is of interest here. */
interface JournalMessage {
  readonly type: string;
  readonly futureId?: string;
  readonly hash?: string;
  readonly receipt?: { readonly blockNumber: number; readonly contractAddress?: string };
}

export function hasJournal(journal: string): boolean {
  return existsSync(fileOf(journal));
}

/** Reads the journal itself: Ignition's own list of transactions fails once something was wiped (0.15.15). */
export function creationOf(journal: string, address: string): Creation {
  const creation = readMessages(journal).find(({ receipt }) => receipt?.contractAddress === address);
  if (creation?.hash === undefined || creation.receipt === undefined) {
    throw new Error(`the journal ${journal} has no transaction that created ${address}`);
  }
  return { transactionHash: creation.hash, blockNumber: creation.receipt.blockNumber };
}

/** Futures that a run was about to send a transaction for when it ended: nobody knows whether it was sent. */
export function unknownSends(journal: string): ReadonlySet<string> {
  const unknown = new Set<string>();
  for (const { type, futureId = "" } of readMessages(journal)) {
    if (type === "TRANSACTION_PREPARE_SEND") unknown.add(futureId);
    if (type === "TRANSACTION_SEND" || type === "WIPE_APPLY") unknown.delete(futureId);
  }
  return unknown;
}

function readMessages(journal: string): JournalMessage[] {
  const lines = readFileSync(fileOf(journal), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as JournalMessage);
}

function fileOf(journal: string): string {
  return join(journal, "journal.jsonl");
}
