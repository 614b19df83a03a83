import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

export interface WireRequest {
  readonly method: string;
  /** Below `/api/hub`, with the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface WireReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a text as it is. */
  readonly body: unknown;
}

/** What a question gets; `silence` no answer ever, `cut` the end of the connection. */
export type Answer = WireReply | "silence" | "cut";

/** The wire without a hub behind it: it answers what a test says, and remembers what it was asked. */
export interface WireHub {
  readonly url: string;
  /** What came over HTTP, sign-in apart. */
  readonly requests: WireRequest[];
  readonly signIns: { readonly message: string; readonly signature: string }[];
  /** What came over sockets. */
  readonly frames: { readonly op: string; readonly input: Readonly<Record<string, unknown>> }[];
  /** Sockets that are open. */
  readonly sockets: ReadonlySet<WebSocket>;
  /** Tokens that are good; a sign-in adds one. */
  readonly tokens: Set<string>;
  /** Change these as a test goes on. */
  answer: (request: WireRequest) => Answer;
  challenge: () => Answer;
  answerFrame: (op: string, input: unknown) => object | "silence";
  /** Unix ms. */
  sessionEndsAtMs: number;
  push(message: unknown): void;
  close(): Promise<void>;
}

const NOT_SIGNED_IN = { code: "NotSignedIn", message: "not signed in" };

export async function serveWire(port = 0): Promise<WireHub> {
  const server = createServer((request, response) => void handle(hub, request, response));
  const sockets = new Set<WebSocket>();
  const hub: WireHub = {
    url: "",
    requests: [],
    signIns: [],
    frames: [],
    sockets,
    tokens: new Set(),
    answer: () => ({ body: {} }),
    challenge: () => ({ body: { nonce: "abcdefgh12345678", domain: "evil.example", expiresAtMs: 1 } }),
    answerFrame: () => ({ output: {} }),
    sessionEndsAtMs: Date.now() + 3_600_000,
    push: (message) =>
      sockets.forEach((socket) => socket.send(typeof message === "string" ? message : JSON.stringify(message))),
    close: async () => {
      sockets.forEach((socket) => socket.terminate());
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const upgrades = new WebSocketServer({ server, path: "/api/hub/subscribe" });
  upgrades.on("connection", (socket) => listen(hub, sockets, socket));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return Object.assign(hub, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

async function handle(hub: WireHub, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  const { method = "", url = "", headers } = incoming;
  const body: unknown = text === "" ? undefined : JSON.parse(text);
  const answer = answerTo(hub, { method, headers, body, path: url.replace("/api/hub", "") });
  if (answer === "silence") return;
  if (answer === "cut") return void incoming.socket.destroy();
  const isText = typeof answer.body === "string";
  response.writeHead(answer.status ?? 200, {
    "content-type": isText ? "text/html" : "application/json",
    ...answer.headers,
  });
  response.end(isText ? answer.body : JSON.stringify(answer.body));
}

function answerTo(hub: WireHub, request: WireRequest): Answer {
  if (request.path === "/auth/challenge") return hub.challenge();
  if (request.path === "/auth/response") {
    const token = `token-${hub.signIns.push(request.body as WireHub["signIns"][number])}`;
    hub.tokens.add(token);
    return { body: { token, address: `0x${"11".repeat(20)}`, expiresAtMs: hub.sessionEndsAtMs } };
  }
  hub.requests.push(request);
  const token = request.headers.authorization?.replace("Bearer ", "");
  if (token !== undefined && !hub.tokens.has(token)) return { status: 401, body: NOT_SIGNED_IN };
  return hub.answer(request);
}

function listen(hub: WireHub, sockets: Set<WebSocket>, socket: WebSocket): void {
  sockets.add(socket);
  let token = "";
  socket.on("close", () => sockets.delete(socket));
  socket.on("message", (data: Buffer) => {
    const { id, op, input = {} } = JSON.parse(data.toString("utf8")) as { id: number; op: string; input?: object };
    hub.frames.push({ op, input: input as Readonly<Record<string, unknown>> });
    if (op === "authenticate") ({ token } = input as { token: string });
    const answer = hub.tokens.has(token) ? answerToFrame(hub, op, input) : { error: NOT_SIGNED_IN };
    if (answer !== "silence") socket.send(JSON.stringify({ id, ...answer }));
  });
}

function answerToFrame(hub: WireHub, op: string, input: object): object | "silence" {
  if (op === "authenticate") return { output: { signedIn: true } };
  if (op !== "subscribe") return hub.answerFrame(op, input);
  const { topics, cursor = "40" } = input as { topics: string[]; cursor?: string };
  return { output: { subscribed: topics, cursor } };
}
