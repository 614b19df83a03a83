import type { Static, TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import { protocolError } from "../errors";

const validators = new WeakMap<TSchema, Validator>();

/**
 * A value from outside as its schema's type.
 * @param path What the value is, for the error: `body` gives `body.payments.0.amount`.
 * @throws InvalidValue naming the first field that is wrong and what would be right.
 */
export function validate<Schema extends TSchema>(schema: Schema, given: unknown, path: string): Static<Schema> {
  const validator = validatorOf(schema);
  if (validator.Check(given)) return given as Static<Schema>;
  const problem = deepest(validator.Errors(given));
  const place = problem === undefined ? path : path + problem.instancePath.replaceAll("/", ".");
  throw protocolError("InvalidValue", { path: place, expected: expectedOf(problem), given: valueAt(given, problem) });
}

interface Problem {
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
  readonly keyword: string;
}

function validatorOf(schema: TSchema): Validator {
  let validator = validators.get(schema);
  if (validator === undefined) validators.set(schema, (validator = Compile(schema)));
  return validator;
}

/** Of a union every branch complains; the complaint furthest inside is the one about the branch that was meant. */
function deepest(problems: readonly Problem[]): Problem | undefined {
  const rank = ({ instancePath }: Problem): number => instancePath.split("/").length;
  return [...problems].sort((a, b) => rank(b) - rank(a))[0];
}

function expectedOf(problem: Problem | undefined): string {
  if (problem === undefined) return "of its form";
  const { pattern, additionalProperties } = problem.params as { pattern?: string; additionalProperties?: string[] };
  if (additionalProperties !== undefined) return `without the unknown ${additionalProperties.join(", ")}`;
  return pattern === undefined ? problem.message.replace(/^must /, "") : `text that matches ${pattern}`;
}

function valueAt(given: unknown, problem: Problem | undefined): unknown {
  const keys = (problem?.instancePath ?? "").split("/").slice(1);
  return keys.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    given,
  );
}
