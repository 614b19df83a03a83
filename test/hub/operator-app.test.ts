import { expect } from "chai";
import type { FastifyInstance } from "fastify";
import { buildOperatorApp, type OperatorAppDeps } from "../../hub/operator-app";
import { ask } from "./edge";

describe("operator's app", () => {
  const apps: FastifyInstance[] = [];
  let reasons: readonly string[] = [];

  const payments = (count: number) => () => Promise.resolve({ payments: ["Payments", count] as const });
  const listen = async (measure: OperatorAppDeps["measure"] = payments(7)): Promise<string> => {
    const app = buildOperatorApp({ notReady: () => reasons, measure });
    apps.push(app);
    return app.listen({ host: "127.0.0.1", port: 0 });
  };

  afterEach(async () => {
    reasons = [];
    for (const app of apps.splice(0)) await app.close();
  });

  it("is alive as long as it answers", async () => {
    expect((await ask(`${await listen()}/health/live`)).body).to.deep.equal({ live: true });
  });

  it("is ready, or says with 503 why not", async () => {
    const url = await listen();
    expect(await ask(`${url}/health/ready`)).to.include({ status: 200 });
    reasons = ["the newest block seen is 700 s old"];
    const { status, body } = await ask(`${url}/health/ready`);
    expect([status, body]).to.deep.equal([503, { ready: false, reasons }]);
  });

  it("gives Prometheus the process and what the hub measures, two hubs in one process apart", async () => {
    const [one, two] = [await listen(), await listen(payments(8))];
    const { text, headers } = await ask(`${one}/metrics`);
    expect(headers.get("content-type")).to.match(/^text\/plain; version=/);
    expect(text)
      .to.match(/^hub_payments 7$/m)
      .and.match(/^process_cpu_seconds_total/m);
    expect((await ask(`${two}/metrics`)).text).to.match(/^hub_payments 8$/m);
  });

  it("H-11: answers what fails and what is not there with JSON and a code", async () => {
    const url = await listen(() => Promise.reject(new Error("secret reason")));
    const failed = await ask(`${url}/metrics`);
    expect(failed).to.include({ status: 500 });
    expect(failed.body.code).to.equal("InternalError");
    expect(failed.text).to.not.include("secret");
    expect((await ask(`${url}/nothing`)).body.code).to.equal("RouteUnknown");
  });
});
