import {
  OPERATIONS,
  socketPushSchema,
  subscribeOutputSchema,
  TOPICS,
  validate,
  type InputOf,
  type Operation,
  type OperationName,
  type OutputOf,
} from "../protocol";
import { clientError, hasCode, messageOf } from "./errors";
import type { HubConnection, HubListener } from "./hub-connection";
import { askByHttp, type RawInput } from "./hub-http";
import { HubSocket, type SocketAsk, type SocketConstructor } from "./hub-socket";
import { onTimer, type Schedule } from "./schedule";
import { formed, Session } from "./session";
import type { ClientSigner } from "./signer";

export type { SocketConstructor } from "./hub-socket";

export interface ConnectionDeps {
  /** Where the hub is, without a path: `http://127.0.0.1:3000`. */
  readonly hubUrl: string;
  readonly signer: ClientSigner;
  readonly chainId: () => number;
  /** Without one there are no pushes and everything is asked over HTTP. */
  readonly webSocket?: SocketConstructor;
  /** Unix ms. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** How long one answer is waited for, and how long in all a hub that is asked too often. */
  readonly timeoutMs: number;
  readonly log: (line: string) => void;
  /** Default: the platform's timers. */
  readonly schedule?: Schedule;
}

/** The longest time that the platforms' timers take. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A session is renewed this long before its end, so that pushes never stop. */
const RENEW_BEFORE_MS = 60_000;

/** HTTP for what is asked while there is no socket; the socket for everything else. */
export class Connection implements HubConnection {
  readonly #deps: ConnectionDeps & { readonly schedule: Schedule };
  readonly #session: Session;
  readonly #closing = new AbortController();
  #socket: HubSocket | undefined;
  #listener: HubListener | undefined;
  /** After what was handled last; undefined: from now on. */
  #cursor: bigint | undefined;
  #socketToken = "";
  #callOffRenewal: () => void = () => undefined;

  constructor(deps: ConnectionDeps) {
    const hubUrl = deps.hubUrl.replace(/\/+$/, "");
    this.#deps = { schedule: onTimer, ...deps, hubUrl };
    const ask = (name: OperationName, body: object): Promise<unknown> => this.#http(name, OPERATIONS[name], { body });
    this.#session = new Session({ ...this.#deps, ask });
  }

  async call<Name extends OperationName>(name: Name, input: InputOf<Name>): Promise<OutputOf<Name>> {
    const operation: Operation = OPERATIONS[name];
    const given = await this.#ask(name, operation, input as RawInput);
    return formed(name, () => validate(operation.response, given, name)) as OutputOf<Name>;
  }

