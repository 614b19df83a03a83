import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "../command";
import { operationError } from "../errors";
import { auditReport } from "./report";

export interface ReportArgs {
  json: boolean;
  output?: string;
}

const CONTRACT = "ChannelManager";

export const reportCommand: Command<ReportArgs> = async (args, hre) => {
  const { root } = hre.config.paths;
  const artifact = await hre.artifacts.readArtifact(CONTRACT);
  const buildInfo = await hre.artifacts.getBuildInfo(`${artifact.sourceName}:${CONTRACT}`);
  if (buildInfo === undefined) throw operationError("BuildInfoMissing", { contract: CONTRACT });
  const report = auditReport({ root, artifact, buildInfo, now: new Date() });
  const file = args.output === undefined ? join(root, "audit-report.md") : resolve(args.output);
  writeFileSync(file, report);
  const sections = [...report.matchAll(/^## \d+\. (.*)$/gm)].map(([, title]) => title);
  return {
    json: { file, sections },
    text: `${file}: ${sections.join(", ")}\nNext: npm run coverage, npm run invariants`,
  };
};
