import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(__dirname, "..", "..");
const HARDHAT = require.resolve("hardhat/internal/cli/bootstrap");

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `npx hardhat …` as a user does: a process of its own, without a terminal.
 * @param env What the environment says beside the defaults; this machine's keys and URLs, which are in its home, are not passed on.
 */
export async function hardhat(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  const home = mkdtempSync(join(tmpdir(), "hardhat-home-"));
  const child = spawn(process.execPath, [HARDHAT, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? "", HOME: home, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (output.stderr += text));
  const [exitCode] = (await once(child, "close")) as [number];
  rmSync(home, { recursive: true, force: true });
  return { exitCode, ...output };
}
