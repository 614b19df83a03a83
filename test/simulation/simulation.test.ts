import { expect } from "chai";
import type { Plan } from "./action";
import { describeFinding, runPlan, runSeed, shrunk } from "./history";
import { Simulation } from "./simulation";

const HISTORIES = Number(process.env.HISTORIES ?? 24);

/** `npm run simulate` takes others. */
const FIRST_SEED = 20_260_101;

/** What histories by chance have found, at its shortest. */
const FOUND: Readonly<Record<string, Plan>> = {
  "a fork takes away the exit by which a thread came to the contract, and its closing is signed all the same": {
    actions: [
      { kind: "open thread", by: "bob", to: "dave", amount: 890_618_407_430_328_049n, updatable: false },
      { kind: "fork", what: { kind: "exit", by: "bob" }, keeps: false, isSeen: true },
    ],
    hubCheats: false,
    pick: 0,
  },
  "a withdrawal on top of one whose execution only the hub has seen yet is no lie": {
    actions: [
      { kind: "crash", by: "hub", at: 9, again: undefined },
      {
        kind: "both",
        of: [
          { kind: "withdraw", by: "alice", amount: 91_814_604_783_918_208n },
          { kind: "pay thread", by: "dave", pick: 7, amount: 24_679_192_215_495_016n },
        ],
      },
      { kind: "deposit", by: "bob", amount: 132_784_001_028_576_622n, token: false },
      { kind: "pay", by: "bob", to: "dave", type: "PT_CHANNEL", amount: 305_328_690_035_754_848n },
      { kind: "withdraw", by: "alice", amount: 951_084_374_274_733_919n },
    ],
    hubCheats: false,
    pick: 0,
  },
};

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

  for (const [name, plan] of Object.entries(FOUND)) {
    it(name, async () => expect(await runPlan(sim, plan)).to.deep.equal([]));
  }
});
