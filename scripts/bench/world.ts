import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HDNodeWallet, JsonRpcProvider } from "ethers";
import hre from "hardhat";
import { parseAddress, ZERO_ADDRESS } from "../../protocol";
import { ChannelManager__factory } from "../../typechain-types";
import { DEVELOPMENT_MNEMONIC } from "../../tasks/development-accounts";

/** A chain in this process and a hub in one of its own, on files in a temporary folder. */
export interface BenchWorld {
  readonly hubUrl: string;
  readonly operatorUrl: string;
  readonly ethUrl: string;
  readonly provider: JsonRpcProvider;
  readonly folder: string;
  /** Puts ether into a channel: on the user's side, or on the hub's, where it can receive it. */
  fund(user: string, amount: bigint, forHub: boolean): Promise<void>;
  /** The hub's own account of itself. */
  metrics(): Promise<{ readonly cpuSeconds: number; readonly rssBytes: number }>;
  close(): Promise<void>;
}

const PERIOD_SECONDS = 86_400;

export async function benchWorld(): Promise<BenchWorld> {
  const [deployer, hub, treasury] = await hre.ethers.getSigners();
  if (!deployer || !hub || !treasury) throw new Error("the development mnemonic has too few accounts");
  const manager = await new ChannelManager__factory(deployer).deploy(hub, treasury, PERIOD_SECONDS);
  const channelManager = parseAddress(await manager.getAddress());
  const [chainPort, hubPort, operatorPort] = [await freePort(), await freePort(), await freePort()];
  const server = (await hre.run("node:create-server", {
    ...{ hostname: "127.0.0.1", port: chainPort, provider: hre.network.provider },
  })) as { listen(): Promise<unknown>; close(): Promise<void> };
  await server.listen();
  const ethUrl = `http://127.0.0.1:${chainPort}`;
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const hubUrl = `http://127.0.0.1:${hubPort}`;
  const operatorUrl = `http://127.0.0.1:${operatorPort}`;
  const child = startHub({
    HUB_ETH_URL: ethUrl,
    HUB_PRIVATE_KEY: HDNodeWallet.fromPhrase(DEVELOPMENT_MNEMONIC, undefined, "m/44'/60'/0'/0/1").privateKey,
    HUB_CHAIN_ID: "31337",
    HUB_CHANNEL_MANAGER: channelManager,
    HUB_ASSETS: JSON.stringify([
      {
        ...{ asset: ZERO_ADDRESS, symbol: "ETH", decimals: 18, minimumPayment: "1" },
        collateralCeiling: (10n ** 30n).toString(),
        collateralFloor: "1",
      },
    ]),
    HUB_DATABASE: join(folder, "hub.sqlite"),
    HUB_SIGNER_RECORD: join(folder, "hub-signer.sqlite"),
    HUB_PORT: String(hubPort),
    HUB_OPERATOR_PORT: String(operatorPort),
    HUB_CONFIRMATIONS: "1",
    HUB_POLL_INTERVAL_MS: "1000",
    HUB_REQUESTS_PER_MINUTE: "9999999",
  });
  await untilAnswers(`${hubUrl}/api/hub/config`, child);
  const provider = new JsonRpcProvider(ethUrl, 31337, { staticNetwork: true, cacheTimeout: -1 });
  return {
    ...{ hubUrl, operatorUrl, ethUrl, provider, folder },
    fund: async (user, amount, forHub) => {
      await manager.connect(deployer).deposit(user, ZERO_ADDRESS, amount, forHub, { value: amount });
    },
    metrics: () => readMetrics(operatorUrl),
    close: async () => {
      provider.destroy();
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function startHub(environment: Readonly<Record<string, string>>): ChildProcess {
  const args = [
    ...process.execArgv.filter((flag) => flag.includes("semi-space-size")),
    ...(process.env.BENCH_PROFILE === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", process.env.BENCH_PROFILE]),
    "-r",
    "ts-node/register/transpile-only",
    join("hub", "server.ts"),
  ];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "inherit"],
  });
  process.once("exit", () => child.kill("SIGKILL"));
  return child;
}

async function untilAnswers(url: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const isUp = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the hub ended before it listened");
}

async function readMetrics(url: string): Promise<{ readonly cpuSeconds: number; readonly rssBytes: number }> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const read = (name: string): number => Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)?.[1]);
  return { cpuSeconds: read("process_cpu_seconds_total"), rssBytes: read("process_resident_memory_bytes") };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
