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
  readonly schemaPath: string;
  readonly message: string;
  readonly params: object;
  readonly keyword: string;
}

function validatorOf(schema: TSchema): Validator {
  let validator = validators.get(schema);
  if (validator === undefined) validators.set(schema, (validator = Compile(schema)));
  return validator;
}

/**
 * Of a union every branch complains. Those whose tag is another one were not meant; of the rest, the complaint furthest
 * inside says most.
 */
function deepest(problems: readonly Problem[]): Problem | undefined {
  const tags = problems.filter(({ keyword }) => keyword === "const");
  const wasMeant = (problem: Problem): boolean => !tags.some((tag) => isInside(problem, tag));
  const meant = problems.filter((problem) => problem.keyword !== "boolean" && wasMeant(problem)); // says a field again
  const rank = ({ instancePath }: Problem): number => instancePath.split("/").length;
  return [...(meant.length > 0 ? meant : problems)].sort((a, b) => rank(b) - rank(a))[0];
}

/** Whether a complaint is about the object, and the branch, whose tag is another one: `#/anyOf/1/properties/reason`. */
function isInside(problem: Problem, tag: Problem): boolean {
  const branch = tag.schemaPath.replace(/properties\/[^/]+$/, "");
  const object = tag.instancePath.replace(/[^/]+$/, "");
  return `${problem.schemaPath}/`.startsWith(branch) && `${problem.instancePath}/`.startsWith(object);
}

/** Goes on from "must be". */
function expectedOf(problem: Problem | undefined): string {
  if (problem === undefined) return "of its form";
  const { pattern, additionalProperties, requiredProperties } = problem.params as Params;
  if (additionalProperties !== undefined) return `without the unknown ${additionalProperties.join(", ")}`;
  if (requiredProperties !== undefined) return `with the missing ${requiredProperties.join(", ")}`;
  if (pattern !== undefined) return `text that matches ${pattern}`;
  const { message } = problem;
  return message.startsWith("must be ") ? message.slice("must be ".length) : `of its form: it ${message}`;
}

interface Params {
  readonly pattern?: string;
  readonly additionalProperties?: readonly string[];
  readonly requiredProperties?: readonly string[];
}

function valueAt(given: unknown, problem: Problem | undefined): unknown {
  const keys = (problem?.instancePath ?? "").split("/").slice(1);
  return keys.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    given,
  );
}
