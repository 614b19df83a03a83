import type { HardhatRuntimeEnvironment } from "hardhat/types";
import type { Outcome, Step } from "./calls";
import type { Chain } from "./chain";
import { compareAll, compareOutcomes, compareTouched, show, type Difference } from "./compare";
import { Coverage } from "./coverage";
import { START, deployWorld, prime } from "./deploy";
import { Invariants } from "./invariants";
import { Model, type Rules } from "./model/model";
import { RULES } from "./model/rules";
import { chooseStep } from "./moves/choose";
import { Scene } from "./moves/scene";
import { derivedSeed, seededRandom } from "./random";
import { shrink } from "./shrink";
import { Signatures } from "./signatures";

/** A chain of its own for so many steps: afterwards everything starts anew, so memory does not grow. */
const STEPS_PER_PART = 2_500;

/** All that the model knows is read from the chain this often; what a step touched, after every step. */
const STEPS_PER_FULL_COMPARISON = 250;

/** The world is deployed within the first minutes of its time. */
const FIRST_STEP = START + 600n;

export interface WalkOptions {
  readonly calls: number;
  readonly seed: number;
  /** The model's rules; a test may break one to see that the walk finds it. */
  readonly rules?: Rules;
  readonly onPart?: (stepsDone: number) => void;
  /** How long to look for fewer steps that show the same. */
  readonly shrinkSeconds?: number;
}

export interface Finding {
  readonly part: number;
  readonly difference: Difference;
  /** All steps of the part up to the difference; the last one shows it. */
  readonly steps: readonly Step[];
  /** Some of them that show a difference on a chain of their own. */
  readonly fewSteps: readonly Step[];
}

export interface WalkResult {
  readonly coverage: Coverage;
  readonly stepsDone: number;
  readonly finding: Finding | undefined;
}

/** Walks at random until the first difference between model and contract. Leaves the chain as it found it. */
export async function walk(hre: HardhatRuntimeEnvironment, options: WalkOptions): Promise<WalkResult> {
  return onFreshWorld(hre, async (chain, restart) => {
    const coverage = new Coverage();
    let stepsDone = 0;
    for (let part = 0; stepsDone < options.calls; part++) {
      const count = Math.min(STEPS_PER_PART, options.calls - stepsDone);
      const signatures = new Signatures();
      const run = new Run(chain, new Model(chain.world, signatures, options.rules ?? RULES), coverage);
      const difference = await walkPart(run, derivedSeed(options.seed, part), count);
      await restart();
      stepsDone += run.steps.length;
      if (difference !== undefined) {
        const fewSteps = await shrinkRun(run, signatures, options, restart);
        return { coverage, stepsDone, finding: { part, difference, steps: run.steps, fewSteps } };
      }
      options.onPart?.(stepsDone);
    }
    return { coverage, stepsDone, finding: undefined };
  });
}

async function walkPart(run: Run, seed: number, count: number): Promise<Difference | undefined> {
  const scene = new Scene(seededRandom(seed), run.model);
  for (let i = 1; i <= count; i++) {
    const isFull = i % STEPS_PER_FULL_COMPARISON === 0 || i === count;
    const difference = (await run.step(chooseStep(scene))) ?? (isFull ? await run.compareAll() : undefined);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function shrinkRun(
  { steps, chain }: Run,
  signatures: Signatures,
  { rules = RULES, shrinkSeconds = 0 }: WalkOptions,
  restart: () => Promise<void>,
): Promise<readonly Step[]> {
  const fails = async (some: readonly Step[]): Promise<boolean> => {
    const difference = await new Run(chain, new Model(chain.world, signatures, rules)).all(some);
    await restart();
    return difference !== undefined;
  };
  const end = performance.now() + 1_000 * shrinkSeconds;
  return shrink(steps, fails, () => performance.now() < end);
}

/** Model and contract, step by step. */
class Run {
  readonly steps: Step[] = [];
  readonly #invariants = new Invariants();

  constructor(
    readonly chain: Chain,
    readonly model: Model,
    readonly coverage?: Coverage,
  ) {
    prime(model);
    model.now = FIRST_STEP;
  }

  async all(steps: readonly Step[]): Promise<Difference | undefined> {
    for (const step of steps) {
      const difference = await this.step(step);
      if (difference !== undefined) return difference;
    }
    return this.compareAll();
  }

  async step(step: Step): Promise<Difference | undefined> {
    this.steps.push(step);
    const found = await this.chain.run(step);
    const isForGas = !found.ok && step.gas !== undefined;
    const expected = isForGas ? this.#skip(step, found) : this.model.run(step);
    this.coverage?.count(step, isForGas ? undefined : expected, found);
    const difference = compareOutcomes(step, expected, found);
    if (difference !== undefined) return difference;
    if (!found.ok) return this.#invariants.checkRefusal(step);
    this.#noteDonation(step);
    return (await compareTouched(this.model, this.chain)) ?? this.#invariants.checkStep(this.model, found.events);
  }

  async compareAll(): Promise<Difference | undefined> {
    return (await compareAll(this.model, this.chain)) ?? this.#invariants.checkEquation(this.model);
  }

  #skip({ at }: Step, found: Outcome): Outcome {
    this.model.now = at;
    return found;
  }

  #noteDonation({ call, value }: Step): void {
    if (call.fn === "forceEther") this.#invariants.donated(`0x${"00".repeat(20)}` as never, value);
    if (call.fn === "donateToken") this.#invariants.donated(call.args.asset, call.args.amount);
  }
}

/** Deploys on a snapshot and goes back to it, so that tests may share the chain. */
async function onFreshWorld<T>(
  hre: HardhatRuntimeEnvironment,
  use: (chain: Chain, restart: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const { provider } = hre.network;
  const before: unknown = await provider.send("evm_snapshot", []);
  try {
    const chain = await deployWorld(hre);
    let fresh: unknown = await provider.send("evm_snapshot", []);
    return await use(chain, async () => {
      await provider.send("evm_revert", [fresh]);
      fresh = await provider.send("evm_snapshot", []);
    });
  } finally {
    await provider.send("evm_revert", [before]);
  }
}

/** A finding for people. */
export function describe({ part, difference, steps, fewSteps }: Finding): string {
  return [
    `part ${part}, step ${steps.length}: ${difference.what}`,
    `  call   ${show(steps.at(-1))}`,
    `  model  ${difference.model}`,
    `  chain  ${difference.chain}`,
    `${fewSteps.length} steps show a difference as well:`,
    ...fewSteps.map((step) => `  ${show(step)}`),
  ].join("\n");
}
