import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Type, type Static } from "typebox";
import { problemsOf } from "../schema-problems";

const runSchema = Type.Object(
  {
    /** What ran, such as "random walk". */
    name: Type.String(),
    /** How to run it again. */
    command: Type.String(),
    finishedAt: Type.String({ description: "ISO 8601" }),
    passed: Type.Boolean(),
    seed: Type.Optional(Type.String()),
    calls: Type.Optional(Type.Integer({ minimum: 0 })),
    seconds: Type.Optional(Type.Number({ minimum: 0 })),
    /** Of a mutation check: how many faults were planted, how many the tests noticed, and which they did not. */
    mutants: Type.Optional(Type.Integer({ minimum: 0 })),
    killed: Type.Optional(Type.Integer({ minimum: 0 })),
    survivors: Type.Optional(Type.Array(Type.String())),
  },
  { additionalProperties: false },
);

/** The last run of a long check. Scripts leave one in `cache/runs/`, for the audit report. */
export type Run = Static<typeof runSchema>;

/** Where runs are kept; not in version control. */
export function runsDirectory(root: string): string {
  return join(root, "cache", "runs");
}

/** Leaves a run as `<slug of its name>.json`, in place of the one before. */
export function recordRun(root: string, run: Run): void {
  const directory = runsDirectory(root);
  mkdirSync(directory, { recursive: true });
  const slug = run.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  writeFileSync(join(directory, `${slug}.json`), `${JSON.stringify(run, null, 2)}\n`);
}

/** The runs on record, by name; a file that is not one is named instead of being taken for one. */
export function readRuns(root: string): { readonly runs: readonly Run[]; readonly unreadable: readonly string[] } {
  const directory = runsDirectory(root);
  const files = existsSync(directory) ? readdirSync(directory).filter((file) => file.endsWith(".json")) : [];
  const contents = files.sort().map((file) => ({ file, content: parse(readFileSync(join(directory, file), "utf8")) }));
  const isRun = (content: unknown): content is Run => problemsOf(runSchema, content).length === 0;
  return {
    runs: contents.map(({ content }) => content).filter(isRun),
    unreadable: contents.filter(({ content }) => !isRun(content)).map(({ file }) => file),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // named by `unreadable`
  }
}
