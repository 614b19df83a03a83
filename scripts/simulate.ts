// ts-node scripts/simulate.ts [--histories N] [--seed S] [--processes P]: hub, users and chain through histories by chance.
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { derivedSeed } from "../test/invariants/walk/random";
import { describeFinding, runSeed, shrunk } from "../test/simulation/history";
import { Simulation } from "../test/simulation/simulation";

/** The in-process chain never gives all of its memory back, so many histories are several processes. */
const HISTORIES_PER_PROCESS = 500;

const SHRINK_SECONDS = 120;

const { values } = parseArgs({
  options: {
    histories: { type: "string", default: "5000" },
    seed: { type: "string" },
    processes: { type: "string", default: "1" },
    part: { type: "string" },
    loud: { type: "boolean", default: false },
  },
});

/** The first history of a seed is the seed's own, so that a failing one is found again by it. */
function seedOf(seed: number, index: number): number {
  return index === 0 ? seed : derivedSeed(seed, index);
}

async function main(histories: number, seed: number, processes: number): Promise<boolean> {
  console.log(`seed ${seed} (the same again: npm run simulate -- --histories ${histories} --seed ${seed})`);
  const start = performance.now();
  const parts = Array.from({ length: Math.ceil(histories / HISTORIES_PER_PROCESS) }, (_, part) => part);
  const results: boolean[] = [];
  let done = 0;
  const work = async (): Promise<void> => {
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const from = part * HISTORIES_PER_PROCESS;
      const count = Math.min(HISTORIES_PER_PROCESS, histories - from);
      const passed = await inProcess(seed, from, count);
      results.push(passed);
      if (!passed) parts.length = 0;
      done += count;
      console.error(`${done} histories in ${Math.round((performance.now() - start) / 1_000)} s`);
    }
  };
  await Promise.all(Array.from({ length: processes }, work));
  const milliseconds = (performance.now() - start) / histories;
  const passed = results.every((each) => each);
  if (passed) console.log(`${histories} histories, ${milliseconds.toFixed(0)} ms each: everybody whole, nothing lost`);
  return passed;
}

function inProcess(seed: number, from: number, count: number): Promise<boolean> {
  const options = ["--seed", String(seed), "--histories", String(count), "--part", String(from)];
  const child = spawn(process.execPath, ["-r", "ts-node/register", __filename, ...options], { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code === 0));
  });
}

async function runPart(seed: number, from: number, count: number): Promise<boolean> {
  const line = (text: string): void => console.error(text);
  const log = values.loud
    ? { info: line, warn: line, error: (text: string, cause?: unknown) => line(`${text} ${String(cause)}`) }
    : undefined;
  const sim = await Simulation.open(log);
  const before = process.cpuUsage();
  try {
    for (let index = from; index < from + count; index++) {
      if (index > from && (index - from) % 100 === 0) console.error(cpuOf(before, index - from));
      const finding = await runSeed(sim, seedOf(seed, index));
      if (finding === undefined) continue;
      console.log(describeFinding(finding));
      console.log(`replay: npm run simulate -- --histories 1 --seed ${finding.seed}; the shortest that still fails:`);
      console.log(describeFinding(await shrunk(sim, finding, SHRINK_SECONDS)));
      return false;
    }
    return true;
  } finally {
    await sim.close();
  }
}

function cpuOf(since: NodeJS.CpuUsage, histories: number): string {
  const { user, system } = process.cpuUsage(since);
  return `${histories} histories, ${((user + system) / 1_000 / histories).toFixed(0)} ms of processor time each`;
}

function numberOf(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`"${text}" is not a whole number`);
  return number;
}

const seed = values.seed === undefined ? randomInt(2 ** 31) : numberOf(values.seed);
const histories = numberOf(values.histories);
const run =
  values.part === undefined
    ? main(histories, seed, numberOf(values.processes))
    : runPart(seed, numberOf(values.part), histories);

run.then(
  (passed) => process.exit(passed ? 0 : 1),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
