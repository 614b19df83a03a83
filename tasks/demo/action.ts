import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import type { Command } from "../command";
import { operationError } from "../errors";
import { buildStage } from "./stage";
import { tellStory, type Check } from "./story";

export interface DemoArgs {
  json: boolean;
}

/** @throws DemoFailed if a balance is not what the story makes it */
export const demoCommand: Command<DemoArgs> = async (_args, hre, terminal) => {
  const started = Date.now();
  const folder = mkdtempSync(join(tmpdir(), "demo-"));
  const stage = await buildStage(hre, folder);
  let checks: readonly Check[];
  try {
    checks = await tellStory(stage, (line) => terminal.progress(line));
  } finally {
    await stage.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const wrong = checks.filter(({ expected, actual }) => expected !== actual);
  if (wrong.length > 0) {
    const problems = wrong.map(({ what, expected, actual }) => `${what} is ${actual} instead of ${expected}`);
    throw operationError("DemoFailed", { problems });
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  return {
    json: { seconds: Number(seconds), checks },
    text: `${tableOf(checks)}\nAll ${checks.length} balances are right to the unit, in ${seconds} s.\nNext: npm start`,
  };
};

function tableOf(checks: readonly Check[]): string {
  const table = new Table({ style: { head: [], border: [] }, head: ["what", "base units", ""] });
  for (const { what, expected, actual } of checks)
    table.push([what, actual.toString(), expected === actual ? "ok" : "WRONG"]);
  return table.toString();
}
