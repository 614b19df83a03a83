import { once } from "node:events";
import { WebSocket } from "ws";
import type { ApiOperation } from "./document";
import type { FuzzToken } from "./http-requests";
import type { Random } from "./random";
import { sampleOf, type Schema } from "./sample";
import { spoil } from "./spoil";

/** A message for the socket, with something wrong in it more often than not. */
export function messageOf(operation: ApiOperation, tokens: readonly FuzzToken[], random: Random): string | Buffer {
  const addresses = tokens.flatMap(({ address }) => (address === undefined ? [] : [address]));
  const sample = (schema: Schema): unknown => sampleOf(schema, random, addresses);
  const all = (schemas: Readonly<Record<string, Schema>>): object =>
    Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, sample(schema)]));
  const body = operation.body === undefined ? {} : { body: sample(operation.body) };
  const input = { params: all(operation.params), query: all(operation.query), ...body };
  const ask = { id: random.below(1_000_000), op: operation.name, input };
  const own = random.pick<object>([
    { ...ask, op: "authenticate", input: { token: random.pick([...tokens, { token: "nobody's" }]).token } },
    { ...ask, op: "subscribe", input: { topics: ["channel", "gas-price"], cursor: "18446744073709551615" } },
    { ...ask, op: "subscribe", input: { topics: ["exchange-rates"] } },
    { ...ask, op: random.pick(["__proto__", "constructor", "toString", "", "x".repeat(500)]) },
  ]);
  const message = random.chance(0.1) ? own : ask;
  if (random.chance(0.01)) return Buffer.from(JSON.stringify(message));
  return random.chance(0.3) ? JSON.stringify(message) : spoil(message, random);
}

export interface SocketAnswer {
  /** The code of the error; "ok"; "closed" when the connection was. */
  readonly code: string;
  readonly text: string;
}

/** A connection that takes one message after the other, and is made again when the hub closes it. */
export class FuzzSocket {
  readonly #url: string;
  #socket: WebSocket | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** Rejects when no answer comes in time. */
  async ask(message: string | Buffer): Promise<SocketAnswer> {
    const socket = await this.#open();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => end(() => reject(new Error("no answer within 10 s"))), 10_000);
      const onMessage = (data: Buffer): void => {
        const text = data.toString();
        const answer = JSON.parse(text) as { id?: number; error?: { code: string } };
        if (answer.id !== undefined) end(() => resolve({ code: answer.error?.code ?? "ok", text }));
      };
      const onClose = (): void => end(() => resolve({ code: "closed", text: "" }));
      const end = (then: () => void): void => {
        clearTimeout(timer);
        socket.off("message", onMessage).off("close", onClose);
        then();
      };
      socket.on("message", onMessage).on("close", onClose);
      socket.send(message, { binary: typeof message !== "string" });
    });
  }

  close(): void {
    this.#socket?.terminate();
  }

  async #open(): Promise<WebSocket> {
    if (this.#socket?.readyState === WebSocket.OPEN) return this.#socket;
    const socket = new WebSocket(this.#url);
    socket.on("error", () => undefined); // it closes as well
    await once(socket, "open");
    return (this.#socket = socket);
  }
}
