import { expect } from "chai";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import type { EdgeOptions } from "../edge";
import type { Handlers } from "../../../hub/routes/handlers";
import { MAX_REQUEST_BYTES, socketPushSchema, validate, type Address } from "../../../protocol";
import { party } from "../../protocol/fixtures";
import { openEdge, type TestSocket, type Edge } from "../edge";

const ALICE = party(0x11);
const BOB = party(0x22);
const payment = (amount: number) => ({ kind: "payment", payment: { amount: String(amount) } }) as const;

describe("socket at /api/hub/subscribe", () => {
  let edge: Edge;
  let running = 0;
  let mostRunning = 0;

  const handlers: Partial<Handlers> = {
    getPaymentHistory: () => Promise.resolve({ payments: [] }),
    getExchangeRates: async () => {
      mostRunning = Math.max(mostRunning, ++running);
      await sleep(50);
      running--;
      return { rates: [], asOfMs: 1 };
    },
    getGasPrice: () => Promise.reject(new Error("secret")),
  };
  const reopen = async (options: EdgeOptions): Promise<void> => {
    await edge.close();
    edge = await openEdge({ handlers, ...options });
  };

  beforeEach(async () => (edge = await openEdge({ handlers })));
  afterEach(() => edge.close());

  const signedIn = async (who = ALICE): Promise<TestSocket> => {
    const socket = await edge.connect();
    expect(await socket.ask("authenticate", { token: await edge.signIn(who) })).to.include.keys("output");
    return socket;
  };
  const subscribed = async (who = ALICE, cursor?: string): Promise<TestSocket> => {
    const socket = await signedIn(who);
    await socket.ask("subscribe", { topics: ["channel"], ...(cursor === undefined ? {} : { cursor }) });
    return socket;
  };
  const keep = (user: Address, ...amounts: readonly number[]): Promise<void> =>
    edge.store.database.write((tx) => {
      for (const amount of amounts) edge.pushes.keep(tx, user, payment(amount));
    });
  const keepAndFlush = async (user: Address, ...amounts: readonly number[]): Promise<void> => {
    await keep(user, ...amounts);
    edge.pushes.flush(user);
  };
  const amountsOf = (pushes: readonly Readonly<Record<string, unknown>>[]): readonly unknown[] =>
    pushes.map(({ data }) => (data as { payment?: { amount: string } }).payment?.amount);
  const codeOf = (answer: Readonly<Record<string, unknown>>): unknown =>
    (answer.error as { code?: string } | undefined)?.code;

  describe("requests", () => {
    const history = { params: { user: ALICE.address }, query: { limit: 5 } };

    it("answers them by id, out of order where one takes longer", async () => {
      const socket = await signedIn();
      const order: string[] = [];
      const slow = socket.ask("getExchangeRates").then(() => order.push("slow"));
      const fast = socket.ask("getPaymentHistory", history).then(() => order.push("fast"));
      await Promise.all([slow, fast]);
      expect(order).to.deep.equal(["fast", "slow"]);
    });

    it("lets what follows a sign-in wait for it", async () => {
      const socket = await edge.connect();
      const token = await edge.signIn(ALICE);
      const [, answer] = await Promise.all([
        socket.ask("authenticate", { token }),
        socket.ask("getPaymentHistory", history),
      ]);
      expect(answer).to.have.property("output");
    });

    it("refuses them with the codes of HTTP", async () => {
      const socket = await signedIn();
      expect(codeOf(await socket.ask("getPaymentHistory", { params: { user: BOB.address } }))).to.equal("NotYours");
      expect(codeOf(await socket.ask("getStatus"))).to.equal("NotAdmin");
      expect(codeOf(await socket.ask("getPaymentHistory", { ...history, query: { limit: "5" } }))).to.equal(
        "InvalidValue",
      );
      expect(codeOf(await socket.ask("authenticate", { token: "nobody's" }))).to.equal("NotSignedIn");
      const failed = await socket.ask("getGasPrice");
      expect(codeOf(failed)).to.equal("InternalError");
      expect(JSON.stringify(failed)).to.not.include("secret");
    });

    it("refuses what is no request, with its id where it has one", async () => {
      const socket = await edge.connect();
      for (const message of ["{", "", "null", "[]", '{"op":"getConfig"}', '{"id":-5,"op":"x"}', Buffer.from("{}")]) {
        expect(codeOf(await socket.raw(message))).to.be.oneOf(["MalformedRequest", "InvalidValue"]);
      }
      for (const op of ["__proto__", "constructor", "toString", "nothing", ""]) {
        expect(codeOf(await socket.ask(op)), op).to.equal("InvalidValue");
      }
      expect(codeOf(await socket.raw('{"id":5,"op":"signOut","more":1}', 5))).to.equal("InvalidValue");
      expect(codeOf(await socket.raw('{"id":6,"op":"signOut","input":{"__proto__":{}}}'))).to.equal("MalformedRequest");
    });

    it("closes for what is too large, or no text", async () => {
      const [large, garbled] = [await edge.connect(), await edge.connect()];
      large.socket.send("x".repeat(MAX_REQUEST_BYTES + 1));
      garbled.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
      expect([await large.closed(), await garbled.closed()]).to.deep.equal([1009, 1007]);
    });

    it("works on a limited number at a time; the others wait", async () => {
      await reopen({ limits: { inFlight: 4 } });
      mostRunning = 0;
      const socket = await edge.connect();
      const asked: Promise<unknown>[] = [];
      for (let i = 0; i < 40; i++) {
        asked.push(socket.ask("getExchangeRates"));
        await sleep(2);
      }
      await Promise.all(asked);
      expect(mostRunning).to.be.within(4, 8); // what the kernel had already handed over is worked on as well
    });

    it("counts together with HTTP", async () => {
      await reopen({ config: { requestsPerMinute: 4 } });
      const socket = await edge.connect(); // the first
      await edge.get("/api/hub/auth/status");
      expect(await socket.ask("getAuthStatus")).to.have.property("output");
      expect(await socket.ask("getAuthStatus")).to.have.property("output");
      expect(codeOf(await socket.ask("getAuthStatus"))).to.equal("TooManyRequests");
      expect((await edge.get("/api/hub/auth/status")).status).to.equal(429);
    });

    it("ends with the session, wherever it is signed out", async () => {
      const socket = await edge.connect();
      const token = await edge.signIn(ALICE);
      await socket.ask("authenticate", { token });
      await socket.ask("subscribe", { topics: ["channel"] });
      expect(edge.messaging.isConnected(ALICE.address)).to.be.true;
      await edge.post("/api/hub/auth/sign-out", {}, token);
      expect(edge.messaging.isConnected(ALICE.address)).to.be.false;
      expect(codeOf(await socket.ask("getPaymentHistory", history))).to.equal("NotSignedIn");
    });

    it("ends with the session when that expires", async () => {
      await reopen({ limits: { pingMs: 20 } });
      const socket = await subscribed();
      edge.clock.nowMs += 25 * 3_600_000;
      while (edge.messaging.isConnected(ALICE.address)) await sleep(5);
      expect(codeOf(await socket.ask("getPaymentHistory", history))).to.equal("NotSignedIn");
    });
  });

  describe("pushes of the own channel", () => {
    it("need a sign-in", async () => {
      const socket = await edge.connect();
      expect(codeOf(await socket.ask("subscribe", { topics: ["channel"] }))).to.equal("NotSignedIn");
    });

    it("come to every socket of the user and to nobody else", async () => {
      const [one, two, other] = [await subscribed(), await subscribed(), await subscribed(BOB)];
      await keepAndFlush(ALICE.address, 1);
      for (const socket of [one, two]) expect(amountsOf(await socket.received(1))).to.deep.equal(["1"]);
      await keepAndFlush(BOB.address, 2);
      expect(amountsOf(await other.received(1))).to.deep.equal(["2"]);
      for (const push of one.pushes) validate(socketPushSchema, push, "push");
    });

    it("come after their commit, once, and in order, however they are told of", async () => {
      const socket = await subscribed();
      edge.pushes.flush(ALICE.address);
      await keep(ALICE.address, 1, 2);
      edge.pushes.flush(ALICE.address);
      edge.pushes.flush(ALICE.address);
      await keepAndFlush(ALICE.address, 3);
      expect(amountsOf(await socket.received(3))).to.deep.equal(["1", "2", "3"]);
      await sleep(20);
      expect(socket.pushes).to.have.length(3);
    });

    it("resume after the cursor that was handled last", async () => {
      const socket = await subscribed();
      await keepAndFlush(ALICE.address, 1, 2, 3);
      const { cursor } = (await socket.received(3))[1]!;
      socket.close();
      await keep(ALICE.address, 4); // while nobody listens
      const again = await subscribed(ALICE, cursor as string);
      expect(amountsOf(await again.received(2))).to.deep.equal(["3", "4"]);
    });

    it("begin with what is new where there is no cursor, and the answer says where that is", async () => {
      await keep(ALICE.address, 1);
      const socket = await signedIn();
      const { output } = await socket.ask("subscribe", { topics: ["channel"] });
      expect(output).to.deep.equal({ subscribed: ["channel"], cursor: "1" });
      await keepAndFlush(ALICE.address, 2);
      expect(amountsOf(await socket.received(1))).to.deep.equal(["2"]);
    });

    it("take a cursor above everything for what it is", async () => {
      const socket = await subscribed(ALICE, "18446744073709551615");
      await keepAndFlush(ALICE.address, 1);
      expect(await socket.ask("getAuthStatus")).to.have.property("output");
      expect(socket.pushes).to.deep.equal([]);
    });

    it("carry the cursor of what came before, where they are not kept", async () => {
      const socket = await subscribed();
      await keepAndFlush(ALICE.address, 1);
      await socket.received(1);
      edge.pushes.tell(ALICE.address, { kind: "collateral", asset: "0x", amount: "5", status: "sent" });
      const [first, second] = await socket.received(2);
      expect(second).to.deep.include({ topic: "channel", cursor: first!.cursor });
      edge.pushes.tell(BOB.address, payment(9)); // to nobody: nothing is kept of it
    });

    it("lose and double none while many are kept and the socket is new each time", async () => {
      let cursor = "0";
      const seen: unknown[] = [];
      const writing = (async () => {
        for (let i = 1; i <= 300; i++) await keepAndFlush(ALICE.address, i);
      })();
      while (seen.length < 300) {
        const socket = await subscribed(ALICE, cursor);
        await Promise.race([socket.received(20), sleep(50)]);
        socket.close();
        const pushes = [...socket.pushes];
        seen.push(...amountsOf(pushes));
        cursor = (pushes.at(-1)?.cursor as string | undefined) ?? cursor;
      }
      await writing;
      expect(seen).to.deep.equal(Array.from({ length: 300 }, (_, i) => String(i + 1)));
    });

    it("say whether anybody listens", async () => {
      expect(edge.pushes.isConnected(ALICE.address)).to.be.false;
      const socket = await subscribed();
      expect(edge.pushes.isConnected(ALICE.address)).to.be.true;
      await socket.ask("subscribe", { topics: ["gas-price"] });
      expect(edge.pushes.isConnected(ALICE.address)).to.be.false;
      const another = await subscribed();
      another.close();
      while (edge.pushes.isConnected(ALICE.address)) await sleep(5);
    });
  });

  it("pushes public topics to who asked for them, the newest at once", async () => {
    const [rates, gas] = [await edge.connect(), await edge.connect()];
    await rates.ask("subscribe", { topics: ["exchange-rates"] });
    await gas.ask("subscribe", { topics: ["gas-price"] });
    edge.messaging.publish({ topic: "exchange-rates", data: { rates: [] } });
    expect(await gas.received(1)).to.deep.equal([{ topic: "gas-price", data: { maxFeePerGas: "7" } }]);
    expect(await rates.received(1)).to.deep.equal([{ topic: "exchange-rates", data: { rates: [] } }]);
  });

  describe("disconnects", () => {
    it("a reader that does not keep up", async () => {
      await reopen({ limits: { bufferedBytes: 64 * 1024 } });
      const [slow, quick] = [await edge.connect(), await edge.connect()];
      for (const socket of [slow, quick]) await socket.ask("subscribe", { topics: ["exchange-rates"] });
      slow.socket.pause();
      const data = { padding: "x".repeat(64 * 1024) };
      for (let i = 0; i < 200; i++) {
        edge.messaging.publish({ topic: "exchange-rates", data });
        await sleep(1);
      }
      slow.socket.resume();
      await slow.closed();
      expect(slow.pushes.length).to.be.lessThan(200);
      expect(await quick.received(200)).to.have.length(200);
    });

    it("who does not answer pings", async () => {
      await reopen({ limits: { pingMs: 30 } });
      const [silent, answering] = [await edge.connect(), await edge.connect()];
      silent.socket.pong = () => undefined;
      (silent.socket as unknown as { _autoPong: boolean })._autoPong = false;
      await answering.ask("subscribe", { topics: ["gas-price"] });
      await silent.closed();
      expect(answering.socket.readyState).to.equal(WebSocket.OPEN);
    });

    it("who neither asks nor listens", async () => {
      await reopen({ limits: { pingMs: 20, idleMs: 50 } });
      const [idle, listening] = [await edge.connect(), await edge.connect()];
      await listening.ask("subscribe", { topics: ["gas-price"] });
      expect(await idle.closed()).to.equal(1001);
      expect(listening.socket.readyState).to.equal(WebSocket.OPEN);
    });
  });

  describe("lets in", () => {
    const openFrom = async (origin: string): Promise<number> => {
      const socket = new WebSocket(`${edge.url.replace("http", "ws")}/api/hub/subscribe`, { origin });
      socket.on("error", () => undefined);
      const status = await Promise.race([
        once(socket, "open").then(() => 101),
        once(socket, "unexpected-response").then(([, response]) => (response as { statusCode: number }).statusCode),
      ]);
      socket.terminate();
      return status;
    };

    it("pages of its own and of listed origins", async () => {
      await reopen({ config: { corsOrigins: ["https://shop.example"] } });
      expect(await openFrom(edge.url)).to.equal(101);
      expect(await openFrom("https://shop.example")).to.equal(101);
      expect(await openFrom("https://evil.example")).to.equal(403);
      expect(await openFrom("null")).to.equal(403);
    });

    it("a limited number from one address", async () => {
      await reopen({ limits: { perAddress: 2 } });
      await edge.connect();
      await edge.connect();
      expect(await openFrom(edge.url)).to.equal(429);
    });
  });
});
