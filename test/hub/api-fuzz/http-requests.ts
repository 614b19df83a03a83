import { type Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import type { ApiOperation } from "./document";
import type { Random } from "./random";
import { sampleOf } from "./sample";
import { spoil, spoilWord } from "./spoil";

export interface FuzzToken {
  readonly token: string;
  readonly address?: string;
}

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface FuzzAnswer {
  /** 0: the connection was closed without an answer. */
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "PROPFIND"];
const CONTENT_TYPES = [
  "text/plain",
  "text/html",
  "application/xml",
  "multipart/form-data",
  "application/json; charset=x",
  "x",
  "",
];
const PATHS = [
  "/",
  "//",
  "/api",
  "/api/hub",
  "/api/hub/",
  "/api/hub/nothing",
  "/api/hub/docs/static/..%2f..%2fx",
  "/api/hub/docs/static/%00",
];
const PIECES = [
  "%",
  "%zz",
  "%c0%ae",
  "%00",
  "%2f",
  "..",
  ";",
  "*",
  "%F0%9F%98%80",
  "%ff%fe",
  "?",
  "#",
  "[",
  "\\",
  "{}",
];

/** A request for an operation, with something wrong in it more often than not. */
export function httpRequestOf(operation: ApiOperation, tokens: readonly FuzzToken[], random: Random): FuzzRequest {
  const addresses = tokens.flatMap(({ address }) => (address === undefined ? [] : [address]));
  const valueOf = (schema: Parameters<typeof sampleOf>[0]): string => {
    return random.chance(0.1) ? spoilWord(random) : String(sampleOf(schema, random, addresses));
  };
  const filled = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    return encodeURIComponent(wellFormed(valueOf(operation.params[name] ?? { type: "string" })));
  });
  const query = Object.entries(operation.query).flatMap(([name, schema]) =>
    random.chance(0.5) ? [`${name}=${encodeURIComponent(wellFormed(valueOf(schema)))}`] : [],
  );
  if (random.chance(0.05))
    query.push(random.pick(["limit=1&limit=2", "__proto__=1", "a[b]=c", "%", "limit=1e3", "limit="]));
  const path = pathOf(filled, random) + (query.length === 0 ? "" : `?${query.join("&")}`);
  const body = bodyOf(operation, addresses, random);
  return {
    method: random.chance(0.04) ? random.pick(METHODS) : operation.method,
    path: path.replace(/[^\x21-\x7e]/g, (letter) => encodeURIComponent(letter)),
    headers: headersOf(tokens, random, body !== undefined),
    ...(body === undefined ? {} : { body }),
  };
}

function pathOf(path: string, random: Random): string {
  if (random.chance(0.03)) return random.pick(PATHS);
  if (!random.chance(0.04)) return path;
  const at = 1 + random.below(path.length);
  const piece = random.chance(0.1) ? "x".repeat(3_000) : random.pick(PIECES);
  return path.slice(0, at) + piece + path.slice(at);
}

function bodyOf(
  { body, method }: ApiOperation,
  addresses: readonly string[],
  random: Random,
): string | Buffer | undefined {
  if (body === undefined && (method === "GET" || random.chance(0.7))) return undefined;
  const sample = sampleOf(body ?? { type: "object" }, random, addresses);
  if (random.chance(0.005)) return JSON.stringify({ padding: "x".repeat(300 * 1024) });
  if (random.chance(0.02)) return Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
  return random.chance(0.3) ? JSON.stringify(sample) : spoil(sample, random);
}

function headersOf(tokens: readonly FuzzToken[], random: Random, hasBody: boolean): Record<string, string> {
  const headers: Record<string, string> = {};
  if (hasBody) headers["content-type"] = random.chance(0.04) ? random.pick(CONTENT_TYPES) : "application/json";
  if (hasBody && headers["content-type"] === "") delete headers["content-type"];
  if (tokens.length > 0 && random.chance(0.8)) headers.authorization = `Bearer ${random.pick(tokens).token}`;
  if (random.chance(0.04))
    headers.authorization = random.pick([
      "Bearer",
      "Bearer ",
      "Basic eDp5",
      "Bearer a b",
      `Bearer ${"x".repeat(4_000)}`,
    ]);
  if (random.chance(0.03)) headers.origin = random.pick(["null", "https://elsewhere.example", "not an origin"]);
  if (random.chance(0.01)) headers["access-control-request-method"] = "POST";
  if (random.chance(0.01))
    Object.assign(headers, { upgrade: random.pick(["websocket", "h2c"]), connection: "upgrade" });
  if (random.chance(0.01)) headers.expect = "something";
  if (random.chance(0.01)) headers["content-encoding"] = "gzip";
  return headers;
}

/** `encodeURIComponent` refuses half of a character. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/gu, "?");
}

/** Sends it and waits for the answer. Rejects when none comes in time. */
export function sendHttp(base: URL, { method, path, headers, body }: FuzzRequest, agent: Agent): Promise<FuzzAnswer> {
  return new Promise((resolve, reject) => {
    const closed = (): void => resolve({ status: 0, contentType: "", text: "" });
    const request = httpRequest(
      { host: base.hostname, port: base.port, method, path, headers, agent, timeout: 10_000 },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", closed);
        response.on("end", () => {
          const contentType = response.headers["content-type"] ?? "";
          resolve({ status: response.statusCode ?? 0, contentType, text: Buffer.concat(parts).toString() });
        });
      },
    );
    request.on("error", closed);
    request.on("upgrade", (_response, socket) => {
      socket.destroy();
      resolve({ status: 101, contentType: "", text: "" });
    });
    request.on("timeout", () => {
      reject(new Error("no answer within 10 s"));
      request.destroy();
    });
    request.end(body);
  });
}

const NOT_HTTP = [
  "GARBAGE\r\n\r\n",
  "GET / HTTP/9.9\r\n\r\n",
  "GET\r\n\r\n",
  "\u0000\u0001\u0002\r\n\r\n",
  "GET / HTTP/1.1\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
  "GET /%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  "GET http://[::1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  "GET // HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
  "GET /\\\\: HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
  "GET /api/hub/subscribe HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
  "POST /api/hub/subscribe HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello",
  "GET /api/hub/config HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
  "POST /api/hub/auth/challenge HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
  "POST /api/hub/auth/challenge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  "POST /api/hub/auth/challenge HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(40_000)}\r\n\r\n`,
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];

/** Sends what no HTTP client would. */
export function sendGarbage(base: URL, random: Random): Promise<FuzzAnswer & { readonly sent: string }> {
  const sent = random.pick(NOT_HTTP);
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(Number(base.port), base.hostname, () => socket.write(sent));
    const end = (): void => {
      socket.destroy();
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
      const contentType = /\r\ncontent-type: ([^\r]*)/i.exec(text)?.[1] ?? "";
      resolve({ sent, status, contentType, text: text.split("\r\n\r\n").slice(1).join("\r\n\r\n") });
    };
    socket.setTimeout(5_000, () => {
      reject(new Error(`no answer to ${JSON.stringify(sent.slice(0, 80))}`));
      socket.destroy();
    });
    socket.on("data", (part) => {
      text += part.toString();
      if (/^HTTP\/1\.1 \d{3}[^]*\r\n\r\n/.test(text)) setTimeout(end, 5);
    });
    socket.on("error", end);
    socket.on("close", end);
  });
}
