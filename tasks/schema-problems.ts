import type { TSchema } from "typebox";
import { Value } from "typebox/value";

/** What is wrong with a value, each problem with its place: `/contracts/ChannelManager/address must match …`. */
export function problemsOf(schema: TSchema, value: unknown): string[] {
  if (Value.Check(schema, value)) return [];
  return Value.Errors(schema, value)
    .filter(({ keyword }) => keyword !== "boolean") // says again, of the property, what its object already said
    .map(({ instancePath, message, params }) => {
      const { additionalProperties } = params as { additionalProperties?: readonly string[] };
      const names = additionalProperties === undefined ? "" : `: ${additionalProperties.join(", ")}`;
      return `${instancePath === "" ? "the file" : instancePath} ${message}${names}`;
    });
}
