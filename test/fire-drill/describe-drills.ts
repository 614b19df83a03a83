import { expect } from "chai";
import { ChaosWorld } from "../chaos/chaos-world";
import { cacheChain } from "../support/chain-cache";
import {
  clientComesBack,
  clientCrashes,
  clientOnline,
  hubCheats,
  hubCrashes,
  hubOnline,
  hubRestarted,
  PARTIES,
  sceneOf,
  towerOnline,
  towerRestarted,
  userCheats,
  type Party,
  type Presence,
  type Scene,
} from "./drills";
import { makeHistory } from "./history";
import { silentLog } from "../../hub/log";

/** Answers are worth any gas here: what is shown is that they come. */
const CONFIG = { disputeWorthPercent: 0 };

const OF_USERS: Readonly<Record<string, Presence>> = {
  "client online": clientOnline,
  "client back mid-window": clientComesBack,
  "client dying at its answer": clientCrashes,
  "client away, with a tower": towerOnline,
  "client away, with a tower that restarts": towerRestarted,
};

const OF_HUB: Readonly<Record<string, Presence>> = {
  "hub online": hubOnline,
  "hub restarted mid-window": hubRestarted,
  "hub dying at its answer": hubCrashes,
};

export interface DrillOptions {
  /** How often everything happens in the history. */
  readonly rounds: number;
  /** Each state with every way to be there; otherwise they take turns. */
  readonly everyPresence: boolean;
}

/** A history, and drills for each of its states and each way to cheat. */
export function describeDrills(title: string, { rounds, everyPresence }: DrillOptions): void {
  describe(title, function () {
    this.timeout(6 * 3_600_000);
    let scene: Scene;
    let world: ChaosWorld;
    const count = { drills: 0, refused: 0 };
    before(async () => {
      cacheChain();
      world = await ChaosWorld.open(silentLog, { config: CONFIG, settles: true });
      await makeHistory(world, rounds);
      scene = await sceneOf(world);
    });
    after(async () => {
      const states = PARTIES.map((party) => scene.states[party].length).join(" and ");
      const refused = `${count.refused} exits were refused by the contract`;
      console.log(`      ${count.drills} drills over the ${states} states of two channels; ${refused}`);
      await scene.tower.close();
      await world.close();
    });

    for (const party of PARTIES) {
      it(`a hub that exits with any earlier state of ${party} takes nothing from it: ${wordsOf(OF_USERS)}`, () =>
        drillAll(party, Object.values(OF_USERS), hubCheats));
      it(`${party} takes nothing from anybody by an exit with any earlier state: ${wordsOf(OF_HUB)}`, () =>
        drillAll(party, Object.values(OF_HUB), userCheats));
    }

    async function drillAll(cheated: Party, presences: readonly Presence[], cheat: typeof hubCheats): Promise<void> {
      for (const [i, state] of scene.states[cheated].slice(0, -1).entries()) {
        const some = presences.filter((_, turn) => everyPresence || turn === i % presences.length);
        for (const presence of some) {
          const lack = await cheat({ scene, cheated, state }, presence);
          if (lack === "refused") count.refused++;
          else expect(lack, `exit with nonce ${state[0].nonce}`).to.deep.equal([]);
          count.drills++;
        }
      }
    }
  });
}

function wordsOf(presences: Readonly<Record<string, Presence>>): string {
  return Object.keys(presences).join(", ");
}
