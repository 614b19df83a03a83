import type { StructType } from "../eip712/struct";

/** How a struct travels: integers as decimal strings, addresses and hashes as hex, everything else as it is. */
export type Json<Value> = {
  readonly [Name in keyof Value]: Value[Name] extends bigint
    ? string
    : Value[Name] extends boolean
      ? boolean
      : Value[Name] extends string
        ? string
        : Value[Name] extends readonly (infer Item)[]
          ? readonly Json<Item>[]
          : never;
};

/** Writes a struct as JSON, fields in signing order. */
export function formatStruct<Value extends object>(type: StructType<Value>, value: Value): Json<Value> {
  const record = value as Readonly<Record<string, unknown>>;
  const entries = type.fields.map(({ name, type }) => [name, formatField(type, record[name])]);
  return Object.fromEntries(entries) as Json<Value>;
}

function formatField(type: StructType<never>["fields"][number]["type"], value: unknown): unknown {
  if (typeof type === "string") return typeof value === "bigint" ? value.toString() : value;
  return (value as readonly never[]).map((item) => formatStruct(type.item, item));
}
