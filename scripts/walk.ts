// ts-node scripts/walk.ts [--calls N] [--seed S]: the contract against the model of test/invariants/walk.
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import hre from "hardhat";
import { recordRun } from "../tasks/audit/runs";
import { derivedSeed } from "../test/invariants/walk/random";
import { describe, walk, type WalkResult } from "../test/invariants/walk/walk";

/** From so many calls on, a function or an error that was never met is a fault of the walk. */
const CALLS_THAT_MEET_EVERYTHING = 50_000;

/** The in-process chain never gives all of its memory back, so a longer walk is several processes. */
const CALLS_PER_PROCESS = 100_000;

const { values } = parseArgs({ options: { calls: { type: "string", default: "100000" }, seed: { type: "string" } } });

async function main(calls: number, seed: number): Promise<void> {
  if (calls > CALLS_PER_PROCESS) {
    walkInProcesses(calls, seed);
    return;
  }
  console.log(`seed ${seed} (the same calls again: --calls ${calls} --seed ${seed})`);
  const start = performance.now();
  const rate = (done: number): string => {
    const seconds = (performance.now() - start) / 1_000;
    return `${done} calls in ${Math.round(seconds)} s, ${Math.round(done / seconds)} a second`;
  };
  const onPart = (done: number): void => {
    if (done % 10_000 === 0) console.error(rate(done));
  };
  const result = await walk(hre, { calls, seed, onPart, shrinkSeconds: 60 });
  console.log(rate(result.stepsDone));
  const passed = await report(result);
  const command = `npm run walk -- --calls ${calls} --seed ${seed}`;
  const run = { name: "random walk", command, finishedAt: new Date().toISOString(), passed };
  recordRun(join(__dirname, ".."), { ...run, seed: String(seed), calls: result.stepsDone });
  if (!passed) process.exitCode = 1;
}

/** One after the other, each with a seed of its own, until one finds something. */
function walkInProcesses(calls: number, seed: number): void {
  for (let part = 0; part * CALLS_PER_PROCESS < calls; part++) {
    const count = Math.min(CALLS_PER_PROCESS, calls - part * CALLS_PER_PROCESS);
    const options = ["--calls", String(count), "--seed", String(derivedSeed(seed, part))];
    const run = spawnSync(process.execPath, ["-r", "ts-node/register", __filename, ...options], { stdio: "inherit" });
    if (run.error !== undefined) throw run.error;
    process.exitCode = run.status ?? 1;
    if (process.exitCode !== 0) return;
  }
}

async function report({ coverage, finding, stepsDone }: WalkResult): Promise<boolean> {
  for (const line of coverage.table()) console.log(line);
  const { abi } = await hre.artifacts.readArtifact("ChannelManager");
  const gaps = coverage.gaps(abi);
  console.log(gaps.length === 0 ? "every function succeeded and failed, every error was seen" : gaps.join("\n"));
  console.log(finding === undefined ? `no difference in ${stepsDone} calls` : describe(finding));
  return finding === undefined && (gaps.length === 0 || stepsDone < CALLS_THAT_MEET_EVERYTHING);
}

function numberOf(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`"${text}" is not a whole number`);
  return number;
}

main(numberOf(values.calls), values.seed === undefined ? randomInt(2 ** 31) : numberOf(values.seed)).catch(
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
