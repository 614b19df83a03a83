import { expect } from "chai";
import { describeFinding, runSeed, shrunk } from "./history";
import { Simulation } from "./simulation";

const HISTORIES = Number(process.env.HISTORIES ?? 40);

/** `npm run simulate` takes others. */
const FIRST_SEED = 20_260_101;

describe("histories by chance", function () {
  this.timeout(600_000);
  let sim: Simulation;
  before(async () => {
    sim = await Simulation.open();
  });
  after(() => sim.close());

  it(`${HISTORIES} histories of a hub, three users and a chain end with everybody whole and nothing lost`, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed++) {
      const finding = await runSeed(sim, seed);
      if (finding !== undefined) expect.fail(describeFinding(await shrunk(sim, finding, 60)));
    }
  });
});
