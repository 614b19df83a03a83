import { CodedError } from "../../protocol/coded-error";
import { hasCode } from "../../client/errors";
import { seededRandom } from "../invariants/walk/random";
import { shrink } from "../invariants/walk/shrink";
import { isAttack, isDeed, isOnChain, planOf, wordsOf, type Action, type Deed, type Plan } from "./action";
import { doDeed, isUnknown } from "./deeds";
import { end } from "./ending";
import { attack, mishap, onChain, replay } from "./happenings";
import type { Simulation } from "./simulation";

/** What went wrong in a history. */
export interface Finding {
  readonly seed: number;
  readonly plan: Plan;
  readonly wrong: readonly string[];
}

/** The history of a seed. @returns What went wrong, if anything did */
export async function runSeed(sim: Simulation, seed: number): Promise<Finding | undefined> {
  const plan = planOf(seededRandom(seed));
  const wrong = await runPlan(sim, plan);
  return wrong.length === 0 ? undefined : { seed, plan, wrong };
}

/** No action of a history takes longer, on whatever machine. */
const HANGS_AFTER_MS = 60_000;

export async function runPlan(sim: Simulation, plan: Plan): Promise<readonly string[]> {
  await sim.begin();
  let at = "the beginning";
  try {
    for (const [i, action] of plan.actions.entries()) {
      at = wordsOf(action);
      await inTime(perform(sim, action));
      if (i % 2 === 1) await sim.world.pump();
      await sim.noteThreads();
    }
    at = "the end";
    return await inTime(end(sim, plan));
  } catch (error) {
    return [`at ${at}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
  }
}

/** Whoever was refused something, or died, goes on. */
async function perform(sim: Simulation, action: Action): Promise<void> {
  try {
    await dispatch(sim, action);
  } catch (error) {
    if (hasCode(error, "InternalError")) throw error;
    if (!(error instanceof CodedError) && !isUnknown(error)) throw error;
  }
}

function dispatch(sim: Simulation, action: Action): Promise<void> {
  if (isDeed(action)) return doDeed(sim, action);
  if (isOnChain(action)) return onChain(sim, action);
  if (isAttack(action)) return attack(sim, action);
  if (action.kind === "replay") return replay(sim, action);
  return action.kind === "both" ? bothDeeds(sim, action.of) : mishap(sim, action);
}

/** At once, as two applications of one user, or two users, may do them. */
async function bothDeeds(sim: Simulation, deeds: readonly Deed[]): Promise<void> {
  const results = await Promise.allSettled(deeds.map((deed) => doDeed(sim, deed)));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it never ends")), HANGS_AFTER_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Leaves out actions as long as the history still fails. */
export async function shrunk(sim: Simulation, finding: Finding, seconds: number): Promise<Finding> {
  const giveUpAt = performance.now() + seconds * 1_000;
  let { wrong } = finding;
  const fails = async (actions: readonly Action[]): Promise<boolean> => {
    const now = await runPlan(sim, { ...finding.plan, actions });
    const isSame = now.length > 0 && sortOf(now) === sortOf(finding.wrong);
    if (isSame) wrong = now;
    return isSame;
  };
  const nothing: Action = { kind: "calm" }; // `shrink` never leaves out the last one
  const kept = await shrink([...finding.plan.actions, nothing], fails, () => performance.now() < giveUpAt);
  return { ...finding, plan: { ...finding.plan, actions: kept.slice(0, -1) }, wrong };
}

/** What is wrong without its amounts and whatever else differs from run to run. */
function sortOf([first = ""]: readonly string[]): string {
  return first
    .replace(/^at [^:]*\{.*\}: /, "")
    .replace(/[0-9]+/g, "")
    .slice(0, 60);
}

/** What a person needs to see of a finding. */
export function describeFinding({ seed, plan, wrong }: Finding): string {
  const ending = plan.hubCheats ? "then the hub cheats" : "then everybody leaves";
  return [`seed ${seed}`, ...plan.actions.map((action) => `  ${wordsOf(action)}`), `  ${ending}`, ...wrong].join("\n");
}
