import Fastify, { type FastifyInstance } from "fastify";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { hubError } from "../protocol";
import { answerFor } from "./routes/dispatch";
import { silentLog, type Log } from "./log";

export interface OperatorAppDeps {
  /** Why the hub should get no traffic; empty when it should. */
  readonly notReady: () => readonly string[];
  /** Names, help texts and values of what is measured now. */
  readonly measure: () => Promise<Readonly<Record<string, readonly [help: string, value: number]>>>;
  readonly log?: Log;
}

/** What the operator's machines ask, on a port of its own: `/health/live`, `/health/ready`, `/metrics` (Prometheus). */
export function buildOperatorApp({ notReady, measure, log = silentLog }: OperatorAppDeps): FastifyInstance {
  const app = Fastify({ logger: false, forceCloseConnections: true });
  app.setErrorHandler((error, _request, reply) => {
    const { status, error: body } = answerFor(error, log);
    return reply.status(status).send(body);
  });
  app.setNotFoundHandler(({ method, url }) => {
    throw hubError("RouteUnknown", { route: `${method} ${url.slice(0, 200)}` });
  });
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauges = new Map<string, Gauge>();
  const gaugeOf = (name: string, help: string): Gauge => {
    let gauge = gauges.get(name);
    if (gauge === undefined) gauges.set(name, (gauge = new Gauge({ name, help, registers: [registry] })));
    return gauge;
  };

  app.get("/health/live", () => ({ live: true }));
  app.get("/health/ready", (_request, reply) => {
    const reasons = notReady();
    return reply.status(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons });
  });
  app.get("/metrics", async (_request, reply) => {
    for (const [name, [help, value]] of Object.entries(await measure())) gaugeOf(`hub_${name}`, help).set(value);
    return reply.header("content-type", registry.contentType).send(await registry.metrics());
  });
  app.addHook("onClose", () => registry.clear());
  return app;
}
