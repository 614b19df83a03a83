import { expect } from "chai";
import { consoleLog, silentLog } from "../../hub/log";
import { ChaosWorld, USERS, type Moment } from "./chaos-world";
import { booksOf, checkInvariants, converge, plus, requireAlive, type Books } from "./invariants";
import { perform, prepareBase, type Scenario } from "./scenarios";
import { Cut, type Party } from "./seams";

const PARTIES = (process.env.CHAOS_PARTIES?.split(",") ?? ["hub", "alice", "bob"]) as readonly Party[];

/** A worse run than this many cuts means that a party never stops writing. */
const MAX_CUTS = 400;

/**
 * One test per protocol and party: the protocol runs once for each point at which something durable or visible happens,
 * and at that point the party dies and starts again from its files.
 */
export function describeCrashes(title: string, scenarios: readonly Scenario[], parties = PARTIES): void {
  describe(title, function () {
    this.timeout(1_200_000);
    let world: ChaosWorld;
    let base: Moment;
    const lines: string[] = [];

    before(async () => {
      world = await ChaosWorld.open(process.env.CHAOS_LOG === undefined ? silentLog : consoleLog());
      await prepareBase(world);
      base = await world.keep();
    });
    after(async () => {
      await world.close();
      for (const line of lines) console.log(`    ${line}`);
    });

    for (const scenario of scenarios) {
      it(`${scenario.name}: nothing is lost or doubled, wherever a side dies`, async () => {
        await world.goTo(base);
        await scenario.prepare?.(world);
        const moment = await world.keep();
        const counts: string[] = [];
        for (const party of parties) {
          counts.push(`${party} ${await cutEverywhere(world, moment, scenario, party, false)}`);
        }
        if (parties.includes(scenario.caller)) {
          await cutEverywhere(world, moment, scenario, scenario.caller, true);
        }
        lines.push(`cut points of ${scenario.name}: ${counts.join(", ")}`);
      });
    }
  });
}

/** @returns How many points there were. */
async function cutEverywhere(
  world: ChaosWorld,
  moment: Moment,
  scenario: Scenario,
  party: Party,
  givesUp: boolean,
): Promise<number> {
  for (let at = Number(process.env.CHAOS_FROM ?? 1); at < MAX_CUTS; at++) {
    await world.goTo(moment);
    const cut = new Cut(party, at);
    if (process.env.CHAOS_LOG !== undefined) console.log(`---- ${scenario.name}: ${party} ${at}`);
    try {
      await runOnce(world, scenario, cut, givesUp);
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      cause.message = `${party}, cut ${at} (${cut.where ?? "not reached"}${givesUp ? ", gives up" : ""}): ${cause.message}`;
      throw cause;
    }
    if (cut.where === undefined) return at - 1;
  }
  throw new Error(`more than ${MAX_CUTS} cut points`);
}

async function runOnce(world: ChaosWorld, scenario: Scenario, cut: Cut, givesUp: boolean): Promise<void> {
  await world.hub();
  for (const user of scenario.online) await world.user(user);
  const before = await booksOf(world);
  world.cut = cut;
  await perform(world, scenario, givesUp);
  await converge(world, scenario.online);
  world.cut = undefined;
  await converge(world, USERS);
  await checkInvariants(world);
  requireBooks(await booksOf(world), before, scenario, givesUp && cut.where !== undefined);
  await requireAlive(world);
}

/** All of it; or, if its caller gave up, all or nothing. */
function requireBooks(after: Books, before: Books, { changes }: Scenario, mayBeNothing: boolean): void {
  const allowed = [plus(before, changes), ...(mayBeNothing ? [before] : [])].map(texts);
  expect(allowed, `the books: ${texts(after)}`).to.include(texts(after));
}

function texts(books: Books): string {
  return JSON.stringify(Object.entries(books).map(([name, amount]) => [name, amount.toString()]).sort());
}
