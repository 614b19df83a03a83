import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { CLIENT_ERRORS } from "../client/errors";
import { HUB_ERRORS, statusOf } from "../protocol/api/errors";
import { ERRORS } from "../protocol/errors";
import { OPERATION_ERRORS } from "../tasks/errors";

/**
 * Writes `docs/errors.md` from the registries of errors, which are the only place where their sentences stand.
 * A test fails when the page is older than the registries.
 */
type Sentence = string | ((details: never) => unknown);
interface Text {
  readonly what: Sentence;
  readonly why: Sentence;
  readonly remedy: Sentence;
  /** Of HTTP. */
  readonly status?: number;
}
type Registry = Readonly<Record<string, Text>>;

export const ERRORS_PAGE = join(__dirname, "..", "docs", "errors.md");

const INTRODUCTION = `# Errors

Every error has a code for programs and a sentence for people, and each sentence says what happened, why that is refused and what
to do. Commands, API and pages use the same words. This page is written by \`npm run docs:errors\` from \`protocol/errors.ts\`,
\`protocol/api/errors.ts\`, \`client/errors.ts\` and \`tasks/errors.ts\`; \`‹name›\` stands for a value of the case.
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
  const cell = text.replaceAll("|", "\\|").replaceAll("\n", " ");
  return cell.replaceAll("NaN", "‹difference›"); // of two details
}

function table(registry: Registry): string {
  const hasStatus = Object.values(registry).some(({ status }) => status !== undefined);
  const head = ["code", ...(hasStatus ? ["HTTP"] : []), "what happened", "why", "what to do"];
  const rows = Object.entries(registry).map(([code, { what, why, remedy, status }]) => [
    `\`${code}\``,
    ...(hasStatus ? [String(status)] : []),
    ...[what, why, remedy].map(render),
  ]);
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function conflicts(): string {
  const codes = Object.keys(ERRORS).filter((code) => statusOf(code) === 409);
  return codes.map((code) => `\`${code}\``).join(", ");
}

/** The whole page, as prettier leaves it. */
export async function errorsPage(): Promise<string> {
  const sections = [
    INTRODUCTION,
    "## Protocol and contract\n\nThe contract's custom errors have the same names and arguments. A hub answers with them, too:",
    `with status 409 those that are about the moment (${conflicts()}), with 400 all others.\n`,
    table(ERRORS),
    "\n## Hub\n",
    table(HUB_ERRORS),
    "\n## Client\n",
    table(CLIENT_ERRORS),
    "\n## Commands\n",
    table(OPERATION_ERRORS),
  ];
  return format(sections.join("\n"), { ...(await resolveConfig(ERRORS_PAGE)), filepath: ERRORS_PAGE });
}

if (require.main === module) void errorsPage().then((page) => writeFileSync(ERRORS_PAGE, page));
