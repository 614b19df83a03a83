import { expect } from "chai";
import type { Handlers } from "../../../hub/routes/handlers";
import { party } from "../../protocol/fixtures";
import { ADMIN_KEY, ask, openEdge, type Edge } from "../edge";
import type { ApiDocument } from "./document";
import { fuzzApi } from "./fuzz-api";

const SEED = 20_261_127;
const COUNT = 4_000;

describe("the edge under malformed requests", () => {
  let edge: Edge;
  const failures: unknown[] = [];

  before(async () => {
    const answers: Partial<Handlers> = {
      getPaymentHistory: () => Promise.resolve({ payments: [] }),
      getGasPrice: () => Promise.resolve({ maxFeePerGas: "1", maxPriorityFeePerGas: "1", asOfMs: 1 }),
      setDepositsPaused: ({ body }) => Promise.resolve({ paused: body.paused }),
    };
    const log = {
      info: () => undefined,
      warn: () => undefined,
      error: (_: string, cause: unknown) => failures.push(cause),
    };
    edge = await openEdge({ handlers: answers, log });
  });

  after(() => edge.close());

  it(`answers ${COUNT} of them (seed ${SEED}) with no failure of its own`, async () => {
    const { text } = await ask(`${edge.url}/api/hub/docs/json`);
    const user = party(0x33);
    const tokens = [{ token: await edge.signIn(user), address: user.address }, { token: ADMIN_KEY }];
    const document = JSON.parse(text) as ApiDocument;
    const report = await fuzzApi({ baseUrl: edge.url, document, tokens, count: COUNT, seed: SEED });
    expect(failures).to.deep.equal([]);
    expect(report.problems, JSON.stringify(report.byStatus)).to.deep.equal([]);
    expect(report.byStatus[200]).to.be.greaterThan(50);
    expect(report.byStatus[400]).to.be.greaterThan(500);
    expect((await edge.get("/api/hub/auth/status")).status).to.equal(200);
  });
});
