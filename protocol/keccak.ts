import { keccak_256 } from "@noble/hashes/sha3.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { hexToBytes, type Hex } from "./hex";

/** Keccak-256 as Ethereum uses it (not SHA3-256). The only place that chooses an implementation. */
export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes);
}

/** Keccak-256 of the UTF-8 bytes of a text, as type strings and domain names are hashed. */
export function keccakOfText(text: string): Uint8Array {
  return keccak256(utf8ToBytes(text));
}

/** Keccak-256 of bytes written in hex, as the contract hashes an app's state. */
export function keccakOfHex(hex: Hex): Uint8Array {
  return keccak256(hexToBytes(hex));
}
