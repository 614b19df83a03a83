// ts-node scripts/mutation.ts [--sample N] [--seed S] [--only TEXT] [--equivalent] [--list]
// Plants small faults in the contracts, one at a time, and shows that the tests of the contracts notice them.
import { randomInt } from "node:crypto";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { recordRun } from "../tasks/audit/runs";
import type { AstNode } from "./mutation/ast";
import { titleOf, type Mutant } from "./mutation/mutants";
import { allMutants, outdated, select, trialsOf, type Selection } from "./mutation/plan";
import { lineOf, percentOf, scoreOf, sentenceOf, type Result, type Score } from "./mutation/report";
import { createSandbox, keep, writeArtifacts } from "./mutation/sandbox";
import { compileAll } from "./mutation/solidity";
import { filesBelow } from "./mutation/sources";
import type { Trial } from "./mutation/verdict";
import { Worker, judgeAll } from "./mutation/workers";

const REQUIRED_PERCENT = 95;
const ROOT = resolve(__dirname, "..");

const { values } = parseArgs({
  options: {
    sample: { type: "string" },
    seed: { type: "string" },
    only: { type: "string" },
    equivalent: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});

/** The contracts as they are, compiled for the tests. */
function prepare(directory: string): ReadonlyMap<string, AstNode> {
  createSandbox(ROOT, directory);
  const { errors, contracts, asts } = compileAll(directory, filesBelow(directory, "contracts", ".sol"));
  if (errors.length > 0) throw new Error(errors.join("\n"));
  writeArtifacts(directory, contracts);
  keep(directory);
  return asts;
}

/** Nothing is shown by tests that fail anyway. Returns the time limit that follows from how long they take. */
async function timeLimit(worker: Worker, tests: readonly string[]): Promise<number> {
  const start = performance.now();
  const verdict = await worker.ask(tests, 600);
  if (verdict.outcome !== "survived") throw new Error(`Without any fault: ${JSON.stringify(verdict)}`);
  const seconds = (performance.now() - start) / 1_000;
  console.error(`${verdict.passed} tests pass without any fault, in ${Math.round(seconds)} s`);
  return Math.max(60, 5 * seconds);
}

async function tryAll(workers: readonly Worker[], trials: readonly Trial[], seconds: number): Promise<Result[]> {
  const results: Result[] = [];
  await judgeAll(workers, trials, seconds, (trial, verdict) => {
    results.push({ trial, verdict });
    console.error(`[${results.length}/${trials.length}] ${lineOf({ trial, verdict })}`);
  });
  return results;
}

/** Prints what survived and the score. Returns whether it is good enough. */
function conclude(results: readonly Result[], selection: Selection): boolean {
  const score = scoreOf(results);
  for (const survivor of score.survivors) console.log(`survived ${survivor}`);
  console.log(sentenceOf(score));
  if (selection.equivalent) return score.killed === 0;
  const passed = percentOf(score) >= REQUIRED_PERCENT;
  if (selection.only === undefined) record(score, passed, selection);
  return passed;
}

/** For the audit report. */
function record(score: Score, passed: boolean, { seed, sample }: Selection): void {
  const command = sample === undefined ? "npm run mutation" : `npm run mutation -- --sample ${sample} --seed ${seed}`;
  const finishedAt = new Date().toISOString();
  const seconds = Math.round(performance.now() / 1_000);
  recordRun(ROOT, { name: "mutation", command, finishedAt, passed, seed: String(seed), seconds, ...score });
}

async function run(workspace: string, selection: Selection): Promise<boolean> {
  const first = join(workspace, "1");
  const asts = prepare(first);
  const mutants = allMutants(first, asts);
  const lost = outdated(mutants);
  if (lost.length > 0) throw new Error(`equivalent.json names what is no mutant any more:\n${lost.join("\n")}`);
  const chosen = select(mutants, selection);
  if (values.list) return printList(chosen);

  const tests = filesBelow(first, "test/contracts", ".test.js");
  const second = join(workspace, "2");
  cpSync(first, second, { recursive: true });
  const workers = [new Worker(first), new Worker(second)] as const;
  try {
    const timeoutSeconds = await timeLimit(workers[0], tests);
    return conclude(await tryAll(workers, trialsOf(chosen, asts, tests), timeoutSeconds), selection);
  } finally {
    for (const worker of workers) worker.close();
  }
}

function printList(mutants: readonly Mutant[]): boolean {
  for (const mutant of mutants) console.log(titleOf(mutant));
  return true;
}

async function main(selection: Selection): Promise<void> {
  console.log(`seed ${selection.seed}`);
  const workspace = mkdtempSync(join(tmpdir(), "mutation-"));
  try {
    if (!(await run(workspace, selection))) process.exitCode = 1;
  } finally {
    rmSync(workspace, { recursive: true });
  }
}

const sample = values.sample === undefined ? {} : { sample: Number(values.sample) };
const only = values.only === undefined ? {} : { only: values.only };
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
main({ ...sample, ...only, seed, equivalent: values.equivalent }).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
