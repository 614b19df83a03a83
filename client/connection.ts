import {
  formatSignIn,
  OPERATIONS,
  socketPushSchema,
  validate,
  type InputOf,
  type Operation,
  type OperationName,
  type OutputOf,
  type WireError,
} from "../protocol";
import { clientError, errorFromWire, hasCode } from "./errors";
import type { HubConnection, HubListener } from "./hub-connection";
import type { ClientSigner } from "./signer";

/** The part of a WebSocket that is used: a browser's own, Node's, or `ws`. */
export interface Socket {
  readonly readyState: number;
  send(text: string): void;
  close(): void;
  onopen: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
}

export type SocketConstructor = new (url: string) => Socket;

export interface ConnectionDeps {
  /** Where the hub is, without a path: `http://127.0.0.1:3000`. */
  readonly hubUrl: string;
  readonly signer: ClientSigner;
  readonly chainId: () => number;
  readonly webSocket?: SocketConstructor;
  readonly now: () => number;
  readonly random: () => number;
  readonly timeoutMs: number;
  readonly log: (line: string) => void;
}

const OPEN = 1;
const MAX_BACKOFF_MS = 15_000;
const SIGN_IN_MS = 5 * 60_000;

interface Waiting {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** HTTP for what is asked while there is no socket; the socket for everything else. */
export class Connection implements HubConnection {
  readonly #deps: ConnectionDeps;
  readonly #waiting = new Map<number, Waiting>();
  #token: Promise<string> | undefined;
  #socket: Socket | undefined;
  #isReady = false;
  #listener: HubListener | undefined;
  #cursor = 0n;
  #nextId = 0;
  #attempts = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(deps: ConnectionDeps) {
    this.#deps = { ...deps, hubUrl: deps.hubUrl.replace(/\/+$/, "") };
  }

  async call<Name extends OperationName>(name: Name, input: InputOf<Name>): Promise<OutputOf<Name>> {
    const operation: Operation = OPERATIONS[name];
    const given = await this.#ask(name, operation, input as RawInput);
    try {
      return validate(operation.response, given, name) as OutputOf<Name>;
    } catch (error) {
      throw clientError("AnswerMalformed", { operation: name, problem: messageOf(error) }, error);
    }
  }

