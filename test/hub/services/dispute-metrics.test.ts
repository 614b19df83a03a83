import { expect } from "chai";
import { disputeMetrics, type Metrics } from "../../../hub/services/dispute-metrics";
import { PERIOD } from "../../support/world";
import { hubWorld, until, type HubWorld } from "../../support/hub";

const ETHER = 10n ** 18n;

describe("metrics of disputes", () => {
  let world: HubWorld;
  before(async () => {
    world = await hubWorld({ config: { disputeWorthPercent: 1_000_000_000 } }); // it counts, and does not answer
  });
  after(() => world.close());

  const measure = (shiftMs = 0): Promise<Metrics> => {
    const { services } = world.hubServer;
    const clock = { now: () => services.clock.now() + shiftMs };
    return disputeMetrics({ ...services, clock, challengePeriodSeconds: PERIOD })();
  };
  const value = (metrics: Metrics, name: string): number | undefined => metrics[name]?.[1];

  it("has nothing to tell where nobody leaves", async () => {
    const metrics = await measure();
    expect(value(metrics, "dispute_exits_waiting")).to.equal(0);
    expect(value(metrics, "dispute_seconds_to_deadline")).to.equal(-1);
  });

  it("counts an exit by what becomes of it, with what the hub may lose", async () => {
    const alice = await world.client(3);
    await alice.deposit({ amountWei: (2n * ETHER).toString() });
    const old = alice.exportEvidence().doubleSigned!;
    await alice.buy({
      payments: [{ type: "PT_CUSTODIAL", recipient: world.bob.address, amount: { amountWei: ETHER.toString() } }],
    });
    await alice.stop();
    const sent = await world.manager.connect(world.alice).startExit(old.state as never, old.sigHub, old.sigUser);
    const started = (await (await sent.wait())?.getBlock())?.timestamp ?? 0; // ahead of the clock after other tests
    await until("the hub sees the exit", async () => value(await measure(), "dispute_exits_to_challenge") === 1);
    const metrics = await measure();
    expect(value(metrics, "dispute_collateral_at_risk_eth")).to.equal(1);
    expect(value(metrics, "dispute_exits_overdue")).to.equal(0);
    const left = started + Number(PERIOD) - Math.floor(world.hubServer.services.clock.now() / 1000);
    expect(value(metrics, "dispute_seconds_to_deadline")).to.be.within(left, left + 2);
    const late = await measure((left + 600) * 1000);
    expect(value(late, "dispute_exits_overdue")).to.equal(1);
    expect(value(late, "dispute_seconds_to_deadline")).to.equal(-1);
  });
});
