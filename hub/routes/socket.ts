import type { FastifyInstance, FastifyRequest } from "fastify";
import { WebSocketServer } from "ws";
import { hubError, MAX_REQUEST_BYTES, type SocketPush } from "../../protocol";
import type { Log } from "../log";
import type { Messaging } from "../messaging/messaging";
import type { Store } from "../store/store";
import type { Dispatch } from "./dispatch";
import type { Caller } from "./handlers";
import { SocketConnection } from "./socket-connection";
import { acceptUpgrades } from "./upgrade";

export interface SocketDeps {
  readonly dispatch: Dispatch;
  readonly callerOf: (token: string | undefined) => Promise<Caller>;
  /** Counts a request of this network address. @throws TooManyRequests */
  readonly countRequest: (ip: string) => Promise<void>;
  readonly messaging: Messaging;
  readonly store: Pick<Store, "outbox">;
  readonly log: Log;
  readonly corsOrigins: readonly string[];
  /** Public pushes that a new subscriber gets at once. */
  readonly latest: () => readonly SocketPush[];
  readonly limits?: Partial<SocketLimits>;
}

export interface SocketLimits {
  /** A reader that is this far behind is cut off; it resumes from its cursor. */
  readonly bufferedBytes: number;
  /** Requests of one socket that are worked on at a time; more wait in the kernel. */
  readonly inFlight: number;
  /** Between two pings. Who has not answered one by the next is gone. */
  readonly pingMs: number;
  /** Who neither asks anything nor listens to anything for so long is disconnected. */
  readonly idleMs: number;
  readonly perAddress: number;
}

const DEFAULT_LIMITS: SocketLimits = {
  bufferedBytes: 4 * 1024 * 1024,
  inFlight: 256,
  pingMs: 30_000,
  idleMs: 300_000,
  perAddress: 4_096,
};

const SOCKET_PATH = "/api/hub/subscribe";

export interface Sockets {
  /** After a sign-out: sockets of that session are nobody's from now on. */
  endSession(token: string): void;
}

/** `/api/hub/subscribe`: the operations without a connection each, and pushes. */
export function registerSocket(app: FastifyInstance, deps: SocketDeps): Sockets {
  const limits = { ...DEFAULT_LIMITS, ...deps.limits };
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_REQUEST_BYTES, perMessageDeflate: false });
  const connections = new Map<SocketConnection, string>();
  const countOf = (ip: string): number => [...connections.values()].filter((each) => each === ip).length;
  const upgrade = acceptUpgrades(app, server);

  app.get(SOCKET_PATH, { schema: { hide: true } }, (request, reply) => {
    requireAllowedOrigin(request, deps.corsOrigins);
    const { ip } = request;
    if (connections.size >= limits.perAddress && countOf(ip) >= limits.perAddress) {
      throw hubError("TooManyRequests", { retryAfterSeconds: 60 });
    }
    upgrade(request.raw, (websocket) => {
      const connection = new SocketConnection(websocket, ip, deps, limits);
      connections.set(connection, ip);
      websocket.on("close", () => connections.delete(connection));
    });
    return reply.hijack();
  });

  const beat = setInterval(() => {
    for (const connection of connections.keys()) connection.beat();
  }, limits.pingMs);
  beat.unref();
  app.addHook("preClose", (done) => {
    clearInterval(beat);
    for (const connection of connections.keys()) connection.terminate();
    server.close();
    done();
  });
  return {
    endSession: (token) => {
      for (const connection of connections.keys()) connection.endSession(token);
    },
  };
}

/** Browsers name the page they are on; other programs name none. */
function requireAllowedOrigin({ headers }: FastifyRequest, origins: readonly string[]): void {
  const { origin, host } = headers;
  if (origin === undefined || origins.includes(origin) || origins.includes("*")) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw hubError("OriginRefused", { origin: origin.slice(0, 200) });
}