  subscribe(listener: HubListener, cursor = 0n): void {
    this.#listener = listener;
    this.#cursor = cursor;
    if (this.#deps.webSocket !== undefined) this.#connect();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#failWaiting("the client stopped");
    return Promise.resolve();
  }

  async #ask(name: OperationName, operation: Operation, input: RawInput): Promise<unknown> {
    if (this.#isClosed) throw clientError("Stopped", {});
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#askOnce(name, operation, input);
      } catch (error) {
        if (hasCode(error, "NotSignedIn") && attempt === 0) this.#token = undefined;
        else if (hasCode(error, "TooManyRequests") && attempt < 3) await this.#pause(retryAfterMs(error));
        else throw error;
      }
    }
  }

  async #askOnce(name: OperationName, operation: Operation, input: RawInput): Promise<unknown> {
    if (this.#isReady && this.#socket?.readyState === OPEN) return this.#request(name, input);
    const token = operation.access === "public" ? undefined : await this.#signedIn();
    return this.#fetch(name, operation, input, token);
  }

  /** Signs in once for all who wait. */
  #signedIn(): Promise<string> {
    const token = (this.#token ??= this.#signIn());
    token.catch(() => (this.#token = undefined));
    return token;
  }

  /**
   * The text is built here, for the hub's address as this side knows it; of the hub's there is only a nonce in it. So
   * nothing that a hub could ask to be signed is a state, or a sign-in elsewhere (W-2).
   */
  async #signIn(): Promise<string> {
    const { signer, hubUrl, now, chainId } = this.#deps;
    const body = { address: signer.address };
    const { nonce } = (await this.#fetch("createChallenge", OPERATIONS.createChallenge, { body })) as { nonce: string };
    const message = formatSignIn({
      domain: new URL(hubUrl).host,
      address: signer.address,
      uri: hubUrl,
      chainId: chainId(),
      nonce,
      issuedAt: new Date(now()).toISOString(),
      expirationTime: new Date(now() + SIGN_IN_MS).toISOString(),
    });
    const signature = await signer.signText(message);
    const answer = await this.#fetch("answerChallenge", OPERATIONS.answerChallenge, { body: { message, signature } });
    return validate(OPERATIONS.answerChallenge.response, answer, "answerChallenge").token;
  }

  async #fetch(name: OperationName, operation: Operation, input: RawInput, token?: string): Promise<unknown> {
    const { hubUrl, timeoutMs } = this.#deps;
    const { method } = operation;
    let response: Response;
    try {
      response = await fetch(`${hubUrl}/api/hub${pathOf(operation, input)}`, {
        method,
        headers: {
          ...(method === "POST" ? { "content-type": "application/json" } : {}),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(method === "POST" ? { body: JSON.stringify(input.body ?? {}) } : {}),
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      if (isRefused(error)) throw clientError("HubUnreachable", { url: hubUrl, reason: messageOf(error) }, error);
      throw clientError("AnswerUnknown", { operation: name, reason: messageOf(error) }, error);
    }
    return readAnswer(name, response);
  }

  #connect(): void {
    const { webSocket: Constructor, hubUrl } = this.#deps;
    if (Constructor === undefined || this.#isClosed) return;
    const socket = new Constructor(`${hubUrl.replace(/^http/, "ws")}/api/hub/subscribe`);
    this.#socket = socket;
    socket.onopen = () => void this.#greet(socket);
    socket.onmessage = (event: { data: unknown }) => this.#receive(event.data);
    socket.onerror = () => undefined; // `onclose` follows and says all
    socket.onclose = () => this.#lost(socket);
  }

  async #greet(socket: Socket): Promise<void> {
    try {
      await this.#authenticate();
      const topics = ["channel", "exchange-rates", "gas-price"];
      await this.#request("subscribe", { topics, cursor: this.#cursor.toString() });
      this.#attempts = 0;
      this.#isReady = true;
      this.#listener?.connected();
    } catch (error) {
      this.#deps.log(`the hub's socket could not be used: ${messageOf(error)}`);
      socket.close();
    }
  }

  async #authenticate(): Promise<void> {
    try {
      await this.#request("authenticate", { token: await this.#signedIn() });
    } catch (error) {
      if (!hasCode(error, "NotSignedIn")) throw error;
      this.#token = undefined;
      await this.#request("authenticate", { token: await this.#signedIn() });
    }
  }

  #request(op: string, input: object): Promise<unknown> {
    const id = this.#nextId++;
    const { timeoutMs } = this.#deps;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(clientError("AnswerUnknown", { operation: op, reason: `no answer within ${timeoutMs} ms` }));
      }, timeoutMs);
      const end =
        <Value>(settle: (value: Value) => void) =>
        (value: Value) => {
          clearTimeout(timer);
          this.#waiting.delete(id);
          settle(value);
        };
      this.#waiting.set(id, { resolve: end(resolve), reject: end(reject) });
      try {
        this.#socket?.send(JSON.stringify({ id, op, input }));
      } catch (error) {
        this.#waiting.get(id)?.reject(clientError("AnswerUnknown", { operation: op, reason: messageOf(error) }));
      }
    });
  }

  /** A message that makes no sense, or a listener that fails, hurts itself alone (W-7). */
  #receive(data: unknown): void {
    try {
      const message = JSON.parse(String(data)) as { id?: number; output?: unknown; error?: WireError };
      if (typeof message.id === "number") return this.#settle(message.id, message);
      const push = validate(socketPushSchema, message, "push");
      if (push.topic === "channel" && BigInt(push.cursor) > this.#cursor) this.#cursor = BigInt(push.cursor);
      this.#listener?.push(push);
    } catch (error) {
      this.#deps.log(`a push of the hub was skipped: ${messageOf(error)}`);
    }
  }

  #settle(id: number, { output, error }: { readonly output?: unknown; readonly error?: WireError }): void {
    if (error === undefined) this.#waiting.get(id)?.resolve(output);
    else this.#waiting.get(id)?.reject(errorFromWire(error));
  }

  #lost(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#isReady = false;
    this.#failWaiting("the connection was lost");
    if (this.#isClosed) return;
    this.#listener?.disconnected("the connection was lost");
    const backoffMs = Math.min(MAX_BACKOFF_MS, 200 * 2 ** this.#attempts++) * (0.5 + this.#deps.random() / 2);
    this.#timer = setTimeout(() => this.#connect(), backoffMs);
  }

  #failWaiting(reason: string): void {
    for (const waiting of [...this.#waiting.values()]) {
      waiting.reject(clientError("AnswerUnknown", { operation: "a request", reason }));
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}

interface RawInput {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

function pathOf({ path }: Operation, { params = {}, query = {} }: RawInput): string {
  const filled = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return search === "" ? filled : `${filled}?${search}`;
}

async function readAnswer(name: OperationName, response: Response): Promise<unknown> {
  let body: unknown;
  try {
    body = await response.json();
  } catch (error) {
    const reason = `status ${response.status}: ${messageOf(error)}`;
    throw clientError(
      response.ok ? "AnswerUnknown" : "AnswerMalformed",
      { operation: name, reason, problem: reason },
      error,
    );
  }
  if (response.ok) return body;
  const { code, message, details } = (body ?? {}) as Partial<WireError>;
  if (typeof code === "string" && typeof message === "string") throw errorFromWire({ code, message, details });
  throw clientError("AnswerMalformed", { operation: name, problem: `status ${response.status} without a code` });
}

function retryAfterMs(error: unknown): number {
  const { retryAfterSeconds } = (error as { details: { retryAfterSeconds?: unknown } }).details;
  return Math.min(60, Number(retryAfterSeconds) || 1) * 1000;
}

/** Node says it in `cause.code`; browsers do not say, so there it counts as unknown. */
function isRefused(error: unknown): boolean {
  const cause = (error as { cause?: { code?: unknown; errors?: { code?: unknown }[] } }).cause;
  return [cause?.code, cause?.errors?.[0]?.code].some((code) => code === "ECONNREFUSED" || code === "ENOTFOUND");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
