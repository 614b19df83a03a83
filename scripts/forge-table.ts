/** How many calls of a handler function forge made, and how many of them changed something. */
export interface HandlerCalls {
  readonly name: string;
  readonly calls: number;
  readonly succeeded: number;
}

const ROW = /^\| \w+ +\| (\w+) +\| (\d+) +\| (\d+) +\| \d+ +\|$/;
const RULES = /^(╭|\+=|\|-|╰|\| Contract )/;

/** What forge prints besides its tables: one for each invariant, all of the same functions. */
export function withoutTables(output: string): string {
  const kept = output.split("\n").filter((line) => !ROW.test(line) && !RULES.test(line));
  return kept.join("\n").replace(/\n{3,}/g, "\n\n");
}

/** The tables of all invariants added up, by function name. A call that reverted changed nothing. */
export function addUpTables(output: string): HandlerCalls[] {
  const sums = new Map<string, HandlerCalls>();
  for (const line of output.split("\n")) {
    const [, name, calls, reverts] = ROW.exec(line) ?? [];
    if (name === undefined) continue;
    const sum = sums.get(name) ?? { name, calls: 0, succeeded: 0 };
    const succeeded = sum.succeeded + Number(calls) - Number(reverts);
    sums.set(name, { name, calls: sum.calls + Number(calls), succeeded });
  }
  return [...sums.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** For people: one line a function, and the total last. */
export function printTable(rows: readonly HandlerCalls[]): string {
  const total = { name: "total", calls: 0, succeeded: 0 };
  for (const row of rows) {
    total.calls += row.calls;
    total.succeeded += row.succeeded;
  }
  const header = line("handler function", "calls", "succeeded");
  return [header, ...[...rows, total].map((row) => line(row.name, String(row.calls), String(row.succeeded)))].join(
    "\n",
  );
}

function line(name: string, calls: string, succeeded: string): string {
  return `${name.padEnd(30)}${calls.padStart(10)}${succeeded.padStart(12)}`;
}
