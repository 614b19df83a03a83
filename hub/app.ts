import cors from "@fastify/cors";
import rateLimit from "@fastify/rate-limit";
import { createHash, timingSafeEqual } from "node:crypto";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import {
  hubError,
  MAX_REQUEST_BYTES,
  OPERATIONS,
  wireErrorSchema,
  type Operation,
  type OperationName,
} from "../protocol";
import type { HubConfig } from "./config";
import type { Log } from "./log";
import { registerDocs } from "./routes/docs";
import { answerFor, dispatcher, type Dispatch } from "./routes/dispatch";
import { registerEthForwarder, type JsonRpcNode } from "./routes/eth-forwarder";
import type { Caller, Handlers } from "./routes/handlers";
import { parseJson } from "./routes/json";
import { registerRootPage } from "./routes/root-page";
import { registerSocket, type SocketDeps, type Sockets } from "./routes/socket";
import { refuseUnreadable } from "./routes/unreadable";

export interface AppDeps {
  readonly config: Pick<
    HubConfig,
    "corsOrigins" | "adminKey" | "requestsPerMinute" | "chainId" | "channelManager" | "trustedProxies"
  >;
  readonly handlers: Handlers;
  readonly findSession: (token: string) => Promise<{ readonly address: NonNullable<Caller["address"]> } | undefined>;
  readonly node: JsonRpcNode;
  readonly socket: Omit<SocketDeps, "dispatch" | "callerOf" | "countRequest" | "log" | "corsOrigins">;
  readonly hub: string;
  readonly log: Log;
}

const API_PREFIX = "/api/hub";

/** The hub's HTTP side, built and not listening. Closes everything that it opened. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { config, log } = deps;
  const app = Fastify({
    bodyLimit: MAX_REQUEST_BYTES,
    logger: false, // a third of the throughput otherwise
    forceCloseConnections: true,
    trustProxy: config.trustedProxies.length === 0 ? false : [...config.trustedProxies],
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, _request, reply) => void sendError(reply as FastifyReply, asKnown(error), log),
    clientErrorHandler: refuseUnreadable,
    http: { requireHostHeader: false }, // Node's own refusal has no body
  });
  app.server.on("checkExpectation", (request, response) => app.routing(request, response)); // nor has this one
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => {
    try {
      done(null, body.length === 0 ? undefined : parseJson(body));
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook("onRequest", (_request, reply, done) => {
    void reply.headers(SAFE_HEADERS);
    done();
  });
  app.setErrorHandler((error, _request, reply) => sendError(reply, asKnown(error), log));
  app.setNotFoundHandler((request, reply) => {
    return sendError(reply, hubError("RouteUnknown", { route: `${request.method} ${request.url.slice(0, 200)}` }), log);
  });
  // What is validated is validated by the operations themselves, in one place for HTTP and socket.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  // No credentials: a token is sent by who has it, never by a browser on its own.
  if (config.corsOrigins.length > 0) {
    const origin = config.corsOrigins.includes("*") ? "*" : [...config.corsOrigins];
    await app.register(cors, { origin, strictPreflight: false, exposedHeaders: ["retry-after"], maxAge: 600 });
  }
  await app.register(rateLimit, {
    max: config.requestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { ttl }) =>
      hubError("TooManyRequests", { retryAfterSeconds: Math.ceil(ttl / 1000) }),
  });
  const ref: { sockets?: Sockets } = {};
  const dispatch = endingSessions(dispatcher(deps.handlers), ref);
  const callerOf = callerReader(deps);
  const countRequest = requestCounter(app);
  await registerDocs(app);
  registerOperations(app, dispatch, callerOf);
  registerRootPage(app, { ...config, hub: deps.hub });
  await app.register((eth, _options, done) => {
    registerEthForwarder(eth, deps.node, countRequest);
    done();
  });
  const { corsOrigins } = config;
  ref.sockets = registerSocket(app, { ...deps.socket, dispatch, callerOf, countRequest, log, corsOrigins });
  return app;
}

/** For whatever a browser makes of an answer. Pages set what they need beyond it. */
const SAFE_HEADERS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
};

