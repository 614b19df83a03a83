import { expect } from "chai";
import { DatabaseSync } from "@photostructure/sqlite";
import { join } from "node:path";
import { Wallet } from "ethers";
import { ZERO_ADDRESS } from "../../../protocol";
import { developmentKey, hubWorld, type HubWorld } from "../../support/hub";
import { signInToken } from "../../support/sign-in-token";
import type { ApiDocument } from "./document";
import { fuzzApi } from "./fuzz-api";

/**
 * The whole hub, with money in it, under malformed requests: `npm run fuzz:api`, by default 50,000 of them.
 * FUZZ_COUNT and FUZZ_SEED change that; the seed is printed.
 */
const COUNT = Number(process.env.FUZZ_COUNT ?? 50_000);
const SEED = Number(process.env.FUZZ_SEED ?? 20261127);
const ETHER = 10n ** 18n;

/** Tables that say what is whose; sessions, quotes and the audit log may change. */
const MONEY = [
  "channels",
  "updates",
  "payments",
  "purchases",
  "custodial_entries",
  "custodial_balances",
  "custodial_withdrawals",
];

function moneyOf(world: HubWorld): string {
  const db = new DatabaseSync(join(world.folder, "hub.sqlite"), { readOnly: true });
  try {
    return JSON.stringify(
      MONEY.map((table) => [table, db.prepare(`SELECT * FROM ${table}`).all()]),
      (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value),
    );
  } finally {
    db.close();
  }
}

describe("the whole hub under malformed requests", () => {
  let world: HubWorld;
  before(async () => {
    world = await hubWorld({ config: { requestsPerMinute: 1_000_000_000 } });
  });
  after(() => world.close());

  it(`answers ${COUNT} of them (seed ${SEED}) without a 5xx and without moving money`, async function () {
    this.timeout(600_000);
    const alice = await world.client(3);
    await alice.deposit({ amountWei: 10n * ETHER });
    await alice.buy({
      payments: [{ type: "PT_CUSTODIAL", recipient: world.bob.address, asset: ZERO_ADDRESS, amount: ETHER }],
    });
    await alice.createLink({ amountWei: ETHER });
    await alice.stop();

    const tokens = await Promise.all(
      [3, 4].map(async (index) => {
        const key = developmentKey(index);
        return { token: await signInToken(world.hubUrl, key, world.config.chainId), address: new Wallet(key).address };
      }),
    );
    const document = (await (await fetch(`${world.hubUrl}/api/hub/docs/json`)).json()) as ApiDocument;
    const before = moneyOf(world);
    const report = await fuzzApi({ baseUrl: world.hubUrl, document, tokens, count: COUNT, seed: SEED });
    console.log(`      sent ${report.sent}, by status ${JSON.stringify(report.byStatus)}`);
    expect(report.problems).to.deep.equal([]);
    expect(moneyOf(world)).to.equal(before);

    const again = await world.client(3);
    expect(again.balanceOf()).to.equal(8n * ETHER);
  });
});
