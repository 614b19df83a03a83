// How fast a client pays another through a thread: `npm run bench:threads -- --seconds 5 --at-a-time 512 --json`. The sender
// is this process, the receiver one of its own, each with its own SQLite file; between them is a WebSocket on loopback.
import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import { webSocketLink } from "../client/threads/web-socket-link";
import { formatThreadEvidence, threadType, type Hash, type WireThreadEvidence } from "../protocol";
import { benchPerson, benchThread, keyOf, type BenchPerson } from "./bench-threads/person";
import type { FromReceiver, ToReceiver } from "./bench-threads/receiver";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "5" },
    "at-a-time": { type: "string", default: "512" },
    json: { type: "boolean", default: false },
  },
});
const [seconds, atATime] = [Number(values.seconds), Number(values["at-a-time"])];

/** What one run has shown. */
interface Figures {
  readonly payments: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly senderCpuMicros: number;
  readonly receiverCpuMicros: number;
}

async function main(): Promise<void> {
  const receiver = fork(join(__dirname, "bench-threads", "receiver.ts"), { execArgv: process.execArgv });
  const sender = await benchPerson("sender");
  try {
    const figures = await measure(sender, receiver);
    console.log(values.json ? JSON.stringify(figures, undefined, 2) : textOf(figures));
  } finally {
    receiver.kill();
    await sender.close();
  }
}

async function measure(sender: BenchPerson, receiver: ChildProcess): Promise<Figures> {
  const { port } = await heard(receiver, "listening");
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  await new Promise((resolve) => socket.once("open", resolve));
  const { hash, evidence } = await agreed(sender);
  sender.works.outbox.attach(keyOf("receiver").address, webSocketLink(socket));
  await sent(receiver, { kind: "thread", evidence }, "ready");
  await stream(sender, hash, 0.5); // warm
  await until(receiver, sender, hash);
  const before = {
    started: performance.now(),
    cpu: process.cpuUsage(),
    receiver: await sent(receiver, { kind: "report" }, "report"),
  };
  const run = await stream(sender, hash, seconds);
  const after = await until(receiver, sender, hash);
  const [elapsed, cpu] = [(performance.now() - before.started) / 1000, process.cpuUsage(before.cpu)];
  const payments = after.payments - before.receiver.payments;
  if (payments !== run.latencies.length) throw new Error(`${run.latencies.length} paid, ${payments} verified`);
  socket.close();
  return {
    payments,
    perSecond: Math.round(payments / elapsed),
    ...percentiles(run.latencies),
    senderCpuMicros: Math.round((cpu.user + cpu.system) / payments),
    receiverCpuMicros: Math.round((after.cpuMicros - before.receiver.cpuMicros) / payments),
  };
}

/** Both sides sign the terms; there is no hub and no channel behind them here. */
async function agreed({ works }: BenchPerson): Promise<{ readonly hash: Hash; readonly evidence: WireThreadEvidence }> {
  const { thread, own } = benchThread();
  const sign = async (name: "sender" | "receiver") => keyOf(name).sign(threadType, thread, works.domain);
  const [sigSender, sigReceiver] = [await sign("sender"), await sign("receiver")];
  await works.book.save({ ...own, leg: "open", session: 0n, sigSender, sigReceiver });
  return { hash: own.hash, evidence: formatThreadEvidence({ thread, sigSender, sigReceiver }) };
}

/** As many payments at a time as asked for. Latency: until it is on disk here and handed to the socket. */
async function stream(
  { works }: BenchPerson,
  hash: Hash,
  forSeconds: number,
): Promise<{ readonly latencies: readonly number[] }> {
  const end = performance.now() + 1000 * forSeconds;
  const latencies: number[] = [];
  const payer = async (): Promise<void> => {
    for (let now = performance.now(); now < end; now = performance.now()) {
      await works.streaming.pay(hash, 1n);
      latencies.push(performance.now() - now);
    }
  };
  await Promise.all(Array.from({ length: atATime }, payer));
  return { latencies };
}

/** Waits until the receiver has verified and kept everything. */
async function until(
  receiver: ChildProcess,
  { works }: BenchPerson,
  hash: Hash,
): Promise<FromReceiver & { kind: "report" }> {
  const paid = works.book.get(hash).payment?.payment.balanceReceiver ?? 0n;
  for (;;) {
    const report = await sent(receiver, { kind: "report" }, "report");
    if (BigInt(report.keptBalance) >= paid) return report;
  }
}

function percentiles(latencies: readonly number[]): Pick<Figures, "p50Ms" | "p99Ms"> {
  const sorted = [...latencies].sort((a, b) => a - b);
  const at = (share: number): number => Number((sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2));
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

function textOf({ payments, perSecond, p50Ms, p99Ms, senderCpuMicros, receiverCpuMicros }: Figures): string {
  return [
    `${payments} payments, ${atATime} at a time, over one WebSocket: ${perSecond}/s, verified and on disk on both sides`,
    `latency at the sender: p50 ${p50Ms} ms, p99 ${p99Ms} ms`,
    `CPU a payment: sender ${senderCpuMicros} µs, receiver ${receiverCpuMicros} µs`,
  ].join("\n");
}

type Told<Kind extends FromReceiver["kind"]> = Extract<FromReceiver, { readonly kind: Kind }>;

function heard<Kind extends FromReceiver["kind"]>(receiver: ChildProcess, kind: Kind): Promise<Told<Kind>> {
  return new Promise((resolve) => {
    const listener = (message: FromReceiver): void => {
      if (message.kind !== kind) return;
      receiver.off("message", listener);
      resolve(message as Told<Kind>);
    };
    receiver.on("message", listener);
  });
}

function sent<Kind extends FromReceiver["kind"]>(
  receiver: ChildProcess,
  message: ToReceiver,
  kind: Kind,
): Promise<Told<Kind>> {
  const answer = heard(receiver, kind);
  receiver.send(message);
  return answer;
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
