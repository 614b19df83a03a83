import type { Address } from "../address";
import { protocolError } from "../errors";
import { writeHex, type Hash } from "../hex";
import { keccak256, keccakOfText } from "../keccak";
import { UINT128_MAX, UINT256_MAX, UINT64_MAX } from "../uint";

/** One kind of statement: its EIP-712 type and the function that hashes a value of it. */
export interface StructType<Value> {
  readonly name: string;
  /** `encodeType` of EIP-712, referenced structs included; the preimage of the type hash. */
  readonly typeString: string;
  /** The `types` that wallets take for this kind. */
  readonly types: StructFieldLists;
  /** In signing order; the wire format is derived from them too. */
  readonly fields: readonly Field[];
  /** `hashStruct` of EIP-712: 32 bytes. @throws InvalidValue if a field does not fit its type. */
  readonly hash: (value: Value) => Uint8Array;
}

export type StructFieldLists = Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>>;

/** Field name to Solidity type, in signing order. The compiler refuses a missing field and a type that cannot fit. */
export type StructFields<Value> = { readonly [Name in keyof Value]-?: FieldType<Value[Name]> };

type FieldType<Value> = Value extends Address
  ? "address"
  : Value extends Hash
    ? "bytes32"
    : Value extends bigint
      ? "uint64" | "uint128" | "uint256"
      : Value extends boolean
        ? "bool"
        : Value extends string
          ? "string"
          : Value extends readonly (infer Item)[]
            ? ListOf<Item>
            : never;

/** A list of structs. Hashing does not look at `max`: too long a list is for the rules to refuse, by its own name. */
export interface ListOf<Item> {
  readonly item: StructType<Item>;
  readonly max: number;
}

export interface Field {
  readonly name: string;
  readonly type: keyof typeof WRITERS | ListOf<never>;
}

/**
 * Defines a struct by its fields. Values are laid out in one buffer that is reused, and hashed once: every field is
 * one 32-byte word, and a word's padding is zero from the start because no writer touches it.
 * Source: EIP-712 "Definition of encodeData". Parity with an independent implementation is a test.
 */
export function defineStruct<Value extends object>(name: string, layout: StructFields<Value>): StructType<Value> {
  const fields = Object.entries(layout).map(([field, type]) => ({ name: field, type: type as Field["type"] }));
  const types = fieldLists(name, fields);
  const typeString = encodeType(types);
  const writers = fields.map((field) => ({ ...field, path: `${name}.${field.name}`, write: writerOf(field.type) }));
  const buffer = new Uint8Array(32 * (1 + fields.length));
  const view = new DataView(buffer.buffer);
  buffer.set(keccakOfText(typeString));

  const hash = (value: Value): Uint8Array => {
    let offset = 0;
    for (const { name, path, write } of writers) {
      write(view, (offset += 32), (value as Readonly<Record<string, unknown>>)[name], path);
    }
    return keccak256(buffer);
  };
  return { name, typeString, types, fields, hash };
}

/** The struct's own fields first, then those of the structs it holds. */
function fieldLists(name: string, fields: readonly Field[]): StructFieldLists {
  const own = fields.map(({ name, type }) => ({ name, type: typeof type === "string" ? type : `${type.item.name}[]` }));
  const held = fields.map(({ type }) => (typeof type === "string" ? {} : type.item.types));
  return Object.assign({ [name]: own }, ...held) as StructFieldLists;
}

/** Referenced structs would have to be sorted by name; ours hold at most one. */
function encodeType(types: StructFieldLists): string {
  return Object.entries(types)
    .map(([name, fields]) => `${name}(${fields.map((field) => `${field.type} ${field.name}`).join(",")})`)
    .join("");
}

/** Writes one value into the word at `offset`, or refuses it. */
type WordWriter = (word: DataView, offset: number, value: unknown, path: string) => void;

const WRITERS = {
  address: (word, offset, value, path) => writeHex(bytesOf(word), offset + 12, 20, value, path),
  bytes32: (word, offset, value, path) => writeHex(bytesOf(word), offset, 32, value, path),
  bool: (word, offset, value, path) => {
    if (typeof value !== "boolean") throw invalidValue(path, "true or false", value);
    word.setUint8(offset + 31, value ? 1 : 0);
  },
  uint64: (word, offset, value, path) => {
    if (!isUint(value, UINT64_MAX)) throw invalidValue(path, "a bigint from 0 to 2^64 - 1", value);
    word.setBigUint64(offset + 24, value);
  },
  uint128: (word, offset, value, path) => {
    if (!isUint(value, UINT128_MAX)) throw invalidValue(path, "a bigint from 0 to 2^128 - 1", value);
    word.setBigUint64(offset + 16, value >> 64n);
    word.setBigUint64(offset + 24, BigInt.asUintN(64, value));
  },
  uint256: (word, offset, value, path) => {
    if (!isUint(value, UINT256_MAX)) throw invalidValue(path, "a bigint from 0 to 2^256 - 1", value);
    for (let part = 0; part < 4; part++) {
      word.setBigUint64(offset + 24 - 8 * part, BigInt.asUintN(64, value >> BigInt(64 * part)));
    }
  },
  string: (word, offset, value, path) => {
    if (typeof value !== "string") throw invalidValue(path, "a text", value);
    bytesOf(word).set(keccakOfText(value), offset);
  },
} satisfies Record<string, WordWriter>;

/** A list of structs is the hash of their hashes. */
function listWriter({ item: { name, hash } }: ListOf<never>): WordWriter {
  const hashItem = hash as (item: unknown) => Uint8Array;
  return (word, offset, value, path) => {
    if (!Array.isArray(value)) throw invalidValue(path, `a list of ${name}`, value);
    const hashes = new Uint8Array(32 * value.length);
    value.forEach((item, i) => hashes.set(hashItem(item), 32 * i));
    bytesOf(word).set(keccak256(hashes), offset);
  };
}

function writerOf(type: Field["type"]): WordWriter {
  return typeof type === "string" ? WRITERS[type] : listWriter(type);
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer);
}

function isUint(value: unknown, max: bigint): value is bigint {
  return typeof value === "bigint" && value >= 0n && value <= max;
}

function invalidValue(path: string, expected: string, given: unknown): Error {
  return protocolError("InvalidValue", { path, expected, given });
}
