import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { WebSocket } from "ws";
import { buildApp } from "../../hub/app";
import type { Clock } from "../../hub/clock";
import { completeConfig, ETHER_ASSET, type HubConfig } from "../../hub/config";
import { silentLog, type Log } from "../../hub/log";
import { inProcessMessaging, type Messaging } from "../../hub/messaging/messaging";
import { outboxPushes } from "../../hub/messaging/outbox-pushes";
import type { JsonRpcNode } from "../../hub/routes/eth-forwarder";
import type { Handlers } from "../../hub/routes/handlers";
import { publicHandlers } from "../../hub/routes/public-handlers";
import type { SocketLimits } from "../../hub/routes/socket";
import type { Pushes } from "../../hub/services/pushes";
import type { Services } from "../../hub/services/services";
import { Sessions } from "../../hub/services/sessions";
import { openSqliteStore } from "../../hub/store/sqlite/open-store";
import type { Store } from "../../hub/store/store";
import {
  formatSignIn,
  hubError,
  OPERATIONS,
  parseAddress,
  personalDigest,
  signDigest,
  type OperationName,
  type SignInMessage,
} from "../../protocol";
import { party, type Party } from "../protocol/fixtures";

export const CHAIN_ID = 31337;
export const ADMIN_KEY = "an-admin-key-of-the-tests-not-short";

/** Some time in 2026; a test moves it. */
export class TestClock implements Clock {
  nowMs = 1_790_000_000_000;

  now(): number {
    return this.nowMs;
  }
}

export interface EdgeOptions {
  readonly config?: Partial<HubConfig>;
  readonly handlers?: Partial<Handlers>;
  readonly node?: JsonRpcNode;
  readonly limits?: Partial<SocketLimits>;
  readonly log?: Log;
}

/** The hub's edge with a store and sessions of its own and nothing behind it: what is not built answers NotFound. */
export interface Edge {
  readonly app: FastifyInstance;
  readonly url: string;
  readonly host: string;
  readonly store: Store;
  readonly clock: TestClock;
  readonly sessions: Sessions;
  readonly messaging: Messaging;
  readonly pushes: Pushes;
  /** Signs in; @returns the token. */
  signIn(who: Party): Promise<string>;
  get(path: string, token?: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  post(path: string, body: unknown, token?: string): Promise<Answer>;
  connect(): Promise<TestSocket>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, where it is JSON. */
  readonly body: Readonly<Record<string, unknown>>;
}

export async function openEdge(options: EdgeOptions = {}): Promise<Edge> {
  const folder = mkdtempSync(join(tmpdir(), "edge-"));
  const store = openSqliteStore(join(folder, "hub.sqlite"));
  const clock = new TestClock();
  const messaging = inProcessMessaging();
  const config = completeConfig({
    ...{ chainId: CHAIN_ID, channelManager: parseAddress(`0x${"c0".repeat(20)}`), assets: [ETHER_ASSET] },
    ...{ adminKey: ADMIN_KEY, requestsPerMinute: 1_000_000, ...options.config },
  });
  let host = "";
  const sessions = new Sessions({ store, clock, randomBytes, chainId: CHAIN_ID, domain: () => host });
  const app = await buildApp({
    config,
    handlers: { ...handlersOf(sessions), ...options.handlers },
    findSession: (token) => sessions.find(token),
    node: options.node ?? { send: () => Promise.reject(new Error("there is no node")) },
    hub: party(0x99).address,
    log: options.log ?? silentLog,
    socket: {
      messaging,
      store,
      latest: () => [{ topic: "gas-price", data: { maxFeePerGas: "7" } }],
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    },
  });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  host = new URL(url).host;
  const sockets = new Set<TestSocket>();

  return {
    ...{ app, url, host, store, clock, sessions, messaging, pushes: outboxPushes(store, messaging, clock) },
    signIn: async (who) => {
      const { nonce } = await sessions.challenge(who.address);
      const { token } = await sessions.answer(...signed(who, messageFor(who, host, nonce, clock)));
      return token;
    },
    get: (path, token, headers = {}) => ask(url + path, { headers: { ...bearer(token), ...headers } }),
    post: (path, body, token) => {
      const headers = { "content-type": "application/json", ...bearer(token) };
      return ask(url + path, { method: "POST", headers, body: JSON.stringify(body) });
    },
    connect: async () => {
      const socket = await TestSocket.open(url);
      sockets.add(socket);
      return socket;
    },
    close: async () => {
      for (const socket of sockets) socket.close();
      await app.close();
      await store.database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A sign-in message as a client would make it. */
export function messageFor(who: Party, host: string, nonce: string, clock: Clock): SignInMessage {
  return {
    ...{ domain: host, address: who.address, uri: `http://${host}`, chainId: CHAIN_ID, nonce },
    issuedAt: new Date(clock.now()).toISOString(),
    expirationTime: new Date(clock.now() + 300_000).toISOString(),
  };
}

export function signed(who: Party, message: SignInMessage | string): [text: string, signature: `0x${string}`] {
  const text = typeof message === "string" ? message : formatSignIn(message);
  return [text, signDigest(personalDigest(text), who.key)];
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  const body = isJson && text !== "" ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, headers: response.headers, text, body };
}

function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function handlersOf(sessions: Sessions): Handlers {
  const notBuilt = Object.keys(OPERATIONS).map((name) => [
    name,
    () => Promise.reject(hubError("NotFound", { what: `handler of ${name as OperationName} in this test` })),
  ]);
  const { createChallenge, answerChallenge, getAuthStatus, signOut } = publicHandlers({ sessions } as Services);
  return {
    ...(Object.fromEntries(notBuilt) as Handlers),
    ...{ createChallenge, answerChallenge, getAuthStatus, signOut },
  };
}

type Message = Readonly<Record<string, unknown>>;

/** A WebSocket that remembers what it was told. */
export class TestSocket {
  readonly socket: WebSocket;
  readonly pushes: Message[] = [];
  readonly #answers = new Map<number, (answer: Message) => void>();
  #nextId = 1;
  #woken: (() => void)[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer) => this.#take(JSON.parse(data.toString()) as Message));
    socket.on("error", () => undefined);
  }

  static async open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<TestSocket> {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}/api/hub/subscribe`, { headers });
    const wrapped = new TestSocket(socket);
    await once(socket, "open");
    return wrapped;
  }

  /** The whole answer: `{ id, output }` or `{ id, error }`. */
  ask(op: string, input?: unknown): Promise<Message> {
    const id = this.#nextId++;
    return this.raw(JSON.stringify({ id, op, ...(input === undefined ? {} : { input }) }), id);
  }

  raw(message: string | Buffer, answerId = -1): Promise<Message> {
    return new Promise((resolve) => {
      this.#answers.set(answerId, resolve);
      this.socket.send(message);
    });
  }

  /** Waits until so many pushes have come. */
  async received(count: number): Promise<readonly Message[]> {
    while (this.pushes.length < count) await new Promise<void>((resolve) => this.#woken.push(resolve));
    return this.pushes;
  }

  async closed(): Promise<number> {
    if (this.socket.readyState === WebSocket.CLOSED) return 0;
    const [code] = (await once(this.socket, "close")) as [number];
    return code;
  }

  close(): void {
    this.socket.terminate();
  }

  #take(message: Message): void {
    const { id } = message;
    if (typeof id === "number") {
      this.#answers.get(id)?.(message);
      this.#answers.delete(id);
    } else {
      this.pushes.push(message);
      for (const wake of this.#woken.splice(0)) wake();
    }
  }
}
