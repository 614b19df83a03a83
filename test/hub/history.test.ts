import { expect } from "chai";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { SqliteDatabase } from "../../hub/store/sqlite/sqlite-database";
import { hubScene, pay, payAs, type HubScene, type HubUser } from "../support/hub-scene";

/** What was asked of the hub's database while something ran. */
interface Cost {
  statements: number;
  rowsRead: number;
  readonly texts: Set<string>;
}

/** Tables that grow with everything that ever happened. */
const GROWING = [
  ...["updates", "purchases", "payments", "custodial_entries", "custodial_withdrawals", "collateral_reservations"],
  ...["audit", "outbox", "transactions", "transaction_attempts", "chain_events", "quotes", "sessions", "channels"],
];

describe("H-13: the cost of start-up and of a payment does not depend on history", () => {
  let scene: HubScene;
  let payer: HubUser;
  let payee: HubUser;
  before(async () => {
    scene = await hubScene();
    payer = await scene.funded({ user: 100_000n });
    payee = await scene.funded({ hub: 100_000n });
  });
  after(() => scene.close());

  let count = 0;
  const payOnce = async (): Promise<void> => {
    await payer.buy(`p${count++}`, pay(payee, 1n));
    await payee.level();
  };
  const grow = async (payments: number): Promise<void> => {
    for (let i = 0; i < payments; i++) await payOnce();
  };

  /** Channels are loaded when they are first used. */
  const startAndPay = async (): Promise<void> => {
    await scene.restart();
    await payOnce();
  };

  it("by rows read and statements run, with ten times as much history", async () => {
    await grow(15);
    const early = await costOf(payOnce);
    const startedEarly = await costOf(startAndPay);
    await grow(150);
    const late = await costOf(payOnce);
    const startedLate = await costOf(startAndPay);
    // Something on a timer may run meanwhile: a few statements more or less, never ten times as many.
    expect(late.statements).to.be.at.most(early.statements + 40);
    expect(late.rowsRead).to.be.at.most(early.rowsRead + 40);
    expect(startedLate.statements).to.be.at.most(startedEarly.statements + 40);
    expect(startedLate.rowsRead).to.be.at.most(startedEarly.rowsRead + 40);
  });

  it("by the ways of SQLite: nothing on the way of a payment or of a start reads a growing table from end to end", async () => {
    const cost = await costOf(async () => {
      await scene.restart();
      await payOnce();
      await payer.buy(`o${count++}`, payAs("PT_OPTIMISTIC", payee, 1n), payAs("PT_CUSTODIAL", payee, 1n));
      await payee.sync();
      await scene.services.forwarding.endExpired();
      await scene.services.disputes.settleDue();
      await scene.services.chainSync.lookAtExits();
    });
    const db = new DatabaseSync(join(scene.world.folder, "hub.sqlite"), { readOnly: true });
    try {
      const scans = [...cost.texts].flatMap((text) => scansOf(db, text).map((scan) => `${scan}: ${text}`));
      expect(scans).to.deep.equal([]);
      expect(cost.texts.size).to.be.greaterThan(15); // it did look at something
    } finally {
      db.close();
    }
  });
});

/** Steps of a statement's plan that walk through a whole growing table. */
function scansOf(db: InstanceType<typeof DatabaseSync>, text: string): readonly string[] {
  if (!/^\s*(SELECT|UPDATE|DELETE)/i.test(text)) return [];
  if (/\b(signed|seen)\b/.test(text)) return []; // of the signer's record, which has a row a channel
  const plan = db.prepare(`EXPLAIN QUERY PLAN ${text}`).all() as unknown as { readonly detail: string }[];
  return plan
    .map(({ detail }) => detail)
    .filter((detail) => GROWING.some((table) => new RegExp(`^SCAN ${table}$`).test(detail)));
}

/** Counts by standing between: every statement still runs. */
async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const cost: Cost = { statements: 0, rowsRead: 0, texts: new Set() };
  const names = ["get", "all", "run"] as const;
  const originals = names.map((name) => [name, Reflect.get(SqliteDatabase.prototype, name) as Method] as const);
  for (const [name, original] of originals) {
    Reflect.set(SqliteDatabase.prototype, name, function (this: SqliteDatabase, ...given: unknown[]): unknown {
      const result = original.apply(this, given);
      cost.statements++;
      cost.rowsRead += Array.isArray(result) ? result.length : name === "get" && result !== undefined ? 1 : 0;
      cost.texts.add(String(given[name === "run" ? 1 : 0]));
      return result;
    });
  }
  try {
    await work();
  } finally {
    for (const [name, original] of originals) Reflect.set(SqliteDatabase.prototype, name, original);
  }
  return cost;
}

type Method = (this: SqliteDatabase, ...given: unknown[]) => unknown;
