import { existsSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { summarize } from "../../scripts/check-coverage";
import { readJournal, type Journal } from "../../test/gas/journal";
import { SCENARIOS } from "../../test/gas/scenarios";
import { readRuns, type Run } from "./runs";
import { code, table, type Section } from "./markdown";

/** EIP-170, and the budget of the specification. */
const SIZE = { limit: 24_576, budget: 22_000 };

const figure = (value: number | undefined): string => value?.toLocaleString("en") ?? "";

export function sizeSection(deployedBytecode: string): Section {
  const bytes = (deployedBytecode.length - 2) / 2;
  const row = (name: string, most: number): string[] => [name, figure(most), figure(most - bytes)];
  const rows = [row("limit of EIP-170", SIZE.limit), row("budget", SIZE.budget)];
  return { title: "Size", body: `${figure(bytes)} bytes deployed.\n\n${table(["", "bytes", "left"], rows)}` };
}

/** The reviewed journal; `npm run gas` measures it again and fails on drift. */
export function gasSection(journal: Journal = readJournal()): Section {
  const rows = SCENARIOS.map(({ name, budget, floor, predecessor, overBudget = "" }) => [
    name,
    figure(budget),
    figure(journal[name]),
    figure(floor),
    figure(predecessor),
    overBudget,
  ]);
  const head = ["scenario", "budget", "journal", "floor", "predecessor", "why over budget"];
  const intro = "Gas after refunds, from `test/gas/gas.json`. `npm run gas` measures it again and compares.";
  return { title: "Gas", body: `${intro}\n\n${table(head, rows)}` };
}

/** Of the last `npm run coverage`, if there was one. */
export function coverageSection(root: string): Section {
  const title = "Coverage";
  const report = join(root, "coverage", "coverage-final.json");
  if (!existsSync(report)) return { title, body: "Not measured here yet. `npm run coverage` measures it." };
  const files = JSON.parse(readFileSync(report, "utf8")) as Record<string, Parameters<typeof summarize>[0]>;
  const rows = Object.entries(files).map(([path, coverage]) => {
    const { lines, branches, missed } = summarize(coverage);
    return [relative(root, path), figure(lines), figure(branches), missed.join(" ") || "none"];
  });
  const intro = `Measured ${statSync(report).mtime.toISOString()} by \`npm run coverage\`.`;
  return { title, body: `${intro}\n\n${table(["file", "lines", "branches", "missed at line"], rows)}` };
}

/** The sentences of docs/protocol.md, and when they were last fuzzed. */
export function invariantsSection(root: string): Section {
  const { runs, unreadable } = readRuns(root);
  const rows = runs.map((run) => [
    run.name,
    resultOf(run),
    run.finishedAt,
    figure(run.calls),
    run.seed ?? "",
    code(run.command),
  ]);
  const head = ["run", "result", "finished", "calls", "seed", "again by"];
  const none = "No run is on record here. `npm run invariants` and `npm run walk` leave one.";
  const lost = unreadable.map((file) => `\`cache/runs/${file}\` is not readable.`);
  const last = [runs.length === 0 ? none : table(head, rows), ...lost].join("\n\n");
  return { title: "Invariants", body: `${invariantSentences(root)}\n\n### Last runs\n\n${last}` };
}

function resultOf({ passed, mutants, killed }: Run): string {
  const result = passed ? "passed" : "FAILED";
  return mutants === undefined ? result : `${result}: ${figure(killed)} of ${figure(mutants)} mutants killed`;
}

function invariantSentences(root: string): string {
  const path = join(root, "docs", "protocol.md");
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const [heading = "", level = ""] = /^(##+) .*invariants.*$/im.exec(text) ?? [];
  if (heading === "") return "`docs/protocol.md` has no section on invariants.";
  const rest = text.slice(text.indexOf(heading) + heading.length);
  const end = rest.search(new RegExp(`^#{2,${level.length}} `, "m"));
  return (end === -1 ? rest : rest.slice(0, end)).trim();
}
