import { existsSync, readFileSync } from "node:fs";
import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { parseRecord } from "../../client/engine/record";
import { evidenceOf } from "../../client/evidence";
import { sqliteStore } from "../../client/node";
import { ThreadBook } from "../../client/threads/thread-book";
import {
  formatThreadEvidence,
  readEvidence,
  verifyEvidence,
  hasErrors,
  type Address,
  type Evidence,
} from "../../protocol";
import { readChannel } from "../../protocol/chain/channel-view";
import { operationError } from "../errors";
import { filesOf } from "../hub/files";
import type { DisputeDeps } from "./deps";

/** Evidence from a file. @throws FileMissing, InvalidValue */
export function evidenceIn(file: string): Evidence {
  if (!existsSync(file)) throw operationError("FileMissing", { file });
  return readEvidence(readFileSync(file, "utf8"));
}

/**
 * What a user's client on this machine keeps, read without asking anybody: the hub may be gone, and the client may run.
 * @returns Nothing where there is no record of the user's channel at this contract
 */
export async function evidenceKept(
  { chain, channelManager, hub }: DisputeDeps,
  hre: HardhatRuntimeEnvironment,
  user: Address,
): Promise<Evidence | undefined> {
  const file = filesOf(hre, chain).clientOf(user);
  if (!existsSync(file)) return undefined;
  const store = sqliteStore(file);
  try {
    const text = await store.get(`channel:${channelManager}:${user}`);
    if (text === undefined) return undefined;
    const record = parseRecord(text);
    const book = await ThreadBook.open(store, channelManager, user);
    const threads = record.threads.flatMap((hash) => book.evidenceOf(hash) ?? []).map(formatThreadEvidence);
    return evidenceOf(record, { chainId: chain.chainId, channelManager, hub }, threads);
  } finally {
    await store.close();
  }
}

/** The evidence of `--file`, or else what the user's client keeps. @throws FileMissing, InvalidValue, EvidenceInvalid */
export async function evidenceFor(
  deps: DisputeDeps,
  hre: HardhatRuntimeEnvironment,
  file: string | undefined,
  user: Address | undefined,
): Promise<Evidence | undefined> {
  const found =
    file !== undefined ? evidenceIn(file) : user === undefined ? undefined : await evidenceKept(deps, hre, user);
  if (found !== undefined) requireOfThisChain(deps, found);
  return found;
}

/** @throws EvidenceInvalid */
export function requireOfThisChain(
  { apps, chain, channelManager, challengePeriodSeconds }: DisputeDeps,
  evidence: Evidence,
): void {
  const findings = verifyEvidence(evidence, { apps, challengePeriodSeconds });
  const problems = findings.filter(({ level }) => level === "error").map(({ part, message }) => `${part}: ${message}`);
  const isHere = evidence.chainId === chain.chainId && evidence.channelManager.toLowerCase() === channelManager;
  const elsewhere = `it is for ${evidence.channelManager} on chain ${evidence.chainId}, not for ${channelManager} on ${chain.chainId}`;
  if (!isHere || hasErrors(findings))
    throw operationError("EvidenceInvalid", { problems: isHere ? problems : [elsewhere] });
}

/** What the chain says of a channel, as `verifyEvidence` wants it. */
export async function chainViewOf(
  deps: DisputeDeps,
  { user, doubleSigned }: Evidence,
): Promise<{
  readonly chainId: bigint;
  readonly hub: Address;
  readonly session: bigint;
  readonly exitNonce: bigint;
  readonly exitDeadline: bigint;
  readonly ledgers: Awaited<ReturnType<typeof readChannel>>["ledgers"];
}> {
  const { provider, channelManager, head, hub, chain } = deps;
  const assets = (doubleSigned?.state.assets ?? []).map(({ asset }) => asset.toLowerCase() as Address);
  const view = await readChannel(provider, channelManager, user.toLowerCase() as Address, assets, head.number);
  return { chainId: BigInt(chain.chainId), hub, ...view };
}
