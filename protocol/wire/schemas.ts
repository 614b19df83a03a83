import { Type, type TSchema, type TString, type TUnsafe } from "typebox";

import type { Field, StructType } from "../eip712/struct";
import {
  assetStateType,
  channelStateType,
  resolutionType,
  threadPaymentType,
  threadType,
  threadUpdateType,
} from "../eip712/statements";
import type { Json } from "./json";

// JSON schemas of the signed types, for routes, their documentation and messages that hold them. They describe the form;
// `parse*` also checks the range of integers and the checksum of addresses, and gives values of the toolkit's own types.

const HEX = "[0-9a-fA-F]";

export const addressSchema = Type.String({ pattern: `^0x${HEX}{40}$`, description: "20 bytes in hex" });
export const hashSchema = Type.String({ pattern: `^0x${HEX}{64}$`, description: "32 bytes in hex" });
export const signatureSchema = Type.String({
  pattern: `^0x(?:${HEX}{128}|${HEX}{130})$`,
  description: "r, s, v (65 bytes) or EIP-2098 (64 bytes) in hex",
});
export const uint64Schema = decimalSchema(64, 20);
export const uint128Schema = decimalSchema(128, 39);
const uint256Schema = decimalSchema(256, 78);

const SCALARS = {
  address: addressSchema,
  bytes32: hashSchema,
  uint64: uint64Schema,
  uint128: uint128Schema,
  uint256: uint256Schema,
  bool: Type.Boolean(),
  string: Type.String(),
};

export const assetStateSchema = structSchema(assetStateType);
export const channelStateSchema = structSchema(channelStateType);
export const threadSchema = structSchema(threadType);
export const threadPaymentSchema = structSchema(threadPaymentType);
export const threadUpdateSchema = structSchema(threadUpdateType);
export const resolutionSchema = structSchema(resolutionType);

/** Exactly the fields of the struct, all of them. */
function structSchema<Value>(type: StructType<Value>): TUnsafe<Json<Value>> {
  const properties = Object.fromEntries(type.fields.map((field) => [field.name, fieldSchema(field)]));
  return Type.Unsafe<Json<Value>>(Type.Object(properties, { additionalProperties: false }));
}

function fieldSchema({ type }: Field): TSchema {
  if (typeof type === "string") return SCALARS[type];
  return Type.Array(structSchema(type.item), { maxItems: type.max });
}

function decimalSchema(bits: number, digits: number): TString {
  const pattern = `^(?:0|[1-9][0-9]{0,${digits - 1}})$`;
  return Type.String({ pattern, description: `decimal, at most 2^${bits} - 1` });
}
