import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { JsonRpcProvider } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { keepChain, loadChain, replayChain, SAVED_CHAIN } from "./local-chain";

/**
 * `npm start`: a local chain at the `localhost` network's address, everything deployed, the reserve funded, the hub.
 * Ctrl-C stops it all; state survives; `npm run reset` forgets it.
 */

const HARDHAT = require.resolve("hardhat/internal/cli/bootstrap");
const CHAIN_PORT = 8545;
const CHAIN_URL = `http://127.0.0.1:${CHAIN_PORT}`;
const HUB_PORT = process.env.PORT ?? "3000";
const HUB_URL = `http://127.0.0.1:${HUB_PORT}`;

/** A chain that stands still looks like a node that is cut off, so a block comes now and then. */
const BLOCK_EVERY_MS = 60_000;
const HUB_LIMIT_MS = 60_000;

interface ChainServer {
  listen(): Promise<unknown>;
  close(): Promise<void>;
}

function hardhat(args: readonly string[], stdout: "inherit" | "ignore"): ChildProcess {
  return spawn(process.execPath, [HARDHAT, ...args, "--network", "localhost"], {
    stdio: ["ignore", stdout, "inherit"],
  });
}

async function run(...args: readonly string[]): Promise<void> {
  const [code] = (await once(hardhat(args, "inherit"), "exit")) as [number | null];
  if (code !== 0) throw new Error(`hardhat ${args.join(" ")} failed; the lines above say why.`);
}

async function answers(url: string): Promise<boolean> {
  return fetch(url, { method: "GET" }).then(
    () => true,
    () => false,
  );
}

async function startChain(): Promise<{
  readonly server: ChainServer;
  readonly provider: JsonRpcProvider;
  readonly isNew: boolean;
}> {
  for (const [url, what] of [
    [CHAIN_URL, "chain"],
    [HUB_URL, "hub"],
  ] as const) {
    if (await answers(url))
      throw new Error(`Something already answers at ${url}. Stop it first: npm start brings its own ${what}.`);
  }
  const saved = loadChain();
  process.env.LOCAL_CHAIN_START = saved.startedAt; // hardhat.config.ts reads it
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only now, because the configuration reads the line above
  const hre = require("hardhat") as HardhatRuntimeEnvironment;
  const server = (await hre.run("node:create-server", {
    ...{ hostname: "127.0.0.1", port: CHAIN_PORT, provider: hre.network.provider },
  })) as ChainServer;
  await server.listen();
  const provider = new JsonRpcProvider(CHAIN_URL, undefined, { staticNetwork: true, cacheTimeout: -1 });
  if (saved.blocks.length > 0)
    say(`The chain of ${SAVED_CHAIN} goes on: ${saved.blocks.length} blocks with transactions`);
  await replayChain(provider, saved);
  await provider.send("evm_setIntervalMining", [BLOCK_EVERY_MS]);
  return { server, provider, isNew: saved.blocks.length === 0 };
}

/** The hub is a process of its own, as in production; it ends with this one. */
async function startHub(): Promise<ChildProcess> {
  const hub = hardhat(["hub", "start", "--port", HUB_PORT], "ignore");
  process.once("exit", () => hub.kill("SIGKILL"));
  const giveUpAt = Date.now() + HUB_LIMIT_MS;
  while (hub.exitCode === null && Date.now() < giveUpAt) {
    if (await answers(`${HUB_URL}/api/hub/config`)) return hub;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("The hub did not start; the lines above say why.");
}

const NEXT = `
Everything is up.
  chain      ${CHAIN_URL}
  hub        ${HUB_URL}   (API: ${HUB_URL}/api/hub/docs)
Ctrl-C stops it; state survives; npm run reset forgets it.

In another terminal, try two users, accounts 3 and 4:
  npx hardhat channel deposit  --user 3 --amount 1eth --network localhost
  npx hardhat channel exchange --user 3 --amount 0.05eth --network localhost
  npx hardhat channel pay      --user 3 --to 4 --amount 10lusd --network localhost
  npx hardhat channel withdraw --user 4 --amount 4lusd --network localhost
  npx hardhat link create      --user 3 --amount 0.05eth --network localhost
  npx hardhat hub status       --network localhost
`;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<void> {
  const { server, provider, isNew } = await startChain();
  const keeper = keepChain(provider, loadChain());
  await run("deploy");
  if (isNew || !existsSync(join("deployments", "local"))) {
    await run("reserve", "fund", "--amount", "100eth");
    await run("reserve", "fund", "--amount", "100000lusd");
  }
  const hub = await startHub();
  console.log(NEXT);

  const stopped = new Promise<"stopped">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve("stopped"));
  });
  const ended = once(hub, "exit").then(() => "ended" as const);
  const why = await Promise.race([stopped, ended]);
  say(why === "stopped" ? "\nStopping …" : "The hub ended by itself; stopping the rest.");
  if (hub.exitCode === null) hub.kill("SIGINT");
  await ended;
  keeper.stop();
  await keeper.save();
  provider.destroy();
  await server.close();
  say(`Stopped. The chain is kept in ${SAVED_CHAIN}, the hub in data/. Next: npm start, or npm run reset`);
  process.exit(why === "stopped" ? 0 : 1);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
