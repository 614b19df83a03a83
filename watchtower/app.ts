import rateLimit from "@fastify/rate-limit";
import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import type { TSchema } from "typebox";
import {
  hubError,
  MAX_REQUEST_BYTES,
  validate,
  WATCHTOWER_OPERATIONS,
  type WatchtowerOperationName,
} from "../protocol";
import type { WatchtowerConfig } from "./config";
import type { Log } from "./log";
import { answerFor } from "./routes/answers";
import type { Input, TowerHandlers } from "./routes/handlers";

export interface TowerAppDeps {
  readonly config: Pick<WatchtowerConfig, "requestsPerMinute" | "trustedProxies">;
  readonly handlers: TowerHandlers;
  /** Why the tower does not guard right now; empty while it does. */
  readonly notReady: () => readonly string[];
  readonly log: Log;
}

interface Form {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
}

const API_PREFIX = "/api/watchtower";

/** The tower's HTTP side, built and not listening. */
export async function buildTowerApp({ config, handlers, notReady, log }: TowerAppDeps): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: MAX_REQUEST_BYTES,
    logger: false,
    forceCloseConnections: true,
    trustProxy: config.trustedProxies.length === 0 ? false : [...config.trustedProxies],
    frameworkErrors: (error, _request, reply) => void sendError(reply as FastifyReply, error, log),
  });
  app.removeContentTypeParser("text/plain");
  app.addHook("onRequest", (_request, reply, done) => {
    void reply.headers({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
    done();
  });
  app.setErrorHandler((error, _request, reply) => sendError(reply, error, log));
  app.setNotFoundHandler((request, reply) => {
    return sendError(reply, hubError("RouteUnknown", { route: `${request.method} ${request.url.slice(0, 200)}` }), log);
  });
  await app.register(rateLimit, {
    max: config.requestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { ttl }) =>
      hubError("TooManyRequests", { retryAfterSeconds: Math.ceil(ttl / 1000) }),
  });
  registerOperations(app, handlers);
  app.get(`${API_PREFIX}/health`, async (_request, reply) => {
    const problems = notReady();
    return reply.status(problems.length === 0 ? 200 : 503).send({ isReady: problems.length === 0, problems });
  });
  return app;
}

function registerOperations(app: FastifyInstance, handlers: TowerHandlers): void {
  for (const [name, operation] of Object.entries(WATCHTOWER_OPERATIONS) as [WatchtowerOperationName, Form][]) {
    const { method, path, params, query, body } = operation;
    app.route({
      method,
      url: `${API_PREFIX}${path}`,
      handler: async (request) => {
        const input: Input = {
          params: params && validate(params, request.params, "params"),
          query: query && validate(query, request.query, "query"),
          body: body && validate(body, request.body, "body"),
        };
        return handlers[name](input);
      },
    });
  }
}

function sendError(reply: FastifyReply, given: unknown, log: Log): FastifyReply {
  const { status, error } = answerFor(given, log);
  return reply.status(status).header("content-type", "application/json; charset=utf-8").send(error);
}
