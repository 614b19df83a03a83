// Fails unless `hardhat coverage` reached every line and every branch of contracts/ (contracts/test aside).
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";

/** The part of an istanbul report that counts: how often each line, and each arm of each branch, was reached. */
interface FileCoverage {
  readonly l: Readonly<Record<string, number>>;
  readonly b: Readonly<Record<string, readonly number[]>>;
  readonly branchMap: Readonly<Record<string, { readonly line: number }>>;
}

interface Summary {
  readonly lines: number;
  readonly branches: number;
  /** Numbers of the lines that were not reached, and of those with an arm that was not taken. */
  readonly missed: readonly number[];
}

export function summarize(coverage: FileCoverage): Summary {
  const lines = Object.entries(coverage.l);
  const arms = Object.entries(coverage.b).flatMap(([id, hits]) =>
    hits.map((count) => [coverage.branchMap[id]?.line ?? 0, count] as const),
  );
  const missed = [...lines, ...arms].filter(([, count]) => count === 0).map(([line]) => Number(line));
  return { lines: lines.length, branches: arms.length, missed: [...new Set(missed)].sort((a, b) => a - b) };
}

function main(report: string): void {
  if (!existsSync(report)) throw new Error(`There is no ${report}. Run npm run coverage.`);
  const files = Object.entries(JSON.parse(readFileSync(report, "utf8")) as Record<string, FileCoverage>);
  const summaries = files.map(([path, coverage]) => ({ file: relative(".", path), ...summarize(coverage) }));
  const short = summaries.filter(({ missed }) => missed.length > 0);
  for (const { file, missed } of short) console.error(`${file}: not covered at line ${missed.join(", ")}`);
  const total = (key: "lines" | "branches"): number => summaries.reduce((sum, summary) => sum + summary[key], 0);
  const isComplete = short.length === 0 && total("lines") > 0;
  console.log(
    `coverage: ${isComplete ? "100 %" : "less than 100 %"} of ${total("lines")} lines and ${total("branches")} branches`,
  );
  if (!isComplete) process.exitCode = 1;
}

if (require.main === module) main("coverage/coverage-final.json");
