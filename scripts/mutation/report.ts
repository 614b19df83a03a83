import { titleOf } from "./mutants";
import type { Trial, Verdict } from "./verdict";

export interface Result {
  readonly trial: Trial;
  readonly verdict: Verdict;
}

export interface Score {
  /** Those that compile. */
  readonly mutants: number;
  readonly killed: number;
  readonly survivors: string[];
}

export function scoreOf(results: readonly Result[]): Score {
  const valid = results.filter(({ verdict }) => verdict.outcome !== "invalid");
  const survivors = valid.filter(({ verdict }) => verdict.outcome === "survived");
  return {
    mutants: valid.length,
    killed: valid.length - survivors.length,
    survivors: survivors.map(({ trial }) => titleOf(trial.mutant)).sort(),
  };
}

/** `411 of 415 killed (99.0 %)` */
export function sentenceOf({ mutants, killed }: Score): string {
  return `${killed} of ${mutants} killed (${percentOf({ mutants, killed }).toFixed(1)} %)`;
}

export function percentOf({ mutants, killed }: Pick<Score, "mutants" | "killed">): number {
  return mutants === 0 ? 0 : (100 * killed) / mutants;
}

/** One line of progress. */
export function lineOf({ trial, verdict }: Result): string {
  const by = verdict.outcome === "killed" ? ` · by: ${verdict.by}` : "";
  return `${verdict.outcome.padEnd(8)} ${titleOf(trial.mutant)}${by}`;
}
