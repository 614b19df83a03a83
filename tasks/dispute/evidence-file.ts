import { existsSync, writeFileSync } from "node:fs";
import { hasErrors, parseEvidence, verifyEvidence, type Evidence } from "../../protocol";
import type { Outcome } from "../command";
import { operationError } from "../errors";
import type { DisputeDeps } from "./deps";
import { chainViewOf } from "./held";
import { showOf } from "./words";

/** What is in it is nobody's secret from the two parties, but nobody else's business. */
const OWNER_ONLY = 0o600;

/** Writes evidence to a new file. @throws FileExists */
export function exportEvidence({ chain }: DisputeDeps, evidence: Evidence, file: string): Outcome {
  if (existsSync(file)) throw operationError("FileExists", { file });
  writeFileSync(file, `${JSON.stringify(evidence, undefined, 2)}\n`, { mode: OWNER_ONLY, flag: "wx" });
  const nonce = evidence.doubleSigned?.state.nonce ?? "0";
  const lines = [
    `Evidence of the channel of ${evidence.user} is in ${file}: session ${evidence.session}, state ${nonce}, ${evidence.threads.length} thread(s).`,
    "It needs nothing else: anybody who has it can challenge for the user.",
    `Next: npx hardhat dispute evidence verify --file ${file} --network ${chain.network}`,
  ];
  return {
    json: { file, user: evidence.user, session: evidence.session, nonce, threads: evidence.threads.length },
    text: lines.join("\n"),
  };
}

/** Says whether the contract would take each part, and what is worth knowing. Exit code 1 with an error in it. */
export async function verifyEvidenceFile(deps: DisputeDeps, evidence: Evidence, file: string): Promise<Outcome> {
  const { apps, challengePeriodSeconds, chain } = deps;
  const isHere = evidence.chainId === chain.chainId && evidence.channelManager.toLowerCase() === deps.channelManager;
  const chainView = isHere ? { chain: await chainViewOf(deps, evidence) } : {};
  const findings = verifyEvidence(evidence, { apps, challengePeriodSeconds, ...chainView });
  const isValid = !hasErrors(findings);
  if (!isValid) process.exitCode = 1;
  const lines = findings.map(
    ({ level, part, message }) => `  ${level === "error" ? "ERROR" : "note "} ${part}: ${message}`,
  );
  const verdict = isValid ? "is good: the contract takes all of it." : "is NOT good.";
  const asked = isHere
    ? `Asked: ${deps.channelManager} on ${chain.network}.`
    : `It is for another contract or chain (${evidence.channelManager}, chain ${evidence.chainId}): signatures and sums only were checked.`;
  const summary = isValid ? await summaryOf(deps, evidence) : [];
  const next = isValid
    ? `Next: npx hardhat dispute simulate --file ${file} --network ${chain.network}`
    : `Next: npx hardhat dispute evidence export --user ${evidence.user} --file NEW_FILE --network ${chain.network}`;
  const text = [`The evidence in ${file} ${verdict}`, asked, ...summary, ...lines, next].join("\n");
  return { json: { file, isValid, findings }, text };
}

async function summaryOf(deps: DisputeDeps, evidence: Evidence): Promise<readonly string[]> {
  const { user, session, doubleSigned, threads } = parseEvidence(evidence);
  const assets = doubleSigned?.state.assets ?? [];
  const show = await showOf(
    deps,
    assets.map(({ asset }) => asset),
  );
  const rows = assets.map(({ asset, balanceUser, balanceHub, locked }) => {
    const rest = locked === 0n ? "" : `, ${show(asset, locked)} in threads`;
    return `  the user has ${show(asset, balanceUser)}, the hub ${show(asset, balanceHub)}${rest}`;
  });
  const title = `Channel of ${user}, session ${session}, state ${doubleSigned?.state.nonce ?? 0n}, ${threads.length} thread(s):`;
  return [title, ...rows];
}
