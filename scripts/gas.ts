import { artifacts } from "hardhat";
import Table from "cli-table3";
import { complaint, orphans, readJournal, writeJournal, type Journal } from "../test/gas/journal";
import { SCENARIOS, measure, type Scenario } from "../test/gas/scenarios";

/**
 * Measures every gas scenario on the in-process chain, prints budget, measured, floor and predecessor, and compares
 * with the journal `test/gas/gas.json`. `--update` writes the journal instead.
 */

const DEPLOYED_SIZE = { budget: 22_000, limit: 24_576 }; // EIP-170

async function measureAll(): Promise<Journal> {
  const measured: Record<string, number> = {};
  for (const scenario of SCENARIOS) measured[scenario.name] = await measure(scenario);
  return measured;
}

const percent = (part: number, whole: number | undefined): string =>
  whole === undefined ? "" : `${((100 * part) / whole).toFixed(1)} %`;

function tableRow(scenario: Scenario, gas: number): string[] {
  const cells = [scenario.budget, gas, scenario.floor, scenario.predecessor];
  const figures = cells.map((figure) => figure?.toLocaleString("en") ?? "");
  const mark = scenario.budget !== undefined && gas > scenario.budget ? "over" : "";
  return [scenario.name, ...figures, percent(gas, scenario.floor), percent(gas, scenario.predecessor), mark];
}

function print(measured: Journal): void {
  const head = ["scenario", "budget", "measured", "floor", "predecessor", "of floor", "of predecessor", ""];
  const table = new Table({
    head,
    style: { head: [], border: [] },
    colAligns: ["left", ...head.slice(1).map(() => "right" as const)],
  });
  for (const scenario of SCENARIOS) table.push(tableRow(scenario, measured[scenario.name] ?? 0));
  console.log(table.toString());
  for (const { name, overBudget } of SCENARIOS) if (overBudget) console.log(`over budget: ${name}: ${overBudget}`);
}

async function deployedSize(): Promise<number> {
  const { deployedBytecode } = await artifacts.readArtifact("ChannelManager");
  const bytes = (deployedBytecode.length - 2) / 2;
  console.log(`ChannelManager: ${bytes} bytes deployed (budget ${DEPLOYED_SIZE.budget}, limit ${DEPLOYED_SIZE.limit})`);
  return bytes;
}

async function main(): Promise<void> {
  const measured = await measureAll();
  print(measured);
  const bytes = await deployedSize();
  if (process.argv.includes("--update")) {
    writeJournal(measured);
    return;
  }

  const journal = readJournal();
  const wrong = SCENARIOS.flatMap((scenario) => {
    const why = complaint(scenario, measured[scenario.name] ?? 0, journal);
    return why === undefined ? [] : [`${scenario.name}: ${measured[scenario.name]}, ${why}`];
  });
  wrong.push(...orphans(journal).map((name) => `${name}: in the journal, but nothing measures it`));
  if (bytes > DEPLOYED_SIZE.budget) wrong.push(`ChannelManager is larger than ${DEPLOYED_SIZE.budget} bytes`);
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) console.error("Run `npm run gas -- --update` and commit the change together with its cause.");
  console.log(`${SCENARIOS.length + 1 - wrong.length} passing, ${wrong.length} failing`);
  process.exitCode = wrong.length > 0 ? 1 : 0;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
