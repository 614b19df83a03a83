import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import type { BuildInfo } from "hardhat/types";
import { table, type Section } from "./markdown";

const load = createRequire(__filename);

/** What was compiled, with what. */
export function versionsSection(root: string, { solcLongVersion, input }: BuildInfo): Section {
  const { optimizer, evmVersion = "the compiler's default", viaIR = false } = input.settings;
  const rows = [
    ["commit", commitOf(root)],
    ["solc", solcLongVersion],
    ["settings", `evm ${evmVersion}, optimizer ${JSON.stringify(optimizer)}, via-IR ${viaIR}`],
    ...["@openzeppelin/contracts", "hardhat"].map((name) => [name, versionOf(name)]),
    ["node", process.version],
  ];
  return { title: "Versions", body: table(["", ""], rows) };
}

function versionOf(name: string): string {
  return (load(`${name}/package.json`) as { version: string }).version;
}

function commitOf(root: string): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const isClean = git("status", "--porcelain") === "";
    return `${git("rev-parse", "HEAD")}${isClean ? "" : ", with changes that are not committed"}`;
  } catch {
    return "none: not a git checkout with a commit";
  }
}