/** Whoever signs out, over HTTP or a socket, does so on every socket of that session. */
function endingSessions(dispatch: Dispatch, ref: { readonly sockets?: Sockets }): Dispatch {
  return async (name, raw, caller) => {
    const output = await dispatch(name, raw, caller);
    if (name === "signOut" && caller.token !== undefined) ref.sockets?.endSession(caller.token);
    return output;
  };
}

/** The count that HTTP requests are in as well, for what does not come as one. */
function requestCounter(app: FastifyInstance): (ip: string) => Promise<void> {
  const limiter = app.createRateLimit();
  return async (ip) => {
    const counted = await limiter({ ip, routeOptions: {} } as FastifyRequest); // all that it looks at
    if (!counted.isAllowed && counted.isExceeded) {
      throw hubError("TooManyRequests", { retryAfterSeconds: counted.ttlInSeconds });
    }
  };
}

function registerOperations(
  app: FastifyInstance,
  dispatch: Dispatch,
  callerOf: (token: string | undefined) => Promise<Caller>,
): void {
  for (const [name, operation] of Object.entries(OPERATIONS) as [OperationName, Operation][]) {
    app.route({
      method: operation.method,
      url: `${API_PREFIX}${operation.path}`,
      schema: documentOf(name, operation),
      handler: async (request, reply) => {
        void reply.header("cache-control", "no-store");
        const caller = await callerOf(bearerOf(request));
        const raw = { params: request.params, query: withNumbers(operation, request.query), body: request.body };
        return dispatch(name, raw, caller);
      },
    });
  }
}

/** Only for the OpenAPI document: nothing is validated or serialized by it. */
function documentOf(name: string, { summary, access, params, query, body, response }: Operation): object {
  return {
    operationId: name,
    summary,
    tags: [access],
    ...(access === "public" ? {} : { security: [{ bearer: [] }] }),
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { querystring: query }),
    ...(body === undefined ? {} : { body }),
    response: { 200: response, "4xx": wireErrorSchema, "5xx": wireErrorSchema },
  };
}

function callerReader({ config, findSession }: AppDeps): (token: string | undefined) => Promise<Caller> {
  const adminKey = digest(config.adminKey);
  return async (token) => {
    if (token === undefined) return { isAdmin: false };
    // In constant time, whatever the lengths; no key fits when none is set.
    if (config.adminKey !== "" && timingSafeEqual(digest(token), adminKey)) return { isAdmin: true };
    const session = await findSession(token);
    return session === undefined ? { isAdmin: false, token } : { isAdmin: false, token, address: session.address };
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,256})$/.exec(headers.authorization ?? "")?.[1];
}

/** A query string carries text; where its schema asks for an integer, digits are one. */
function withNumbers({ query }: Operation, given: unknown): unknown {
  const properties =
    (query as { properties?: Readonly<Record<string, { type?: string }>> } | undefined)?.properties ?? {};
  const entries = Object.entries((given ?? {}) as Record<string, unknown>).map(([name, value]) => {
    const isInteger = properties[name]?.type === "integer" && typeof value === "string" && /^-?\d{1,15}$/.test(value);
    return [name, isInteger ? Number(value) : value];
  });
  return Object.fromEntries(entries);
}

/** What Fastify itself refuses is the client's doing: malformed JSON, too large, a wrong content type. */
function asKnown(error: unknown): unknown {
  const { statusCode, code, message } = error as { statusCode?: number; code?: string; message?: string };
  if (typeof code === "string" && !code.startsWith("FST_")) return error;
  if (statusCode === 413) return hubError("RequestTooLarge", { limitBytes: MAX_REQUEST_BYTES });
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return hubError("MalformedRequest", { reason: (message ?? "it is not HTTP").slice(0, 200) });
  }
  return error;
}

function sendError(reply: FastifyReply, error: unknown, log: Log): FastifyReply {
  const { status, error: body } = answerFor(error, log);
  const retryAfter = (body.details as { retryAfterSeconds?: number } | undefined)?.retryAfterSeconds;
  if (retryAfter !== undefined) void reply.header("retry-after", String(retryAfter));
  return reply.status(status).header("content-type", "application/json; charset=utf-8").send(body);
}
