import { parseAddress, parseHash } from "../address";
import type { Field, ListOf, StructType } from "../eip712/struct";
import { protocolError } from "../errors";
import type { Signature } from "../signature";
import { UINT128_MAX, UINT256_MAX, UINT64_MAX } from "../uint";

/**
 * Reads a struct from outside: exactly its fields, integers as decimal strings within their type, addresses and hashes
 * in their one spelling afterwards.
 * @param path Where it stood, as the error names it.
 * @throws InvalidValue naming the first field that is not of its form, e.g. `state.assets.0.locked`.
 */
export function parseStruct<Value extends object>(type: StructType<Value>, given: unknown, path: string): Value {
  const record = parseRecord(type, given, path);
  const entries = type.fields.map(({ name, type }) => [name, parseField(type, record[name], `${path}.${name}`)]);
  return Object.fromEntries(entries) as Value;
}

const SIGNATURE_PATTERN = /^0x(?:[0-9a-fA-F]{128}|[0-9a-fA-F]{130})$/;

/** Reads 64 or 65 bytes of signature; whose it is, `checkSignature` says. @throws InvalidValue */
export function parseSignature(given: unknown, path = "signature"): Signature {
  if (typeof given === "string" && SIGNATURE_PATTERN.test(given)) return given.toLowerCase() as Signature;
  throw protocolError("InvalidValue", { path, expected: "0x and 128 or 130 hex digits", given });
}

const DECIMAL_PATTERN = /^(?:0|[1-9][0-9]*)$/;

/** Reads an integer from a decimal string without sign, point or leading zero. @throws InvalidValue */
export function parseUint(given: unknown, max: bigint, path: string): bigint {
  // The length first: turning a text of a million digits into a number would take a second.
  const isDecimal = typeof given === "string" && given.length <= 78 && DECIMAL_PATTERN.test(given);
  const value = isDecimal ? BigInt(given) : -1n;
  if (value >= 0n && value <= max) return value;
  throw protocolError("InvalidValue", { path, expected: `a decimal string from 0 to ${max}`, given });
}

function parseField(type: Field["type"], given: unknown, path: string): unknown {
  return typeof type === "string" ? SCALARS[type](given, path) : parseList(type, given, path);
}

const SCALARS = {
  address: parseAddress,
  bytes32: parseHash,
  uint64: (given: unknown, path: string) => parseUint(given, UINT64_MAX, path),
  uint128: (given: unknown, path: string) => parseUint(given, UINT128_MAX, path),
  uint256: (given: unknown, path: string) => parseUint(given, UINT256_MAX, path),
  bool: (given: unknown, path: string) => parseOf("boolean", given, path),
  string: (given: unknown, path: string) => parseOf("string", given, path),
};

function parseOf(type: "boolean" | "string", given: unknown, path: string): unknown {
  if (typeof given === type) return given;
  throw protocolError("InvalidValue", { path, expected: `a ${type}`, given });
}

function parseList({ item, max }: ListOf<never>, given: unknown, path: string): unknown {
  if (Array.isArray(given) && given.length <= max)
    return given.map((each, i) => parseStruct(item, each, `${path}.${i}`));
  throw protocolError("InvalidValue", { path, expected: `a list of at most ${max}`, given });
}

/** A field too many is refused as well: it may be one that its sender believes to be signed. */
function parseRecord(type: StructType<never>, given: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw protocolError("InvalidValue", { path, expected: `an object with the fields of ${type.name}`, given });
  }
  for (const key of Object.keys(given)) {
    if (type.fields.some(({ name }) => name === key)) continue;
    throw protocolError("InvalidValue", { path: `${path}.${key}`, expected: "absent", given: Reflect.get(given, key) });
  }
  return given as Readonly<Record<string, unknown>>;
}
