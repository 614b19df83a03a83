import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { WebSocket } from "ws";
import { Connection, type ConnectionDeps } from "../../client/connection";
import type { HubListener } from "../../client/hub-connection";
import { onTimer, type Schedule } from "../../client/schedule";
import { openSigner, type ClientSigner } from "../../client/signer";
import {
  channelManagerDomain,
  digestOf,
  hashState,
  parseSignIn,
  personalDigest,
  recoverAddress,
  unsignedState,
  type Signature,
  type SocketPush,
} from "../../protocol";
import { expectCoded } from "../support/expect-coded";
import { developmentKey, until } from "../support/hub";
import { serveWire, type WireHub } from "../support/wire-hub";

const RATES = { rates: [], updatedAtMs: 1 };
const TIMEOUT_MS = 400;

/** Real timers, with a look at them. */
function watchedTimers(): { readonly schedule: Schedule; readonly delays: number[]; readonly running: Set<object> } {
  const delays: number[] = [];
  const running = new Set<object>();
  const schedule: Schedule = (run, ms) => {
    const timer = {};
    running.add(timer);
    delays.push(ms);
    const callOff = onTimer(() => {
      running.delete(timer);
      run();
    }, ms);
    return () => {
      running.delete(timer);
      callOff();
    };
  };
  return { schedule, delays, running };
}

