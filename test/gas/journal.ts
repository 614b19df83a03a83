import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SCENARIOS, type Scenario } from "./scenarios";

/** Scenario name to gas, as reviewed and committed. Any drift fails CI until somebody commits the new figure. */
export type Journal = Readonly<Record<string, number>>;

const PATH = join(__dirname, "gas.json");

export function readJournal(): Journal {
  return existsSync(PATH) ? (JSON.parse(readFileSync(PATH, "utf8")) as Journal) : {};
}

export function writeJournal(journal: Journal): void {
  writeFileSync(PATH, `${JSON.stringify(journal, null, 2)}\n`);
}

/** What is wrong with a measured figure, or nothing. */
export function complaint(scenario: Scenario, measured: number, journal: Journal): string | undefined {
  const recorded = journal[scenario.name];
  if (recorded !== measured) return `the journal says ${recorded ?? "nothing"}`;
  if (scenario.budget !== undefined && measured > scenario.budget && scenario.overBudget === undefined) {
    return `above the budget of ${scenario.budget}, and no reason is given`;
  }
  return undefined;
}

/** Names in the journal that no scenario measures any more. */
export function orphans(journal: Journal): string[] {
  return Object.keys(journal).filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
}
