import type { Artifact, BuildInfo } from "hardhat/types";
import type { JsonFragment } from "ethers";
import { accessSection } from "./access";
import { analyse } from "./compile";
import { externalCallsSection } from "./external-calls";
import { coverageSection, gasSection, invariantsSection, sizeSection } from "./figures";
import { document } from "./markdown";
import { storageSection } from "./storage-layout";
import { versionsSection } from "./versions";

export interface ReportDeps {
  readonly root: string;
  readonly artifact: Artifact;
  readonly buildInfo: BuildInfo;
  readonly now: Date;
}

/** One document on the ChannelManager for whoever audits it, in Markdown. @throws BuildInfoMissing, AccessUndeclared */
export function auditReport({ root, artifact, buildInfo, now }: ReportDeps): string {
  const { sourceName, contractName, abi, deployedBytecode } = artifact;
  const analysis = analyse(buildInfo, sourceName, contractName);
  const intro =
    `Written ${now.toISOString()} by \`npx hardhat audit report\` from the sources at hand. ` +
    "What the words mean: `docs/protocol.md`. Who can lose what: `docs/security.md`.";
  return document(`${contractName}: audit report`, intro, [
    versionsSection(root, buildInfo),
    sizeSection(deployedBytecode),
    storageSection(analysis),
    accessSection(abi as JsonFragment[]),
    externalCallsSection(analysis, sourceName, contractName),
    invariantsSection(root),
    coverageSection(root),
    gasSection(),
  ]);
}
