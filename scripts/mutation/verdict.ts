import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { apply, type Mutant } from "./mutants";
import { runTests } from "./run-tests";
import { restore, writeArtifacts } from "./sandbox";
import { compileOnly } from "./solidity";

/** A mutant, the sources it changes, and the tests in the order of their chance to notice. */
export interface Trial {
  readonly mutant: Mutant;
  readonly sources: readonly string[];
  readonly tests: readonly string[];
}

export type Verdict =
  | { readonly outcome: "killed"; readonly by: string; readonly message: string }
  | { readonly outcome: "survived"; readonly passed: number }
  | { readonly outcome: "timeout" | "invalid" };

/** Plants the fault in the sandbox, which is the working directory, and runs the tests. */
export async function judge({ mutant, sources, tests }: Trial): Promise<Verdict> {
  const directory = process.cwd();
  restore(directory);
  const path = join(directory, mutant.file);
  writeFileSync(path, apply(mutant, readFileSync(path)));
  const { errors, contracts } = compileOnly(directory, sources);
  if (errors.length > 0) return { outcome: "invalid" };
  writeArtifacts(directory, contracts);
  return judgeUnchanged(tests);
}

/** The verdict on the sandbox as it is. */
export async function judgeUnchanged(tests: readonly string[]): Promise<Verdict> {
  const { passed, failed } = await runTests(tests);
  if (failed === undefined) return { outcome: "survived", passed };
  return { outcome: "killed", by: failed.title, message: failed.message };
}
