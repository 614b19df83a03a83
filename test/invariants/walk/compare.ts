import type { Outcome, Refusal, Step } from "./calls";
import type { Chain, Question } from "./chain";
import type { Table, Value } from "./model/books";
import type { Model } from "./model/model";

/** What the model and the contract do not agree on. */
export interface Difference {
  readonly what: string;
  readonly model: string;
  readonly chain: string;
}

/**
 * Success or failure, the reason with its arguments, and all events in order with theirs. Where the step has little gas,
 * the contract may also refuse for that, with whatever reason: all or nothing is the rule.
 */
export function compareOutcomes(step: Step, model: Outcome, chain: Outcome): Difference | undefined {
  if (!chain.ok && step.gas !== undefined) return undefined;
  const isSame = model.ok && chain.ok ? show(model.events) === show(chain.events) : isRefusedAlike(model, chain);
  return isSame ? undefined : { what: "outcome", model: show(model), chain: show(chain) };
}

function isRefusedAlike(model: Outcome, chain: Outcome): boolean {
  if (model.ok || chain.ok) return false;
  const [named] = chain.reasons;
  return named !== undefined && model.reasons.some((reason) => isSameReason(reason, named));
}

function isSameReason(model: Refusal, chain: Refusal): boolean {
  if (model.name !== chain.name) return false;
  return model.args === "any" || show(model.args) === show(chain.args);
}

/** Everything that the last step changed in the model, read from the chain. */
export async function compareTouched(model: Model, chain: Chain): Promise<Difference | undefined> {
  const touched = new Map(
    model.journal.map((change) => [`${change.table.target} ${change.table.view} ${change.key.join()}`, change]),
  );
  return compareEntries([...touched.values()], chain);
}

/** Everything that the model knows of, read from the chain. */
export async function compareAll(model: Model, chain: Chain): Promise<Difference | undefined> {
  const tables = [model.books, model.bank].flatMap((one): unknown[] => Object.values(one));
  const isTable = (one: unknown): one is Table => typeof one === "object" && one !== null && "entries" in one;
  const entries = tables.filter(isTable).flatMap((table) => table.entries().map(({ key }) => ({ table, key })));
  return compareEntries(entries, chain);
}

async function compareEntries(
  entries: readonly { readonly table: Table; readonly key: Question["key"] }[],
  chain: Chain,
): Promise<Difference | undefined> {
  const answers = await chain.read(entries.map(({ table: { target, view }, key }) => ({ target, view, key })));
  for (const [i, { table, key }] of entries.entries()) {
    const expected = wordsOf(table.get(...key));
    const found = answers[i]!;
    if (expected.join() !== found.join()) {
      return { what: `${table.view} of ${key.join()} at ${table.target}`, model: expected.join(), chain: found.join() };
    }
  }
  return undefined;
}

function wordsOf(value: Value): readonly bigint[] {
  return typeof value === "object" ? Object.values(value).map(BigInt) : [BigInt(value)];
}

/** One spelling per value, for people and for comparison. */
export function show(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "string") return value.toLowerCase();
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return `{${Object.entries(value)
    .map(([key, part]) => `${key}: ${show(part)}`)
    .join(", ")}}`;
}
