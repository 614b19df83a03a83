import { expect } from "chai";
import { once } from "node:events";
import { connect } from "node:net";
import { completeConfig, ETHER_ASSET } from "../../hub/config";
import type { Handlers } from "../../hub/routes/handlers";
import { parseAddress, protocolError } from "../../protocol";
import { CodedError } from "../../protocol/coded-error";
import { party } from "../protocol/fixtures";
import { ADMIN_KEY, ask, openEdge, type Answer, type Edge, type EdgeOptions } from "./edge";

const ALICE = party(0x11);
const JSON_TYPE = { "content-type": "application/json" };
const HISTORY = `/api/hub/payments/history/${ALICE.address}`;

describe("HTTP app", () => {
  let edge: Edge;
  let token: string;
  let gasPrice: () => Promise<unknown>;
  let queries: unknown[];
  const logged: [string, unknown][] = [];

  const open = (options: EdgeOptions = {}): Promise<Edge> =>
    openEdge({
      log: { info: () => undefined, warn: () => undefined, error: (line, cause) => logged.push([line, cause]) },
      handlers: {
        getGasPrice: (() => gasPrice()) as Handlers["getGasPrice"],
        getPaymentHistory: ({ query }) => {
          queries.push(query);
          return Promise.resolve({ payments: [] });
        },
        setDepositsPaused: ({ body }) => Promise.resolve({ paused: body.paused }),
      },
      ...options,
    });

  before(async () => {
    edge = await open();
    token = await edge.signIn(ALICE);
  });

  beforeEach(() => {
    gasPrice = () => Promise.resolve({});
    queries = [];
    logged.length = 0;
  });

  after(() => edge.close());

  /** `{ code, message, details }` as JSON, and nothing of the hub's inside. */
  const expectRefused = (answer: Answer, status: number, code: string): Readonly<Record<string, unknown>> => {
    expect([answer.status, answer.body.code], answer.text).to.deep.equal([status, code]);
    expect(answer.headers.get("content-type")).to.match(/^application\/json/);
    expect(answer.body.message).to.match(/\. Why: .+\. What to do: .+\.$/s);
    expect(answer.text).to.not.match(/\bat .+:\d+:\d+|<html|node_modules/i);
    return (answer.body.details ?? {}) as Readonly<Record<string, unknown>>;
  };

  describe("H-11: answers with JSON and a code, never HTML, a stack or 500,", () => {
    const post =
      (body: RequestInit["body"], headers: Record<string, string> = JSON_TYPE) =>
      (): Promise<Answer> =>
        ask(`${edge.url}/api/hub/auth/challenge`, { method: "POST", headers, body: body ?? null });
    const good = JSON.stringify({ address: ALICE.address });
    const get = (path: string) => (): Promise<Answer> =>
      ask(edge.url + path, { headers: { authorization: `Bearer ${token}` } });

    const cases: [string, () => Promise<Answer>, number, string][] = [
      ["malformed JSON", post("{"), 400, "MalformedRequest"],
      ["a body that is no UTF-8", post(Buffer.from([0x22, 0xff, 0x22])), 400, "MalformedRequest"],
      ["the content type of a form", post(good, { "content-type": "text/plain" }), 400, "MalformedRequest"],
      ["no content type", post(Buffer.from(good), {}), 400, "MalformedRequest"],
      ["no body", post(undefined), 400, "InvalidValue"],
      ["a list for an object", post("[]"), 400, "InvalidValue"],
      ["null for an object", post("null"), 400, "InvalidValue"],
      ["a key __proto__", post(`{"__proto__":{"isAdmin":true},"address":"${ALICE.address}"}`), 400, "MalformedRequest"],
      ["an escaped __proto__", post(`{"\\u005f_proto__":1,"address":"${ALICE.address}"}`), 400, "MalformedRequest"],
      ["a key constructor", post(`{"constructor":{},"address":"${ALICE.address}"}`), 400, "InvalidValue"],
      ["a number of 400 digits", post(`{"address":${"9".repeat(400)}}`), 400, "InvalidValue"],
      ["100,000 lists in lists", post(`{"address":${"[".repeat(1e5)}${"]".repeat(1e5)}}`), 400, "InvalidValue"],
      [
        "the same with an escape",
        post(`{"address":["\\u0041",${"[".repeat(1e5)}${"]".repeat(1e5)}]}`),
        400,
        "InvalidValue",
      ],
      ["a wrong checksum", post(`{"address":"0xAb${"0".repeat(38)}"}`), 400, "InvalidValue"],
      ["too large a body", post(`"${"x".repeat(300_000)}"`), 413, "RequestTooLarge"],
      ["bad percent-encoding", get("/api/hub/channel/%zz/sync"), 400, "MalformedRequest"],
      ["an overlong parameter", get(`/api/hub/channel/${"a".repeat(500)}/sync`), 400, "MalformedRequest"],
      ["a parameter that is no address", get("/api/hub/channel/me/sync"), 400, "InvalidValue"],
      ["an integer that is none", get(`${HISTORY}?limit=ten`), 400, "InvalidValue"],
      ["an integer with an exponent", get(`${HISTORY}?limit=1e2`), 400, "InvalidValue"],
      ["an integer twice", get(`${HISTORY}?limit=1&limit=2`), 400, "InvalidValue"],
      ["an integer out of range", get(`${HISTORY}?limit=201`), 400, "InvalidValue"],
      ["an unknown query", get(`${HISTORY}?limt=2`), 400, "InvalidValue"],
      ["an unknown route", get("/api/hub/nothing"), 404, "RouteUnknown"],
      ["a file of the documentation that is none", get("/api/hub/docs/static/nothing"), 404, "RouteUnknown"],
      ["another method", () => ask(`${edge.url}/api/hub/config`, { method: "DELETE" }), 404, "RouteUnknown"],
      [
        "a preflight where no page may ask",
        () => ask(`${edge.url}/api/hub/config`, { method: "OPTIONS" }),
        404,
        "RouteUnknown",
      ],
      ["a socket's address without a socket", get("/api/hub/subscribe"), 400, "MalformedRequest"],
    ];
    for (const [what, send, status, code] of cases) {
      it(`${what}: ${status} ${code}`, async () => {
        expectRefused(await send(), status, code);
        expect(logged).to.deep.equal([]);
      });
    }

    const raw: [string, string, number][] = [
      ["what is not HTTP", "GARBAGE\r\n\r\n", 400],
      [
        "two lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
      ],
      ["headers without end", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(40_000)}\r\n\r\n`, 431],
      [
        "a socket for what is none",
        "GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        404,
      ],
      [
        "a socket at no address",
        "GET //[ HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        404,
      ],
      [
        "a socket without its key",
        "GET /api/hub/subscribe HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        400,
      ],
      [
        "a socket by POST",
        "POST /api/hub/subscribe HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        400,
      ],
    ];
    for (const [what, bytes, status] of raw) {
      it(`${what}: ${status}`, async () => {
        const text = await sendRaw(edge.url, bytes);
        expect(text)
          .to.match(new RegExp(`^HTTP/1\\.1 ${status} `))
          .and.match(/content-type: application\/json/i);
        expect(JSON.parse(text.slice(text.indexOf("{")))).to.include.keys("code", "message");
      });
    }

    it("whatever a handler does not expect: 500, the reason in the log alone", async () => {
      for (const thrown of [new Error("secret"), new CodedError("Unlisted", "secret", {})]) {
        logged.length = 0;
        gasPrice = () => Promise.reject(thrown);
        const answer = await edge.get("/api/hub/gas-price");
        const { requestId } = expectRefused(answer, 500, "InternalError");
        expect(answer.text).to.not.include("secret");
        expect(logged).to.deep.equal([[`request ${String(requestId)} failed`, thrown]]);
      }
    });
  });

  it("names the field and what would be right", async () => {
    const answer = await edge.post("/api/hub/admin/deposits", { paused: "yes" }, ADMIN_KEY);
    const details = expectRefused(answer, 400, "InvalidValue");
    expect(details).to.deep.equal({ path: "body.paused", expected: "boolean", given: "yes" });
  });

  it("keeps the details of a conflict, amounts as decimal strings", async () => {
    const [expected, given] = [`0x${"01".repeat(32)}`, `0x${"02".repeat(32)}`] as const;
    const { code, message, details } = protocolError("OutOfSync", { expected, given });
    gasPrice = () => Promise.reject(new CodedError(code, message, { ...details, sync: { nonceFloor: 7n } }));
    const answered = expectRefused(await edge.get("/api/hub/gas-price"), 409, "OutOfSync");
    expect(answered).to.deep.equal({ expected, given, sync: { nonceFloor: "7" } });
  });

  it("reads the integers of a query from its text", async () => {
    await edge.get(`${HISTORY}?limit=7&beforeMs=1790000000000`, token);
    await edge.get(HISTORY, token);
    expect(queries).to.deep.equal([{ limit: 7, beforeMs: 1_790_000_000_000 }, {}]);
  });

  it("lets nobody keep or frame an answer", async () => {
    const { headers } = await edge.get("/api/hub/auth/status");
    expect(headers.get("cache-control")).to.equal("no-store");
    expect(headers.get("x-content-type-options")).to.equal("nosniff");
    expect(headers.get("content-security-policy")).to.include("frame-ancestors 'none'");
  });

  it("counts requests and says with 429 when to come back", async () => {
    const limited = await open({ config: { requestsPerMinute: 3 } });
    for (let i = 0; i < 3; i++) expect((await limited.get("/api/hub/auth/status")).status).to.equal(200);
    const refused = await limited.get("/api/hub/auth/status");
    expectRefused(refused, 429, "TooManyRequests");
    expect(Number(refused.headers.get("retry-after"))).to.be.within(1, 60);
    await limited.close();
  });

  it("counts by the client's address when a trusted proxy names it, and by the proxy's otherwise", async () => {
    for (const [trustedProxies, statuses] of [
      [["127.0.0.1"], [200, 200]],
      [[], [200, 429]],
    ] as const) {
      const limited = await open({ config: { requestsPerMinute: 1, trustedProxies } });
      const askFrom = (ip: string): Promise<Answer> =>
        limited.get("/api/hub/auth/status", undefined, { "x-forwarded-for": ip });
      expect([(await askFrom("192.0.2.1")).status, (await askFrom("192.0.2.2")).status]).to.deep.equal(statuses);
      await limited.close();
    }
  });

  describe("pages of other origins", () => {
    const origin = "https://shop.example";

    it("H-4: may not read answers unless they are listed, and are never trusted with credentials", async () => {
      const listing = await open({ config: { corsOrigins: [origin] } });
      const allowed = await listing.get("/api/hub/auth/status", undefined, { origin });
      expect(allowed.headers.get("access-control-allow-origin")).to.equal(origin);
      expect(allowed.headers.get("access-control-allow-credentials")).to.equal(null);
      const other = await listing.get("/api/hub/auth/status", undefined, { origin: "https://evil.example" });
      expect(other.headers.get("access-control-allow-origin")).to.not.be.oneOf(["*", "https://evil.example"]);
      await listing.close();
    });

    it("H-4: may not read answers by default", async () => {
      const { headers } = await edge.get("/api/hub/auth/status", undefined, { origin });
      expect(headers.get("access-control-allow-origin")).to.equal(null);
    });
  });

  it("signs in over HTTP alone, and out again", async () => {
    const { body } = await edge.post("/api/hub/auth/challenge", { address: ALICE.address });
    expect(body).to.include({ domain: edge.host });
    const status = await edge.get("/api/hub/auth/status", token);
    expect(status.body).to.include({ signedIn: true, address: ALICE.address });
    const another = await edge.signIn(ALICE);
    expect((await edge.post("/api/hub/auth/sign-out", {}, another)).body).to.deep.equal({ signedIn: false });
    expect((await edge.get("/api/hub/auth/status", another)).body).to.deep.equal({ signedIn: false });
    expect((await edge.get("/api/hub/auth/status", token)).body).to.include({ signedIn: true });
  });

  it("shows at / what runs, with links, without a script", async () => {
    const { status, text, headers } = await edge.get("/");
    expect([status, headers.get("content-type")]).to.deep.equal([200, "text/html; charset=utf-8"]);
    expect(text)
      .to.include(`0x${"c0".repeat(20)}`)
      .and.include(party(0x99).address)
      .and.include("31337");
    expect(text).to.include('href="/api/hub/docs"').and.include('href="/api/hub/config"').and.not.include("<script");
  });

  it("documents every operation, its errors, and who may ask, on a page that loads nothing from elsewhere", async () => {
    const { body } = await edge.get("/api/hub/docs/json");
    const paths = body.paths as Record<
      string,
      Record<string, { operationId: string; security?: unknown; responses: object }>
    >;
    const sync = paths["/api/hub/channel/{user}/sync"]?.get;
    expect(sync).to.include({ operationId: "sync" }).and.to.have.property("security");
    expect(sync?.responses).to.have.keys("200", "4XX", "5XX");
    expect(Object.keys(paths).every((path) => path.startsWith("/api/hub/"))).to.be.true;
    const page = await edge.get("/api/hub/docs");
    expect(page.text)
      .to.include("swagger-ui")
      .and.not.match(/<script>|https?:\/\/(?!127)/);
    expect(page.headers.get("content-security-policy")).to.include("script-src 'self'");
  });

  it("closes at once, with connections open and a request under way", async () => {
    const closing = await open();
    gasPrice = () => new Promise(() => undefined);
    const pending = closing.get("/api/hub/gas-price").then(
      () => "answered",
      () => "cut off",
    );
    const socket = await closing.connect();
    const closed = socket.closed();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const start = performance.now();
    await closing.close();
    expect(await pending).to.equal("cut off");
    await closed;
    expect(performance.now() - start).to.be.lessThan(1_000);
  });

  it("closes at once, though refused clients never close their side", async () => {
    const closing = await open();
    const { hostname, port } = new URL(closing.url);
    const upgrade = "Host: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n";
    const requests = [
      "GARBAGE\r\n\r\n",
      `GET /api/hub/auth/status HTTP/1.1\r\n${upgrade}`,
      `POST / HTTP/1.1\r\n${upgrade}`,
    ];
    const clients = requests.map((bytes) => {
      const client = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
      client.on("error", () => undefined).resume();
      client.write(bytes);
      return client;
    });
    await Promise.all(clients.map((client) => once(client, "end")));
    await closing.close();
    for (const client of clients) client.destroy();
  });

  it("has a frozen configuration", () => {
    expect(completeConfig({ chainId: 1, channelManager: parseAddress(ALICE.address), assets: [ETHER_ASSET] })).to.be
      .frozen;
  });
});

async function sendRaw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = "";
  socket.on("data", (part) => (text += part.toString()));
  socket.on("error", () => undefined);
  socket.write(bytes);
  const timer = setTimeout(() => socket.destroy(), 2_000);
  await once(socket, "close");
  clearTimeout(timer);
  return text;
}