describe("connection to a hub", () => {
  let hub: WireHub;
  let signer: ClientSigner;
  let logged: string[];
  const connections: Connection[] = [];
  const unhandled: unknown[] = [];
  const note = (error: unknown): number => unhandled.push(error);

  const connect = (overrides: Partial<ConnectionDeps> = {}): Connection => {
    const connection = new Connection({
      hubUrl: hub.url,
      signer,
      chainId: () => 31337,
      now: () => Date.now(),
      random: () => 0,
      timeoutMs: TIMEOUT_MS,
      log: (line) => logged.push(line),
      ...overrides,
    });
    connections.push(connection);
    return connection;
  };
  const user = (): { params: { user: string } } => ({ params: { user: signer.address } });
  const custodial = (connection: Connection): Promise<unknown> => connection.call("getCustodialBalance", user());

  beforeEach(async () => {
    process.on("unhandledRejection", note);
    logged = [];
    hub = await serveWire();
    hub.answer = () => ({ body: { balances: [] } });
    signer = await openSigner({ privateKey: developmentKey(3) });
  });
  afterEach(async () => {
    for (const connection of connections.splice(0)) await connection.close();
    await hub.close();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(unhandled.splice(0)).to.deep.equal([]);
  });

  describe("over HTTP", () => {
    it("asks by the operation's method, path and query, signed in", async () => {
      hub.answer = () => ({ body: { payments: [] } });
      const connection = connect({ hubUrl: `${hub.url}/` });
      expect(await connection.call("getPaymentHistory", { ...user(), query: { limit: 5 } })).to.deep.equal({
        payments: [],
      });
      const [request] = hub.requests;
      expect(request?.method).to.equal("GET");
      expect(request?.path).to.equal(`/payments/history/${signer.address}?limit=5`);
      expect(request?.headers.authorization).to.equal("Bearer token-1");
    });

    it("signs in for nothing that is public", async () => {
      await connect()
        .call("getExchangeRates", {})
        .catch(() => undefined);
      expect(hub.requests).to.have.length(1);
      expect(hub.signIns).to.deep.equal([]);
    });

    it("passes on the hub's own error, with its code and details", async () => {
      hub.answer = () => ({
        status: 409,
        body: { code: "LinkRedeemed", message: "It is. Why: because. What to do: nothing.", details: { link: "0x1" } },
      });
      const error = await expectCoded(custodial(connect()), "LinkRedeemed");
      expect(error.details).to.deep.equal({ link: "0x1" });
    });

    it("uses nothing of an answer that is not of its form", async () => {
      hub.answer = () => ({ body: { balances: [{ asset: "0x00", amount: "-1" }] } });
      const error = await expectCoded(custodial(connect()), "AnswerMalformed");
      expect(error.details).to.deep.include({ operation: "getCustodialBalance" });
      hub.answer = () => ({ status: 404, body: "<html>Not here</html>" });
      await expectCoded(custodial(connect()), "AnswerMalformed");
      hub.answer = () => ({ body: "<html>Welcome</html>" });
      await expectCoded(custodial(connect()), "AnswerMalformed");
    });

    it("says HubUnreachable when nothing was sent", async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      server.close();
      await once(server, "close");
      await expectCoded(connect({ hubUrl: `http://127.0.0.1:${port}` }).call("getConfig", {}), "HubUnreachable");
    });

    for (const [what, answer] of [
      ["no answer comes in time", "silence"],
      ["the connection is cut", "cut"],
      ["a gateway gives up", { status: 502, body: "<html>Bad gateway</html>" }],
      ["it is sent elsewhere", { status: 307, headers: { location: "/api/hub/config" }, body: {} }],
    ] as const) {
      it(`says AnswerUnknown when ${what}`, async () => {
        hub.answer = () => answer;
        const error = await expectCoded(custodial(connect()), "AnswerUnknown");
        expect(error.details).to.deep.include({ operation: "getCustodialBalance" });
        expect(hub.requests).to.have.length(1);
      });
    }

    it("waits as long as a busy hub says, and no longer than an answer may take", async () => {
      let asked = 0;
      hub.answer = () =>
        ++asked < 3
          ? { status: 429, headers: { "retry-after": "0.1" }, body: "slow down" }
          : { body: { balances: [] } };
      await custodial(connect());
      expect(asked).to.equal(3);
      hub.answer = () => ({ status: 429, headers: { "retry-after": "60" }, body: "slow down" });
      const error = await expectCoded(custodial(connect()), "TooManyRequests");
      expect(error.details).to.deep.equal({ retryAfterSeconds: 60 });
      asked = 0;
      hub.answer = () => {
        asked++;
        return { status: 429, headers: { "retry-after": "0.15" }, body: "slow down" };
      };
      await expectCoded(custodial(connect()), "TooManyRequests");
      expect(asked).to.equal(3);
    });
  });

  describe("signs in", () => {
    it("once for all who wait", async () => {
      const connection = connect();
      await Promise.all([custodial(connection), custodial(connection), custodial(connection)]);
      await custodial(connection);
      expect(hub.signIns).to.have.length(1);
    });

    it("again, once, when its session is gone", async () => {
      const connection = connect();
      await custodial(connection);
      hub.tokens.clear();
      await Promise.all([custodial(connection), custodial(connection)]);
      expect(hub.signIns).to.have.length(2);
      hub.answer = () => ({ status: 401, body: { code: "NotSignedIn", message: "No. Why: no. What to do: no." } });
      await expectCoded(custodial(connection), "NotSignedIn");
      expect(hub.signIns).to.have.length(3);
    });

    it("and when that has no answer, what it was for was certainly not asked", async () => {
      hub.challenge = () => "silence";
      const connection = connect();
      await expectCoded(custodial(connection), "HubUnreachable");
      expect(hub.requests).to.deep.equal([]);
      hub.challenge = () => ({ body: { nonce: "abcdefgh12345678", domain: "", expiresAtMs: 1 } });
      await custodial(connection);
    });

    it("W-2: with a text of its own, whatever the hub gives: never with what could be a state", async () => {
      const domain = channelManagerDomain(31337n, `0x${"22".repeat(20)}`);
      const digest = digestOf(domain, hashState(unsignedState(signer.address, 1n, [])));
      hub.challenge = () => ({ body: { nonce: digest.slice(2), domain: "bank.example", expiresAtMs: 1 } });
      await custodial(connect());
      const [{ message, signature } = { message: "", signature: "" }] = hub.signIns;
      const said = parseSignIn(message);
      expect(said.domain).to.equal(new URL(hub.url).host);
      expect(said.uri).to.equal(hub.url);
      expect(said.chainId).to.equal(31337);
      expect(recoverAddress(personalDigest(message), signature as Signature)).to.equal(signer.address);
      expect(recoverAddress(digest, signature as Signature)).not.to.equal(signer.address);
    });

    it("W-2: signs nothing for a nonce that is not a short word", async () => {
      let signed = 0;
      const counting = { ...signer, signText: (text: string) => (signed++, signer.signText(text)) };
      const digest = `0x${"ab".repeat(32)}`;
      for (const nonce of [
        digest,
        "",
        "short",
        "a".repeat(65),
        "12345678\nResources:\n- https://evil.example",
        12345678,
      ]) {
        hub.challenge = () => ({ body: { nonce, domain: "x", expiresAtMs: 1 } });
        await expectCoded(custodial(connect({ signer: counting })), "AnswerMalformed");
      }
      expect(signed).to.equal(0);
    });
  });

  describe("over the socket", () => {
    const heard = (): HubListener & { readonly pushes: SocketPush[]; readonly states: string[] } => {
      const [pushes, states]: [SocketPush[], string[]] = [[], []];
      return {
        pushes,
        states,
        push: (push) => void pushes.push(push),
        connected: () => void states.push("up"),
        disconnected: () => void states.push("down"),
      };
    };
    const collateral = (cursor: number): SocketPush => ({
      topic: "channel",
      cursor: String(cursor),
      data: { kind: "collateral", asset: "0x", amount: String(cursor), status: "sent" },
    });
    const withSocket = { webSocket: WebSocket };

    const subscribed = async (
      overrides: Partial<ConnectionDeps> = {},
      cursor?: bigint,
    ): Promise<{ connection: Connection; listener: ReturnType<typeof heard> }> => {
      const connection = connect({ ...withSocket, ...overrides });
      const listener = heard();
      connection.subscribe(listener, cursor);
      await until("the socket to be up", () => listener.states.at(-1) === "up");
      return { connection, listener };
    };
    const subscriptions = (): unknown[] =>
      hub.frames.filter(({ op }) => op === "subscribe").map(({ input }) => input.cursor);

    it("asks there once it is up, and validates and fails alike", async () => {
      const { connection } = await subscribed();
      hub.answerFrame = () => ({ output: { balances: [] } });
      expect(await custodial(connection)).to.deep.equal({ balances: [] });
      expect(hub.requests).to.deep.equal([]);
      expect(hub.frames.at(-1)).to.deep.equal({ op: "getCustodialBalance", input: user() });
      hub.answerFrame = () => ({ output: RATES });
      await expectCoded(custodial(connection), "AnswerMalformed");
      hub.answerFrame = () => ({
        error: { code: "PayingOneself", message: "No. Why: no. What to do: no.", details: { a: 1 } },
      });
      expect((await expectCoded(custodial(connection), "PayingOneself")).details).to.deep.equal({ a: 1 });
    });

    it("has the token in a frame, never in the address", async () => {
      const urls: string[] = [];
      class Noted extends WebSocket {
        constructor(url: string) {
          super(url);
          urls.push(url);
        }
      }
      await subscribed({ webSocket: Noted });
      expect(urls).to.deep.equal([`${hub.url.replace("http", "ws")}/api/hub/subscribe`]);
      expect(hub.frames[0]).to.deep.equal({ op: "authenticate", input: { token: "token-1" } });
    });

    it("W-7: skips what makes no sense, and a listener that fails, and goes on with the next", async () => {
      const { connection, listener } = await subscribed();
      Object.assign(listener, {
        push: (given: SocketPush) => {
          listener.pushes.push(given);
          if (given.topic === "channel" && given.cursor === "42") throw new Error("the listener is broken");
        },
      });
      hub.push("not JSON");
      hub.push({ topic: "channel", cursor: "-1", data: {} });
      hub.push({ topic: "weather", data: {} });
      hub.push({ id: 1e9, error: null });
      hub.push(null);
      for (const cursor of [41, 42, 43]) hub.push(collateral(cursor));
      await until("the last push", () => listener.pushes.length === 3);
      expect(listener.pushes).to.deep.equal([collateral(41), collateral(42), collateral(43)]);
      expect(logged.filter((line) => /skipped|listener/.test(line))).to.have.length(6);
      expect(logged.join("\n")).to.include("the listener is broken");
      expect(hub.sockets.size).to.equal(1);
      hub.answerFrame = () => ({ output: { balances: [] } });
      await custodial(connection);
    });

    it("connects again and resumes after what it handled last", async () => {
      const { listener } = await subscribed({}, 7n);
      hub.push(collateral(41));
      hub.push(collateral(44));
      await until("the pushes", () => listener.pushes.length === 2);
      hub.sockets.forEach((socket) => socket.terminate());
      await until("the second socket", () => listener.states.join() === "up,down,up");
      expect(subscriptions()).to.deep.equal(["7", "44"]);
    });

    it("without a cursor begins with what is new, and then resumes there", async () => {
      const { listener } = await subscribed();
      hub.sockets.forEach((socket) => socket.terminate());
      await until("the second socket", () => listener.states.join() === "up,down,up");
      expect(subscriptions()).to.deep.equal([undefined, "40"]);
    });

    it("waits longer after each failure, by chance up to twice as long, and never very long", async () => {
      const delaysWith = async (random: number): Promise<readonly number[]> => {
        const delays: number[] = [];
        function Never(): void {
          throw new Error("no sockets here");
        }
        const connection = connect({
          webSocket: Never as never,
          random: () => random,
          schedule: (run, ms) => {
            if (delays.push(ms) < 10) setImmediate(run);
            return () => undefined;
          },
        });
        connection.subscribe(heard());
        await until("ten attempts", () => delays.length === 10);
        return delays;
      };
      expect((await delaysWith(0)).slice(0, 4)).to.deep.equal([100, 200, 400, 800]);
      const longest = await delaysWith(1);
      expect(longest.slice(0, 3)).to.deep.equal([200, 400, 800]);
      expect(longest.slice(7)).to.deep.equal([15_000, 15_000, 15_000]);
    });

    it("says AnswerUnknown for what was asked when the socket is lost", async () => {
      const { connection } = await subscribed();
      hub.answerFrame = () => "silence";
      const asked = custodial(connection);
      await until("the question", () => hub.frames.at(-1)?.op === "getCustodialBalance");
      hub.sockets.forEach((socket) => socket.terminate());
      expect((await expectCoded(asked, "AnswerUnknown")).details).to.deep.include({ operation: "getCustodialBalance" });
    });

    it("gives up a socket that does not answer, and takes another", async () => {
      const { connection, listener } = await subscribed();
      hub.answerFrame = () => "silence";
      await expectCoded(custodial(connection), "AnswerUnknown");
      hub.answerFrame = () => ({ output: { balances: [] } });
      expect(await custodial(connection)).to.deep.equal({ balances: [] });
      await until("another socket", () => listener.states.join() === "up,down,up");
      expect(hub.sockets.size).to.equal(1);
    });

    it("signs in again when its session is gone, and its pushes go on", async () => {
      const { connection, listener } = await subscribed();
      hub.tokens.clear();
      hub.answerFrame = () => ({ output: { balances: [] } });
      expect(await custodial(connection)).to.deep.equal({ balances: [] });
      await until("the second sign-in", () => listener.states.join() === "up,up");
      expect(hub.frames.filter(({ op }) => op === "authenticate").at(-1)?.input).to.deep.equal({ token: "token-2" });
      expect(subscriptions()).to.deep.equal([undefined, "40"]);
      expect(hub.sockets.size).to.equal(1);
    });

    it("renews its session before it ends, unless that would be all the time", async () => {
      const { schedule, delays } = watchedTimers();
      hub.sessionEndsAtMs = 3_600_000;
      const rushed: Schedule = (run, ms) => schedule(run, ms === 3_540_000 && hub.signIns.length < 3 ? 10 : ms);
      const { listener } = await subscribed({ schedule: rushed, now: () => 0 });
      await until("two renewals", () => listener.states.length === 3);
      expect(hub.signIns).to.have.length(3);
      expect(delays).to.include(3_540_000);
      hub.sessionEndsAtMs = 10;
      const slow = watchedTimers();
      await subscribed({ schedule: slow.schedule, now: () => 0 });
      expect(slow.running.size).to.equal(0);
    });

    it("does not come up with a hub that refuses its sign-in, but stays usable and tries again", async () => {
      hub.challenge = () => ({ status: 500, body: { code: "InternalError", message: "No." } });
      const connection = connect(withSocket);
      const listener = heard();
      connection.subscribe(listener);
      await until("a second attempt", () => logged.filter((line) => line.includes("no socket")).length >= 2);
      expect(listener.states).to.deep.equal([]);
      hub.challenge = () => ({ body: { nonce: "abcdefgh12345678", domain: "", expiresAtMs: 1 } });
      await custodial(connection);
      await until("the socket", () => listener.states.join() === "up");
    });
  });

  describe("when it is closed", () => {
    it("leaves no socket and no timer, and ends what was asked", async () => {
      const { schedule, running } = watchedTimers();
      const connection = connect({ webSocket: WebSocket, schedule });
      let isUp = false;
      connection.subscribe({
        push: () => undefined,
        connected: () => void (isUp = true),
        disconnected: () => undefined,
      });
      await until("the socket", () => isUp);
      hub.answerFrame = () => "silence";
      const asked = custodial(connection);
      await until("the question", () => hub.frames.at(-1)?.op === "getCustodialBalance");
      await Promise.all([expectCoded(asked, "AnswerUnknown"), connection.close()]);
      await until("the hub to see it", () => hub.sockets.size === 0);
      expect(running.size).to.equal(0);
      await expectCoded(custodial(connection), "Stopped");
      await connection.close();
      connection.subscribe({ push: () => undefined, connected: () => undefined, disconnected: () => undefined });
      expect(hub.sockets.size).to.equal(0);
    });

    it("ends requests over HTTP and those that wait for their turn", async () => {
      const { schedule, running } = watchedTimers();
      const connection = connect({ schedule, timeoutMs: 60_000 });
      hub.answer = () => "silence";
      const asked = custodial(connection);
      await until("the request", () => hub.requests.length === 1);
      hub.answer = () => ({ status: 429, headers: { "retry-after": "50" }, body: "slow down" });
      const waiting = custodial(connection);
      await until("the pause", () => running.size === 1);
      await Promise.all([expectCoded(asked, "AnswerUnknown"), expectCoded(waiting, "Stopped"), connection.close()]);
      expect(running.size).to.equal(0);
    });

    it("gives up a greeting that is under way", async () => {
      const { schedule, running } = watchedTimers();
      const connection = connect({ webSocket: WebSocket, schedule });
      hub.challenge = () => "silence";
      connection.subscribe({ push: () => undefined, connected: () => undefined, disconnected: () => undefined });
      await until("the socket", () => hub.sockets.size === 1);
      await connection.close();
      await until("the hub to see it", () => hub.sockets.size === 0);
      expect(running.size).to.equal(0);
    });
  });
});
