import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { findFoundry, howToInstall } from "../../scripts/foundry";

export interface Anvil {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts anvil on a free port of the loopback interface, with Hardhat's development accounts, and resolves when it
 * listens. The child dies with `stop()` and with this process.
 *
 * @param chainId the chain id it reports.
 * @throws Error when anvil is not installed, or ends before it listens.
 */
export async function startAnvil(chainId: number): Promise<Anvil> {
  const binary = findFoundry("anvil");
  if (binary === undefined) throw new Error(howToInstall("anvil"));
  const args = ["--host", "127.0.0.1", "--port", "0", "--chain-id", String(chainId)];
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
  const forget = dieTogether(child);
  const stop = async (): Promise<void> => {
    forget();
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  try {
    return { url: `http://${await listeningAddress(child)}`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Kills the child when this process ends, also by Ctrl-C or kill; returns what undoes the arrangement. */
function dieTogether(child: ChildProcess): () => void {
  const kill = (): boolean => child.kill("SIGKILL");
  const killAndObey = (signal: NodeJS.Signals): void => {
    kill();
    forget();
    process.kill(process.pid, signal);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const forget = (): void => {
    process.off("exit", kill);
    for (const signal of signals) process.off(signal, killAndObey);
  };
  process.on("exit", kill);
  for (const signal of signals) process.on(signal, killAndObey);
  return forget;
}

/** Reads anvil's output up to its line `Listening on 127.0.0.1:40123`, and lets the rest flow by. */
function listeningAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.once("error", reject);
    child.once("exit", (code) => {
      reject(new Error(`anvil ended with code ${String(code)} before it listened: ${said.trim()}`));
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface(stream).on("line", (line) => {
        const address = /^Listening on (\S+)$/.exec(line)?.[1];
        if (address !== undefined) resolve(address);
        said = `${said}\n${line}`.slice(-2000);
      });
    }
  });
}
