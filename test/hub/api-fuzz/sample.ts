import type { Random } from "./random";

/** As much of JSON schema as the API uses. */
export interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, Schema>>;
}

/** A value that a schema accepts. @param addresses Some that mean something to whom the value is for. */
export function sampleOf(schema: Schema, random: Random, addresses: readonly string[] = []): unknown {
  const again = (inner: Schema): unknown => sampleOf(inner, random, addresses);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return random.pick(schema.enum);
  if (schema.anyOf !== undefined) return again(random.pick(schema.anyOf));
  switch (schema.type ?? "any") {
    case "string":
      return textOf(schema, random, addresses);
    case "integer":
    case "number":
      return (
        (schema.minimum ?? 0) + random.below(Math.min((schema.maximum ?? 1_000) - (schema.minimum ?? 0), 1_000) + 1)
      );
    case "boolean":
      return random.chance(0.5);
    case "null":
      return null;
    case "array":
      return Array.from({ length: lengthOf(schema, random) }, () => again(schema.items ?? {}));
    case "object":
      return objectOf(schema, random, again);
    default:
      return random.pick<unknown>([null, 1, "text", [], {}]);
  }
}

function lengthOf({ minItems = 0, maxItems = 8 }: Schema, random: Random): number {
  return minItems + random.below(Math.min(maxItems - minItems, 3) + 1);
}

function objectOf(schema: Schema, random: Random, again: (inner: Schema) => unknown): object {
  const { properties = {}, required = [], patternProperties = {} } = schema;
  const wanted = Object.entries(properties).filter(([name]) => required.includes(name) || random.chance(0.5));
  const free = Object.values(patternProperties).map((inner, i) => [`key${i}`, again(inner)]);
  return Object.fromEntries([...wanted.map(([name, inner]) => [name, again(inner)]), ...free]) as object;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

function textOf(
  { pattern, minLength = 1, maxLength = 32 }: Schema,
  random: Random,
  addresses: readonly string[],
): string {
  const letters = (count: number, from: string): string =>
    Array.from({ length: count }, () => from.charAt(random.below(from.length))).join("");
  if (pattern === undefined) return letters(Math.max(minLength, random.below(Math.min(maxLength, 40))), LETTERS);
  const hexDigits = /\{(\d+)\}\)?\$$/.exec(pattern)?.[1];
  if (pattern.startsWith("^0x") && hexDigits !== undefined) {
    if (hexDigits === "40" && addresses.length > 0 && random.chance(0.6)) return random.pick(addresses);
    return `0x${letters(Number(hexDigits), "0123456789abcdef")}`;
  }
  const decimals = /^\^\(\?:0\|\[1-9\]\[0-9\]\{0,(\d+)\}\)\$$/.exec(pattern)?.[1];
  if (decimals !== undefined) return decimalOf(Number(decimals), random, letters);
  if (pattern === "^[A-Za-z0-9._-]+$") return letters(minLength + random.below(Math.min(maxLength, 80)), LETTERS);
  if (pattern === "^[A-Za-z0-9_-]{1,64}$") return letters(1 + random.below(64), LETTERS);
  if (pattern.endsWith("){0,4096}$")) return `0x${letters(2 * random.below(80), "0123456789abcdef")}`;
  throw new Error(`no sample for the pattern ${pattern}`);
}

/** Small, large, and the largest that the pattern allows, which is above the type. */
function decimalOf(digits: number, random: Random, letters: (count: number, from: string) => string): string {
  if (random.chance(0.1)) return "9".repeat(digits + 1);
  if (random.chance(0.2)) return "0";
  return `${1 + random.below(9)}${letters(random.below(random.chance(0.5) ? 3 : digits), "0123456789")}`;
}
