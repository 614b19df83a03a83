import { rmSync } from "node:fs";
import { status, wipe, type ArtifactResolver } from "@nomicfoundation/ignition-core";
import type { ContractName } from "../address-book/contracts";
import { hasJournal, unknownSends } from "./journal-messages";
import { contractOf } from "./module";

/**
 * Prepares Ignition's journal for a run. What is deployed anew is wiped, and the wiping itself is journaled. What is
 * resumed stays, unless it failed, or was cut short in the moment of sending: then it begins anew as well. Should the
 * transaction have been sent after all, a contract without money or callers is left on the chain.
 */
export async function prepareJournal(
  journal: string,
  artifacts: ArtifactResolver,
  deploy: readonly ContractName[],
  resume: readonly ContractName[],
): Promise<void> {
  if (!hasJournal(journal)) return;
  const { started, successful, held, timedOut, failed } = await status(journal, artifacts);
  const unknown = unknownSends(journal);
  const all = [...started, ...successful, ...[...held, ...timedOut, ...failed].map(({ futureId }) => futureId)];
  const isResumed = (futureId: string): boolean =>
    resume.includes(contractOf(futureId)) &&
    !unknown.has(futureId) &&
    !failed.some((failure) => failure.futureId === futureId);
  for (const futureId of new Set(all)) {
    if (deploy.includes(contractOf(futureId)) && !isResumed(futureId)) await wipe(journal, artifacts, futureId);
  }
}

/** Removes the journal of a local chain's earlier life. */
export function forgetJournal(journal: string): void {
  rmSync(journal, { recursive: true, force: true });
}
