import { WebSocket, type RawData } from "ws";
import {
  authenticateInputSchema,
  hubError,
  OPERATIONS,
  protocolError,
  socketRequestSchema,
  subscribeInputSchema,
  UNREADABLE_ID,
  validate,
  type OperationName,
  type SocketPush,
  type SocketRequest,
} from "../../protocol";
import { ChannelFeed } from "./channel-feed";
import { answerFor, type RawInput } from "./dispatch";
import type { Caller } from "./handlers";
import { parseJson } from "./json";
import type { SocketDeps, SocketLimits } from "./socket";

const NOBODY: Caller = { isAdmin: false };

/** Closing codes of RFC 6455 section 7.4.1. */
const GOING_AWAY = 1001;

/** One WebSocket: its requests, whose it is, and what it listens to. */
export class SocketConnection {
  readonly #socket: WebSocket;
  readonly #ip: string;
  readonly #deps: SocketDeps;
  readonly #limits: SocketLimits;
  #caller: Caller = NOBODY;
  /** Settles when the sign-in that is under way has; what came after it waits. */
  #signingIn: Promise<void> = Promise.resolve();
  #topics: ReadonlySet<string> = new Set();
  #feed: ChannelFeed | undefined;
  #unsubscribe: (() => void) | undefined;
  #inFlight = 0;
  #isAlive = true;
  #quietMs = 0;

  constructor(socket: WebSocket, ip: string, deps: SocketDeps, limits: SocketLimits) {
    this.#socket = socket;
    this.#ip = ip;
    this.#deps = deps;
    this.#limits = limits;
    socket.on("message", (data, isBinary) => void this.#receive(data, isBinary));
    socket.on("pong", () => (this.#isAlive = true));
    socket.on("error", () => socket.terminate());
    socket.on("close", () => this.#endSubscription());
  }

  /** Once per ping interval: cuts off who is gone or idle, and asks the others whether they are there. */
  beat(): void {
    if (!this.#isAlive) {
      this.#socket.terminate();
      return;
    }
    this.#isAlive = false;
    this.#socket.ping();
    this.#quietMs = this.#unsubscribe === undefined ? this.#quietMs + this.#limits.pingMs : 0;
    if (this.#quietMs > this.#limits.idleMs) {
      this.#socket.close(GOING_AWAY, "idle");
      return;
    }
    void this.#requireSession();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  endSession(token: string): void {
    if (this.#caller.token !== token) return;
    this.#caller = NOBODY;
    this.#endSubscription();
  }

  async #receive(data: RawData, isBinary: boolean): Promise<void> {
    this.#quietMs = 0;
    if (++this.#inFlight >= this.#limits.inFlight) this.#socket.pause();
    let id = UNREADABLE_ID;
    try {
      const read = readMessage(data, isBinary);
      id = idOf(read.given);
      await this.#deps.countRequest(this.#ip); // readable or not
      if (read.error !== undefined) throw read.error;
      const output = await this.#answer(validate(socketRequestSchema, read.given, "request"));
      this.#send(JSON.stringify({ id, output }));
    } catch (error) {
      this.#send(JSON.stringify({ id, error: answerFor(error, this.#deps.log).error }));
    } finally {
      if (--this.#inFlight < this.#limits.inFlight && this.#socket.isPaused) this.#socket.resume();
    }
  }

  async #answer({ op, input }: SocketRequest): Promise<unknown> {
    if (op === "authenticate") return this.#authenticate(validate(authenticateInputSchema, input, "input").token);
    await this.#signingIn;
    if (op === "subscribe") return this.#subscribe(validate(subscribeInputSchema, input, "input"));
    if (!Object.hasOwn(OPERATIONS, op)) {
      const expected = "authenticate, subscribe or an operation";
      throw protocolError("InvalidValue", { path: "op", expected, given: op });
    }
    return this.#deps.dispatch(op as OperationName, rawInput(input), this.#caller);
  }

  async #authenticate(token: string): Promise<object> {
    const found = this.#signingIn.then(() => this.#deps.callerOf(token));
    this.#signingIn = found.then((caller) => this.#become(caller)).catch(() => undefined);
    const caller = await found;
    if (!isSomebody(caller)) throw hubError("NotSignedIn", {});
    await this.#signingIn;
    return { signedIn: true };
  }

  #become(caller: Caller): void {
    if (!isSomebody(caller)) return;
    this.#endSubscription(); // it belongs to who made it
    this.#caller = caller;
  }

  /** Sessions end by themselves, and perhaps in another process. */
  async #requireSession(): Promise<void> {
    const { token } = this.#caller;
    if (token === undefined) return;
    const now = await this.#deps.callerOf(token).catch(() => undefined);
    if (now !== undefined && now.address === undefined) this.endSession(token);
  }

  async #subscribe({ topics, cursor }: { topics: readonly string[]; cursor?: string }): Promise<object> {
    const { address } = this.#caller;
    const { messaging, store, log, latest } = this.#deps;
    const isOwn = topics.includes("channel");
    if (isOwn && address === undefined) throw hubError("NotSignedIn", {});
    this.#endSubscription();
    const start = cursor === undefined ? await store.outbox.newestCursor() : BigInt(cursor);
    const output = { subscribed: [...new Set(topics)], cursor: start.toString() };
    if (this.#caller.address !== address || this.#socket.readyState !== WebSocket.OPEN) return output;
    this.#endSubscription(); // of a request that overtook this one
    this.#topics = new Set(topics);
    const feed =
      isOwn && address !== undefined
        ? new ChannelFeed(address, start, store.outbox, (text) => this.#sendAndWait(text), log)
        : undefined;
    this.#feed = feed;
    this.#unsubscribe = messaging.subscribe({
      ...(feed === undefined ? {} : { user: feed.user }),
      ofUser: (message) => (message.kind === "push" ? this.#send(feed?.frameOf(message.event) ?? "") : feed?.wake()),
      ofTopic: (push) => this.#ofTopic(push),
    });
    for (const push of latest()) this.#ofTopic(push);
    feed?.wake();
    return output;
  }

  #endSubscription(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#feed?.close();
    this.#feed = undefined;
    this.#topics = new Set();
  }

  #ofTopic(push: SocketPush): void {
    if (push.topic !== "channel" && this.#topics.has(push.topic)) this.#send(JSON.stringify(push));
  }

  #send(text: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#socket.bufferedAmount > this.#limits.bufferedBytes) {
      this.#socket.terminate();
      return;
    }
    this.#socket.send(text);
  }

  /** Resolves when the frame is with the kernel: what a slow reader has not taken stays on disk. */
  #sendAndWait(text: string): Promise<void> {
    if (this.#socket.readyState !== WebSocket.OPEN) return Promise.resolve();
    return new Promise((resolve) => this.#socket.send(text, () => resolve()));
  }
}

function isSomebody(caller: Caller): boolean {
  return caller.address !== undefined || caller.isAdmin;
}

function readMessage(data: RawData, isBinary: boolean): { readonly given?: unknown; readonly error?: Error } {
  if (isBinary) return { error: hubError("MalformedRequest", { reason: "a message is JSON text" }) };
  try {
    return { given: parseJson((data as Buffer).toString("utf8")) };
  } catch (error) {
    return { error: error as Error };
  }
}

/** Of whatever else is wrong with a message, its sender should learn by its id. */
function idOf(given: unknown): number {
  const { id } = (given ?? {}) as { id?: unknown };
  return typeof id === "number" && Number.isSafeInteger(id) && id >= 0 ? id : UNREADABLE_ID;
}

function rawInput(input: unknown): RawInput {
  return typeof input === "object" && input !== null ? input : {};
}
