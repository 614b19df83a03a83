import { cpus } from "node:os";
import Table from "cli-table3";
import { Wallet } from "ethers";
import { WebSocket } from "ws";
import { curve } from "#curve";
import { getConnextClient, memoryStore, type ConnextClient } from "../client";
import type { SocketConstructor } from "../client/connection";
import { benchWorld, type BenchWorld } from "./bench/world";

/**
 * `npm run bench`: durable routed payments per second, payer to hub to payee, both legs signed by both sides.
 * The method is written down in docs/performance.md. `--json` prints the figures for programs.
 */

interface Options {
  readonly channels: number;
  readonly payees: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly transports: readonly string[];
  readonly isJson: boolean;
}

interface Figures {
  readonly transport: string;
  readonly concurrency: number;
  readonly payments: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly hubCpuMsPerPayment: number;
  readonly loadCpuMsPerPayment: number;
  readonly hubRssMiB: number;
}

const ETHER = 10n ** 18n;

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const world = await benchWorld();
  const figures: Figures[] = [];
  let problem: string | undefined;
  try {
    say(
      `${cpus().length} cores, Node ${process.version}, curve ${curve.name}; setting up ${options.channels} payers and payees …`,
    );
    const payees = await open(world, options.payees, true, true);
    for (const transport of options.transports) {
      const payers = await open(world, options.channels, false, transport === "WebSocket");
      for (const concurrency of new Set([options.channels, Math.max(1, Math.floor(options.channels / 8))])) {
        say(
          `${transport}, ${concurrency} payments at a time: ${options.warmUpSeconds} s to warm up, ${options.seconds} s measured …`,
        );
        await pay(payers.slice(0, concurrency), payees, options.warmUpSeconds);
        figures.push(await measure(world, transport, payers.slice(0, concurrency), payees, options.seconds));
      }
      for (const payer of payers) await payer.stop();
    }
    problem = await verify(payees, figures);
    for (const payee of payees) await payee.stop();
  } finally {
    await world.close();
  }
  console.log(options.isJson ? JSON.stringify({ figures, problem }, null, 2) : tableOf(figures));
  if (problem !== undefined) throw new Error(problem);
}

/** Clients with funded channels: payers have ether, payees have the hub's. */
async function open(
  world: BenchWorld,
  count: number,
  isPayee: boolean,
  withSocket: boolean,
): Promise<readonly ConnextClient[]> {
  const wallets = Array.from({ length: count }, () => Wallet.createRandom());
  for (const { address } of wallets) await world.fund(address, ETHER, isPayee);
  const clients: ConnextClient[] = [];
  for (const { privateKey } of wallets) {
    const socket = withSocket ? { webSocket: WebSocket as unknown as SocketConstructor } : {};
    const base = {
      hubUrl: world.hubUrl,
      ethUrl: world.ethUrl,
      privateKey,
      store: memoryStore(),
      pollIntervalMs: 300_000,
      autoBackup: false,
    };
    clients.push(await getConnextClient({ ...base, ...socket, logger: say }));
  }
  for (const client of clients) await untilFunded(client, isPayee);
  return clients;
}

async function untilFunded(client: ConnextClient, isPayee: boolean): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const row = client.getState().state.assets[0];
    if ((isPayee ? row?.balanceHub : row?.balanceUser) === ETHER && client.getState().isDoubleSigned) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
    await client.level();
  }
  throw new Error("a channel was not funded within 30 s");
}

let paid = 0n;

/** Every payer pays one payment after the other, each to the next payee. @returns Latencies in ms. */
async function pay(
  payers: readonly ConnextClient[],
  payees: readonly ConnextClient[],
  seconds: number,
): Promise<number[]> {
  const latencies: number[] = [];
  const endAt = performance.now() + seconds * 1000;
  await Promise.all(
    payers.map(async (payer, i) => {
      for (let n = i; performance.now() < endAt; n++) {
        const recipient = payees[n % payees.length]?.address ?? "";
        const started = performance.now();
        await payer.buy({ payments: [{ type: "PT_CHANNEL", recipient, amount: { amountWei: 1n } }] });
        latencies.push(performance.now() - started);
        paid += 1n;
      }
    }),
  );
  return latencies;
}

async function measure(
  world: BenchWorld,
  transport: string,
  payers: readonly ConnextClient[],
  payees: readonly ConnextClient[],
  seconds: number,
): Promise<Figures> {
  const [hubBefore, loadBefore, started] = [await world.metrics(), process.cpuUsage(), performance.now()];
  const latencies = (await pay(payers, payees, seconds)).sort((a, b) => a - b);
  const elapsed = (performance.now() - started) / 1000;
  const [hubAfter, load] = [await world.metrics(), process.cpuUsage(loadBefore)];
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    transport,
    concurrency: payers.length,
    payments: latencies.length,
    perSecond: latencies.length / elapsed,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    hubCpuMsPerPayment: ((hubAfter.cpuSeconds - hubBefore.cpuSeconds) * 1000) / latencies.length,
    loadCpuMsPerPayment: (load.user + load.system) / 1000 / latencies.length,
    hubRssMiB: hubAfter.rssBytes / 2 ** 20,
  };
}

/** Nothing lost, nothing doubled: the payees have, signed by both, exactly what was paid. */
async function verify(payees: readonly ConnextClient[], figures: readonly Figures[]): Promise<string | undefined> {
  for (let attempt = 0; attempt < 100 && payees.some((payee) => !payee.getState().isDoubleSigned); attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const payee of payees) await payee.level();
  const received = payees.reduce((sum, payee) => sum + payee.balanceOf(), 0n);
  say(`paid ${paid}, received ${received}, in ${figures.length} runs`);
  return received === paid ? undefined : `payees have ${received}, but ${paid} was paid`;
}

function tableOf(figures: readonly Figures[]): string {
  const table = new Table({
    style: { head: [], border: [] },
    head: [
      "transport",
      "at a time",
      "payments/s",
      "p50 ms",
      "p99 ms",
      "hub CPU ms/payment",
      "load CPU ms/payment",
      "hub RSS MiB",
    ],
  });
  for (const each of figures) {
    table.push([
      ...[each.transport, each.concurrency, each.perSecond.toFixed(0), each.p50Ms.toFixed(2), each.p99Ms.toFixed(2)],
      ...[each.hubCpuMsPerPayment.toFixed(3), each.loadCpuMsPerPayment.toFixed(3), each.hubRssMiB.toFixed(0)],
    ]);
  }
  return table.toString();
}

function readOptions(args: readonly string[]): Options {
  const number = (name: string, fallback: number): number => {
    const at = args.indexOf(`--${name}`);
    return at < 0 ? fallback : Number(args[at + 1]);
  };
  return {
    channels: number("channels", 64),
    payees: number("payees", number("channels", 64)),
    seconds: number("seconds", 10),
    warmUpSeconds: number("warm-up", 10),
    transports: args.includes("--websocket-only") ? ["WebSocket"] : ["WebSocket", "HTTP"],
    isJson: args.includes("--json"),
  };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? (error.stack ?? error.message) : error);
    process.exit(1);
  },
);
