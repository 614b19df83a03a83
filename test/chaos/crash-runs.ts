import { expect } from "chai";
import { consoleLog, silentLog } from "../../hub/log";
import { ChaosWorld, USERS, type Moment } from "./chaos-world";
import { booksOf, checkInvariants, converge, plus, requireAlive, type Books } from "./invariants";
import { perform, prepareBase, type Scenario } from "./scenarios";
import { Cut, type Party } from "./seams";

export interface CrashOptions {
  readonly scenarios: readonly Scenario[];
  /** Default: all. */
  readonly parties?: readonly Party[];
  /** Whoever dies does so once more, this many points later: while it comes level again. */
  readonly again?: number;
  /** Says what everybody does, for the search of a fault. */
  readonly isLoud?: boolean;
}

/** What one protocol is run with, again and again. */
interface Runs {
  readonly world: ChaosWorld;
  readonly moment: Moment;
  readonly scenario: Scenario;
  readonly again: number | undefined;
}

/** More cuts than this mean that a party never stops writing. */
const MAX_CUTS = 400;

/**
 * One test per protocol: it runs once for each point at which one of its parties does something durable or visible (a
 * write, a message, a transaction, each before and after), and at that point the party dies and starts again from its files.
 */
export function describeCrashes(title: string, options: CrashOptions): void {
  const { scenarios, parties = ["hub", "alice", "bob"], again, isLoud = false } = options;
  describe(title, function () {
    this.timeout(1_200_000);
    let world: ChaosWorld;
    let base: Moment;
    const lines: string[] = [];

    before(async () => {
      world = await ChaosWorld.open(isLoud ? consoleLog() : silentLog);
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
        const runs: Runs = { world, moment: await world.keep(), scenario, again };
        const counts: string[] = [];
        for (const party of parties) counts.push(`${party} ${await cutEverywhere(runs, party, false)}`);
        if (parties.includes(scenario.caller)) await cutEverywhere(runs, scenario.caller, true);
        lines.push(`cut points of ${scenario.name}: ${counts.join(", ")}`);
      });
    }
  });
}

/** @returns How many points there were. */
async function cutEverywhere(runs: Runs, party: Party, givesUp: boolean): Promise<number> {
  for (let at = 1; at < MAX_CUTS; at++) {
    await runs.world.goTo(runs.moment);
    const cut = new Cut(party, at, runs.again);
    try {
      await runOnce(runs, cut, givesUp);
    } catch (error) {
      const where = `${party}, cut ${at} (${cut.where.join(", then ")}${givesUp ? ", gives up" : ""})`;
      throw new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    if (cut.where.length === 0) return at - 1;
  }
  throw new Error(`more than ${MAX_CUTS} cut points`);
}

async function runOnce({ world, scenario }: Runs, cut: Cut, givesUp: boolean): Promise<void> {
  await world.hub();
  for (const user of scenario.online) await world.user(user);
  const before = await booksOf(world);
  world.cut = cut;
  await perform(world, scenario, givesUp);
  await converge(world, scenario.online);
  world.cut = undefined;
  await converge(world, USERS);
  await checkInvariants(world);
  requireBooks(await booksOf(world), before, scenario, givesUp && cut.where.length > 0);
  await requireAlive(world);
}

/** All of it; or, if its caller gave up, all or nothing. */
function requireBooks(after: Books, before: Books, { changes }: Scenario, mayBeNothing: boolean): void {
  const allowed = [plus(before, changes), ...(mayBeNothing ? [before] : [])].map(textOf);
  expect(allowed, `the books: ${textOf(after)}`).to.include(textOf(after));
}

function textOf(books: Books): string {
  const lines = Object.entries(books).map(([name, amount]) => `${name}: ${amount}`);
  return lines.sort().join(", ");
}