  subscribe(listener: HubListener, cursor?: bigint): void {
    this.#listener = listener;
    this.#cursor = cursor;
    const { webSocket, hubUrl } = this.#deps;
    if (webSocket === undefined || this.#socket !== undefined || this.#closing.signal.aborted) return;
    this.#socket = new HubSocket({
      ...this.#deps,
      webSocket,
      url: `${hubUrl.replace(/^http/, "ws")}/api/hub/subscribe`,
      greet: (ask) => this.#greet(ask),
      push: (message) => this.#push(message),
      up: () => this.#listener?.connected(),
      down: (reason) => this.#listener?.disconnected(reason),
    });
  }

  /** Resolves when nothing of it is left: no timer, no socket, no request. What was asked ends with AnswerUnknown. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#callOffRenewal();
    await this.#socket?.close();
  }

  /** Signs in again once, and waits where the hub says so, as long as an answer may take in all. */
  async #ask(name: OperationName, operation: Operation, input: RawInput): Promise<unknown> {
    let patienceMs = this.#deps.timeoutMs;
    for (let isFresh = false; ;) {
      if (this.#closing.signal.aborted) throw clientError("Stopped", {});
      try {
        return await this.#askOnce(name, operation, input);
      } catch (error) {
        if (hasCode(error, "NotSignedIn") && !isFresh && operation.access !== "public") {
          isFresh = true;
        } else if (hasCode(error, "TooManyRequests") && retryAfterMs(error) <= patienceMs) {
          patienceMs -= retryAfterMs(error);
          await this.#pause(retryAfterMs(error));
        } else throw error;
      }
    }
  }

  async #askOnce(name: OperationName, operation: Operation, input: RawInput): Promise<unknown> {
    const socket = this.#socket;
    if (socket?.isReady === true) {
      const token = this.#socketToken;
      return this.#forgetting(token, socket.ask(name, input));
    }
    if (operation.access === "public") return this.#http(name, operation, input);
    const { token } = await this.#session.signedIn();
    return this.#forgetting(token, this.#http(name, operation, input, token));
  }

  /** A token that the hub refuses is not used again, and not by the socket either. */
  async #forgetting(token: string, answer: Promise<unknown>): Promise<unknown> {
    try {
      return await answer;
    } catch (error) {
      if (hasCode(error, "NotSignedIn")) {
        await this.#session.forget(token);
        if (token === this.#socketToken) this.#socket?.greetAgain();
      }
      throw error;
    }
  }

  #http(name: OperationName, operation: Operation, input: RawInput, token?: string): Promise<unknown> {
    const { hubUrl, timeoutMs } = this.#deps;
    const { signal } = this.#closing;
    const signedIn = token === undefined ? {} : { token };
    return askByHttp({ hubUrl, name, operation, input, ...signedIn, timeoutMs, signal });
  }

  async #greet(ask: SocketAsk): Promise<void> {
    await this.#authenticate(ask);
    const cursor = this.#cursor === undefined ? {} : { cursor: this.#cursor.toString() };
    const given = await ask("subscribe", { topics: TOPICS, ...cursor });
    const answer = formed("subscribe", () => validate(subscribeOutputSchema, given, "subscribe"));
    this.#cursor ??= BigInt(answer.cursor);
  }

  async #authenticate(ask: SocketAsk): Promise<void> {
    const first = await this.#session.signedIn();
    try {
      await this.#enter(ask, first);
    } catch (error) {
      if (!hasCode(error, "NotSignedIn")) throw error;
      await this.#session.forget(first.token);
      await this.#enter(ask, await this.#session.signedIn());
    }
  }

  async #enter(ask: SocketAsk, { token, expiresAtMs }: { token: string; expiresAtMs: number }): Promise<void> {
    await ask("authenticate", { token });
    this.#socketToken = token;
    const { schedule, now } = this.#deps;
    const inMs = expiresAtMs - now() - RENEW_BEFORE_MS;
    this.#callOffRenewal();
    // Clocks may differ: never often, since a wallet asks its owner each time. Without it the next question finds out.
    if (this.#closing.signal.aborted || inMs < RENEW_BEFORE_MS) return;
    this.#callOffRenewal = schedule(() => void this.#renew(token), Math.min(MAX_TIMER_MS, inMs));
  }

  async #renew(token: string): Promise<void> {
    await this.#session.forget(token);
    if (token === this.#socketToken) this.#socket?.greetAgain();
  }

  /** One that makes no sense, or whose listener fails, is reported and skipped: the next one is not its business (W-7). */
  #push(message: unknown): void {
    const push = validate(socketPushSchema, message, "push");
    try {
      this.#listener?.push(push);
    } catch (error) {
      this.#deps.log(`the listener failed at a push about ${push.topic}: ${messageOf(error)}`);
    }
    if (push.topic !== "channel") return;
    const cursor = BigInt(push.cursor);
    if (this.#cursor === undefined || cursor > this.#cursor) this.#cursor = cursor;
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      const done = (): void => {
        callOff();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const callOff = this.#deps.schedule(done, ms);
      signal.addEventListener("abort", done);
    });
  }
}

function retryAfterMs(error: { readonly details: object }): number {
  const { retryAfterSeconds } = error.details as { retryAfterSeconds?: unknown };
  return Math.max(0.1, Number(retryAfterSeconds) || 1) * 1000;
}
