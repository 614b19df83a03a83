import { keccak_256 } from "@noble/hashes/sha3.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { createKeccak, type IHasher } from "hash-wasm";
import { hexToBytes, type Hex } from "./hex";

/** WebAssembly, eight times as fast as JavaScript; absent until it is compiled, and where a page's policy forbids it. */
let compiled: IHasher | undefined;

/** Settles when it is known whether `keccak256` runs on WebAssembly. Nobody needs to wait: results are the same. */
export const keccakChosen: Promise<"wasm" | "pure"> = createKeccak(256).then(
  (hasher) => {
    compiled = hasher;
    return "wasm";
  },
  () => "pure",
);

/** Keccak-256 as Ethereum uses it (not SHA3-256). The only place that chooses an implementation. */
export function keccak256(bytes: Uint8Array): Uint8Array {
  return compiled === undefined ? keccak_256(bytes) : compiled.init().update(bytes).digest("binary");
}

/** Keccak-256 of the UTF-8 bytes of a text, as type strings and domain names are hashed. */
export function keccakOfText(text: string): Uint8Array {
  return keccak256(utf8ToBytes(text));
}

/** Keccak-256 of bytes written in hex, as the contract hashes an app's state. */
export function keccakOfHex(hex: Hex): Uint8Array {
  return keccak256(hexToBytes(hex));
}
