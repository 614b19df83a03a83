// ts-node scripts/forge.ts [--long] [--seed N] [-- what else `forge test` takes, such as --match-test NAME]
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { join } from "node:path";
import { recordRun } from "../tasks/audit/runs";
import { addUpTables, printTable, withoutTables, type HandlerCalls } from "./forge-table";
import { findFoundry, howToInstall } from "./foundry";

const MEBIBYTE = 2 ** 20;
const ROOT = join(__dirname, "..");

const { values, positionals } = parseArgs({
  options: { long: { type: "boolean", default: false }, seed: { type: "string" } },
  allowPositionals: true,
});
process.exitCode = fuzz(values.long, values.seed ?? String(randomInt(2 ** 47)), positionals);

function fuzz(long: boolean, seed: string, forgeArgs: string[]): number {
  const forge = findFoundry("forge");
  if (forge === undefined) {
    console.error(howToInstall("forge"));
    return process.env.CI === undefined ? 0 : 1; // CI must not go green without its fuzzing
  }
  console.log(`seed ${seed} (the same calls again: --seed ${seed})`);
  const run = spawnSync(forge, ["test", "-vv", "--fuzz-seed", seed, ...forgeArgs], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    maxBuffer: 256 * MEBIBYTE,
    env: { ...process.env, FOUNDRY_PROFILE: long ? "long" : "default" },
  });
  if (run.error !== undefined) throw run.error;
  const rows = addUpTables(run.stdout);
  if (rows.length !== 0) console.log(printTable(rows));
  console.log(withoutTables(run.stdout));
  if (forgeArgs.length !== 0) return run.status ?? 1;

  const passed = run.status === 0 && reachedEverything(rows);
  const command = `npm run invariants${long ? "" : ":short"} -- --seed ${seed}`;
  const calls = rows.reduce((sum, row) => sum + row.calls, 0);
  recordRun(ROOT, { name: "invariant fuzzing", command, finishedAt: new Date().toISOString(), passed, seed, calls });
  return passed ? 0 : 1;
}

function reachedEverything(rows: readonly HandlerCalls[]): boolean {
  const unreached = rows.filter((row) => row.succeeded === 0).map((row) => row.name);
  if (unreached.length !== 0) console.error(`never succeeded, so nothing was shown about it: ${unreached.join(", ")}`);
  return unreached.length === 0;
}
