import { readFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../test/invariants/walk/random";
import type { AstNode } from "./ast";
import entries from "./equivalent.json";
import { mutantsOf, titleOf, type Mutant } from "./mutants";
import { dependents, generalFirst, importersOf, nearestFirst, usersOf } from "./relations";
import type { Trial } from "./verdict";

/** Everything that holds, moves or adjudicates money. */
const MUTATED = /^contracts\/(ChannelManager\.sol|libraries\/|apps\/)/;

/** Mutants that no test can notice, each with the reason, as a person found it. */
const equivalent: readonly { readonly mutant: string; readonly reason: string }[] = entries;

export interface Selection {
  /** Only titles with this text. */
  readonly only?: string;
  /** So many of them, chosen by the seed. */
  readonly sample?: number;
  readonly seed: number;
  /** Those that are listed as equivalent, instead of all others. */
  readonly equivalent: boolean;
}

export function allMutants(directory: string, asts: ReadonlyMap<string, AstNode>): Mutant[] {
  const sources = [...asts].filter(([source]) => MUTATED.test(source));
  return sources.flatMap(([source, ast]) => mutantsOf(source, readFileSync(join(directory, source)), ast));
}

/** Entries of equivalent.json that no longer name a mutant: the code has changed, and the reason may not hold. */
export function outdated(mutants: readonly Mutant[]): string[] {
  const keys = new Set(mutants.map(({ key }) => key));
  return equivalent.map(({ mutant }) => mutant).filter((key) => !keys.has(key));
}

export function select(mutants: readonly Mutant[], selection: Selection): Mutant[] {
  const listed = new Set(equivalent.map(({ mutant }) => mutant));
  const chosen = mutants.filter(
    (mutant) => listed.has(mutant.key) === selection.equivalent && titleOf(mutant).includes(selection.only ?? ""),
  );
  return selection.sample === undefined ? chosen : shuffled(chosen, selection.seed).slice(0, selection.sample);
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = seededRandom(seed);
  return items
    .map((item) => ({ item, order: random.below(2 ** 32) }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

export function trialsOf(
  mutants: readonly Mutant[],
  asts: ReadonlyMap<string, AstNode>,
  tests: readonly string[],
): Trial[] {
  const [importers, users] = [importersOf(asts), usersOf(asts.values())];
  const contracts = [...asts].filter(([source]) => MUTATED.test(source)).map(([, ast]) => ast);
  const files = generalFirst(tests, contracts);
  return mutants.map((mutant) => ({
    mutant,
    sources: dependents(importers, mutant.file).filter((source) => source.startsWith("contracts/")),
    tests: nearestFirst(files, { id: mutant.declarationId, name: mutant.declaration }, users),
  }));
}
