import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { resolve, sep } from "node:path";

export interface TestRun {
  readonly passed: number;
  /** The first test that failed. */
  readonly failed?: { readonly title: string; readonly message: string };
}

/** The part of mocha's runner that a reporter listens to. */
interface Runner {
  on(event: "pass", listener: () => void): void;
  on(event: "fail", listener: (test: { fullTitle(): string }, error: { message?: string }) => void): void;
}

/**
 * Runs test files in this order, up to the first failure, on a fresh chain and with fresh modules. The working
 * directory must be their Hardhat project. One process does it again and again: to start takes longer than to test.
 */
export async function runTests(files: readonly string[]): Promise<TestRun> {
  const { default: hre } = (await import("hardhat")) as { default: HardhatRuntimeEnvironment };
  forgetModules();
  await hre.network.provider.send("hardhat_reset");
  let passed = 0;
  let failed: TestRun["failed"];
  hre.config.mocha.reporter = function (runner: Runner) {
    runner.on("pass", () => passed++);
    runner.on("fail", (test, { message = "" }) => (failed ??= { title: test.fullTitle(), message }));
  } as never; // mocha accepts any constructor, its types do not
  await hre.run("test", { testFiles: [...files], noCompile: true, bail: true });
  return { passed, ...(failed === undefined ? {} : { failed }) };
}

/** Fixtures are remembered by the identity of their function: a new module is a new fixture. */
function forgetModules(): void {
  const project = resolve(".") + sep;
  for (const path of Object.keys(require.cache))
    if (path.startsWith(project)) Reflect.deleteProperty(require.cache, path);
}
