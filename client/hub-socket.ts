import { socketResponseSchema, validate, type WireError } from "../protocol";
import { clientError, errorFromWire, messageOf } from "./errors";
import type { Schedule } from "./schedule";

/** The part of a WebSocket that is used: a browser's own, Node's, or `ws`. */
interface Socket {
  readonly readyState: number;
  send(text: string): void;
  close(): void;
  onopen: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
}

export type SocketConstructor = new (url: string) => Socket;

export type SocketAsk = (op: string, input: object) => Promise<unknown>;

export interface SocketDeps {
  readonly url: string;
  readonly webSocket: SocketConstructor;
  readonly timeoutMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly schedule: Schedule;
  readonly log: (line: string) => void;
  /** Makes a new socket usable: signs in, subscribes. */
  readonly greet: (ask: SocketAsk) => Promise<void>;
  readonly push: (message: unknown) => void;
  readonly up: () => void;
  readonly down: (reason: string) => void;
}

interface Waiting {
  readonly op: string;
  readonly settle: () => { readonly resolve: (output: unknown) => void; readonly reject: (error: Error) => void };
}

const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 15_000;
const CLOSING_MS = 1_000;

/** One socket after another to one hub, until `close`: connects again by itself, later and later, never all at once. */
export class HubSocket {
  readonly #deps: SocketDeps;
  readonly #waiting = new Map<number, Waiting>();
  #socket: Socket | undefined;
  #isReady = false;
  #isClosed = false;
  #nextId = 0;
  #failures = 0;
  #callOff: () => void = () => undefined;

  constructor(deps: SocketDeps) {
    this.#deps = deps;
    this.#connect();
  }

  /** Whether it can be asked. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** @throws the hub's CodedError, AnswerUnknown */
  ask(op: string, input: object): Promise<unknown> {
    return this.#ask(this.#socket, op, input);
  }

  /** Signs in and subscribes anew, on the same socket. Until that is done it is not ready. */
  greetAgain(): void {
    const socket = this.#socket;
    if (!this.#isReady || socket === undefined) return;
    this.#isReady = false;
    void this.#greet(socket);
  }

  /** Resolves when the socket is closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#isReady = false;
    this.#callOff();
    this.#failWaiting("the client stopped");
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) await this.#closed(socket);
  }

  #connect(): void {
    const { webSocket: Constructor, url, timeoutMs, schedule } = this.#deps;
    let socket: Socket;
    try {
      socket = new Constructor(url);
    } catch (error) {
      this.#again(messageOf(error));
      return;
    }
    this.#socket = socket;
    socket.onopen = () => void this.#greet(socket);
    socket.onmessage = (event: { data: unknown }) => this.#receive(socket, event.data);
    socket.onerror = () => undefined; // `onclose` follows and says all
    socket.onclose = () => this.#lose(socket, "the connection was lost");
    this.#callOff = schedule(() => this.#lose(socket, `no connection within ${timeoutMs} ms`), timeoutMs);
  }

  async #greet(socket: Socket): Promise<void> {
    if (this.#socket !== socket) return;
    this.#callOff(); // it is connected; from here on each question has its own limit
    try {
      await this.#deps.greet((op, input) => this.#ask(socket, op, input));
      if (this.#socket !== socket) return;
      this.#failures = 0;
      this.#isReady = true;
      this.#tell(this.#deps.up);
    } catch (error) {
      this.#lose(socket, messageOf(error));
    }
  }

  #ask(socket: Socket | undefined, op: string, input: object): Promise<unknown> {
    const { timeoutMs, schedule } = this.#deps;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const unknown = (reason: string): Error => clientError("AnswerUnknown", { operation: op, reason });
      if (socket === undefined || socket !== this.#socket) {
        reject(unknown("the connection was lost"));
        return;
      }
      const callOff = schedule(() => this.#lose(socket, `no answer within ${timeoutMs} ms`), timeoutMs);
      const settle = (): { resolve: typeof resolve; reject: typeof reject } => {
        callOff();
        this.#waiting.delete(id);
        return { resolve, reject };
      };
      this.#waiting.set(id, { op, settle });
      try {
        socket.send(JSON.stringify({ id, op, input }));
      } catch (error) {
        settle().reject(unknown(messageOf(error)));
      }
    });
  }

  /** A message that makes no sense hurts itself alone (W-7). */
  #receive(socket: Socket, data: unknown): void {
    if (this.#socket !== socket) return;
    try {
      const message = JSON.parse(String(data)) as unknown;
      if (typeof message === "object" && message !== null && "id" in message) this.#answer(message);
      else this.#deps.push(message);
    } catch (error) {
      this.#deps.log(`a message of the hub was skipped: ${messageOf(error)}`);
    }
  }

  #answer(message: object): void {
    const answer = validate(socketResponseSchema, message, "answer") as {
      readonly id: number;
      readonly output?: unknown;
      readonly error?: WireError;
    };
    const waiting = this.#waiting.get(answer.id)?.settle();
    if (answer.error === undefined) waiting?.resolve(answer.output);
    else waiting?.reject(errorFromWire(answer.error));
  }

  /**
   * A socket that does not answer is given up like one that closed: its other end may be gone without a word, and then it
   * would never close by itself.
   */
  #lose(socket: Socket, reason: string): void {
    if (this.#socket !== socket) return;
    const wasReady = this.#isReady;
    this.#socket = undefined;
    this.#isReady = false;
    this.#callOff();
    end(socket);
    this.#failWaiting(reason);
    if (wasReady) this.#tell(() => this.#deps.down(reason));
    this.#again(reason);
  }

  #again(reason: string): void {
    if (this.#isClosed) return;
    const { random, schedule, log } = this.#deps;
    const longest = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failures++);
    const ms = Math.round(longest * (0.5 + random() / 2));
    log(`no socket to the hub (${reason}); again in ${ms} ms`);
    this.#callOff = schedule(() => this.#connect(), ms);
  }

  #failWaiting(reason: string): void {
    for (const { op, settle } of [...this.#waiting.values()]) {
      settle().reject(clientError("AnswerUnknown", { operation: op, reason }));
    }
  }

  #tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#deps.log(`a listener failed: ${messageOf(error)}`);
    }
  }

  /** Gives the other end a moment to say goodbye. */
  #closed(socket: Socket): Promise<void> {
    return new Promise((resolve) => {
      const callOff = this.#deps.schedule(() => {
        end(socket);
        resolve();
      }, CLOSING_MS);
      socket.onclose = () => {
        callOff();
        resolve();
      };
      socket.close();
    });
  }
}

/** `ws` can end a connection whose other end is gone; others wait for an answer first. */
function end(socket: Socket & { terminate?: () => void }): void {
  if (socket.terminate !== undefined) socket.terminate();
  else socket.close();
}
