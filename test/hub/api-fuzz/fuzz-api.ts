import { Agent } from "node:http";
import { statusOf } from "../../../protocol";
import { operationsOf, type ApiDocument, type ApiOperation } from "./document";
import { httpRequestOf, sendGarbage, sendHttp, type FuzzAnswer, type FuzzToken } from "./http-requests";
import { seededRandom, type Random } from "./random";
import { FuzzSocket, messageOf } from "./socket-requests";

export interface FuzzOptions {
  /** Of a hub that counts generously: its limit of requests a minute must be above what is sent here. */
  readonly baseUrl: string;
  /** What `/api/hub/docs/json` answers. */
  readonly document: ApiDocument;
  readonly tokens: readonly FuzzToken[];
  readonly count: number;
  readonly seed: number;
  /** Requests at a time; default 8. */
  readonly parallel?: number;
}

export interface FuzzReport {
  readonly seed: number;
  readonly sent: number;
  /** How often each HTTP status was answered; what came over the socket under the status of its code. */
  readonly byStatus: Readonly<Record<string, number>>;
  /** Every answer that no client may cause: 5xx but 503, no answer, no JSON, a stack or HTML. */
  readonly problems: readonly string[];
}

const SOCKET_SHARE = 0.3;
const GARBAGE_SHARE = 0.01;
const SHOWN_PROBLEMS = 100;

/** Asks a hub for `count` things, most of them wrong, over HTTP and the socket. The same seed asks the same. */
export async function fuzzApi(options: FuzzOptions): Promise<FuzzReport> {
  const { baseUrl, document, count, seed, parallel = 8 } = options;
  const operations = operationsOf(document);
  const agent = new Agent({ keepAlive: true, maxSockets: parallel });
  const byStatus: Record<string, number> = {};
  const problems: string[] = [];
  let sent = 0;
  const note = ({ status, problem }: Outcome): void => {
    byStatus[status] = (byStatus[status] ?? 0) + 1;
    if (problem !== undefined && problems.length < SHOWN_PROBLEMS) problems.push(problem);
  };
  const work = async (lane: number): Promise<void> => {
    const random = seededRandom(seed * 1_000 + lane);
    const socket = new FuzzSocket(`${baseUrl.replace(/^http/, "ws")}/api/hub/subscribe`);
    while (sent++ < count) note(await askOnce(options, operations, random, agent, socket));
    socket.close();
  };
  await Promise.all(Array.from({ length: parallel }, (_, lane) => work(lane)));
  agent.destroy();
  return { seed, sent: count, byStatus, problems };
}

interface Outcome {
  readonly status: string;
  readonly problem?: string;
}

async function askOnce(
  { baseUrl, tokens }: FuzzOptions,
  operations: readonly ApiOperation[],
  random: Random,
  agent: Agent,
  socket: FuzzSocket,
): Promise<Outcome> {
  const operation = random.pick(operations);
  const base = new URL(baseUrl);
  let asked = "";
  try {
    if (random.chance(SOCKET_SHARE)) {
      const message = messageOf(operation, tokens, random);
      asked = `socket ${message.toString().slice(0, 500)}`;
      const { code, text } = await socket.ask(message);
      const status = code === "ok" ? 200 : code === "closed" ? 0 : (statusOf(code) ?? 500);
      return outcomeOf(asked, { status, contentType: "application/json", text });
    }
    if (random.chance(GARBAGE_SHARE)) {
      const answer = await sendGarbage(base, random);
      return outcomeOf(`bytes ${JSON.stringify(answer.sent.slice(0, 200))}`, answer);
    }
    const request = httpRequestOf(operation, tokens, random);
    asked = `${request.method} ${request.path.slice(0, 300)} ${request.body?.toString().slice(0, 500) ?? ""}`;
    return outcomeOf(asked, await sendHttp(base, request, agent), request.method === "HEAD");
  } catch (error) {
    return { status: "none", problem: `${asked}\n  ${String(error)}` };
  }
}

function outcomeOf(asked: string, answer: FuzzAnswer, isBodiless = false): Outcome {
  const status = answer.status === 0 ? "closed" : String(answer.status);
  const reason = reasonAgainst(answer, isBodiless);
  return reason === undefined
    ? { status }
    : { status, problem: `${asked}\n  ${status} ${reason}: ${answer.text.slice(0, 500)}` };
}

function reasonAgainst({ status, contentType, text }: FuzzAnswer, isBodiless: boolean): string | undefined {
  if (status >= 500 && status !== 503) return "is the hub's own failure";
  if (/\n\s+at .+:\d+:\d+/.test(text)) return "shows a stack";
  if (status < 400 || isBodiless) return undefined;
  if (!contentType.startsWith("application/json")) return `is ${contentType || "nothing"} instead of JSON`;
  return isCoded(text) ? undefined : "has no code and message";
}

function isCoded(text: string): boolean {
  const body = JSON.parse(text) as { code?: unknown; message?: unknown; error?: unknown };
  const error = (body.error ?? body) as { code?: unknown; message?: unknown };
  return error.code !== undefined && typeof error.message === "string";
}
