import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { ERRORS } from "../protocol/errors";
import { OPERATION_ERRORS } from "../tasks/errors";

/**
 * Writes `docs/errors.md` from the registries of errors, which are the only place where their sentences stand.
 * A test fails when the page is older than the registries.
 */
type Sentence = string | ((details: never) => unknown);
type Registry = Readonly<
  Record<string, { readonly what: Sentence; readonly why: Sentence; readonly remedy: Sentence }>
>;

export const ERRORS_PAGE = join(__dirname, "..", "docs", "errors.md");

const INTRODUCTION = `# Errors

Every error has a code for programs and a sentence for people, and each sentence says what happened, why that is refused and what
to do. Commands, API and pages use the same words. This page is written by \`npm run docs:errors\` from \`protocol/errors.ts\` and
\`tasks/errors.ts\`; \`‹name›\` stands for a value of the case.
`;

/** Stands in for a detail: prints as ‹name› wherever a sentence uses it, as a text, a number or a list. */
function standIn(name: string): unknown {
  const text = `‹${name}›`;
  if (name === "given") return text;
  return {
    join: () => text,
    map: () => [text],
    // above every number, so that no sentence takes it for a date
    [Symbol.toPrimitive]: (hint: string) => (hint === "number" ? Infinity : text),
  };
}

const details = new Proxy({}, { get: (_, name) => standIn(String(name)) }) as never;

function render(sentence: Sentence): string {
  const text = String(typeof sentence === "string" ? sentence : sentence(details)); // some return the detail itself
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function table(registry: Registry): string {
  const rows = Object.entries(registry).map(
    ([code, { what, why, remedy }]) => `| \`${code}\` | ${render(what)} | ${render(why)} | ${render(remedy)} |`,
  );
  return ["| code | what happened | why | what to do |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** The whole page, as prettier leaves it. */
export async function errorsPage(): Promise<string> {
  const sections = [
    INTRODUCTION,
    "## Protocol and contract\n\nThe contract's custom errors have the same names and arguments.\n",
    table(ERRORS),
    "\n## Commands\n",
    table(OPERATION_ERRORS),
  ];
  return format(sections.join("\n"), { ...(await resolveConfig(ERRORS_PAGE)), filepath: ERRORS_PAGE });
}

if (require.main === module) void errorsPage().then((page) => writeFileSync(ERRORS_PAGE, page));
