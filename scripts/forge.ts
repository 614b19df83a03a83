// ts-node scripts/forge.ts [--long] [--seed N] [-- what else `forge test` takes, such as --match-test NAME]
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { findFoundry, howToInstall } from "./foundry";

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
  const run = spawnSync(forge, ["test", "--fuzz-seed", seed, ...forgeArgs], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, FOUNDRY_PROFILE: long ? "long" : "default" },
  });
  if (run.error !== undefined) throw run.error;
  return run.status ?? 1;
}
