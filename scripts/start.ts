import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * `npm start`: a local chain at the `localhost` network's address, everything deployed, the reserve funded.
 * Ctrl-C, or the end of this process for whatever reason, stops the chain.
 */

const HARDHAT = require.resolve("hardhat/internal/cli/bootstrap");
const URL = "http://127.0.0.1:8545";
const START_LIMIT_MS = 60_000;
const LOG = join("cache", "start", "node.log");

function hardhat(args: readonly string[], stdio: "inherit" | number): ChildProcess {
  const output = stdio === "inherit" ? stdio : (["ignore", stdio, stdio] as const);
  return spawn(process.execPath, [HARDHAT, ...args], { stdio: output === "inherit" ? output : [...output] });
}

async function answers(): Promise<boolean> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] });
  const headers = { "content-type": "application/json" };
  return fetch(URL, { method: "POST", headers, body }).then(
    (response) => response.ok,
    () => false,
  );
}

async function startChain(): Promise<ChildProcess> {
  if (await answers())
    throw new Error(`Something already answers at ${URL}. Stop it first: npm start brings its own chain.`);
  mkdirSync(join("cache", "start"), { recursive: true });
  const chain = hardhat(["node", "--hostname", "127.0.0.1", "--port", "8545"], openSync(LOG, "w"));
  process.once("exit", () => {
    chain.kill();
  });
  const giveUp = Date.now() + START_LIMIT_MS;
  while (Date.now() < giveUp && chain.exitCode === null) {
    if (await answers()) return chain;
    await sleep(200);
  }
  throw new Error(`The local chain did not start. Why: see ${LOG}.`);
}

async function run(...args: readonly string[]): Promise<void> {
  const [code] = (await once(hardhat([...args, "--network", "localhost"], "inherit"), "exit")) as [number | null];
  if (code !== 0) throw new Error(`hardhat ${args.join(" ")} failed.`);
}

const NEXT = `
Everything is up: a chain at ${URL} (log: ${LOG}). Ctrl-C stops it and forgets it.
In another terminal, try:
  npx hardhat reserve status --network localhost
  npx hardhat audit report
`;

async function main(): Promise<void> {
  const stop = (): void => {
    process.exit(0);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const chain = await startChain();
  await run("deploy");
  await run("reserve", "fund", "--amount", "100eth");
  await run("reserve", "fund", "--amount", "100000lusd");
  console.log(NEXT);
  await once(chain, "exit");
  throw new Error(`The local chain stopped. Why: see ${LOG}.`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
