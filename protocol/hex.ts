import { protocolError } from "./errors";

/** Bytes as text: `0x`, then two lower-case digits a byte. One spelling per value, so `===` compares values. */
export type Hex = `0x${string}`;

/** 32 bytes as text. Text order of hashes is their numeric order. */
export type Hash = Hex;

export const ZERO_HASH: Hash = `0x${"00".repeat(32)}`;

const DIGITS = "0123456789abcdef";
const BYTE_TEXT = Array.from({ length: 256 }, (_, byte) => DIGITS.charAt(byte >> 4) + DIGITS.charAt(byte & 15));
const NOT_A_DIGIT = 255;
const NIBBLES = new Uint8Array(128).fill(NOT_A_DIGIT);
for (let value = 0; value < 16; value++) NIBBLES[DIGITS.charCodeAt(value)] = value;

/** Spells bytes as `Hex`. */
export function bytesToHex(bytes: Uint8Array): Hex {
  let text = "0x";
  for (const byte of bytes) text += BYTE_TEXT[byte] ?? "";
  return text as Hex;
}

/** Reads `Hex` of any length. @throws InvalidValue if it is anything but `0x` and whole lower-case bytes. */
export function hexToBytes(hex: string): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, hex.length - 2) >> 1);
  writeHex(bytes, 0, bytes.length, hex, "hex");
  return bytes;
}

/**
 * Writes exactly `size` bytes into `target` at `offset`.
 * Upper-case digits are refused: inside the toolkit a value has one spelling, otherwise two spellings of one address
 * would pass for two parties. Text from outside goes through `parseAddress` or `parseHash` first.
 * @param path What the value is, for the error.
 * @throws InvalidValue if `hex` is not `0x` and `size` lower-case bytes.
 */
export function writeHex(target: Uint8Array, offset: number, size: number, hex: unknown, path: string): void {
  if (typeof hex !== "string" || hex.length !== 2 + 2 * size || !hex.startsWith("0x")) throw badHex(size, hex, path);
  let invalid = 0;
  for (let i = 0; i < size; i++) {
    const high = NIBBLES[hex.charCodeAt(2 + 2 * i)] ?? NOT_A_DIGIT;
    const low = NIBBLES[hex.charCodeAt(3 + 2 * i)] ?? NOT_A_DIGIT;
    invalid |= high | low;
    target[offset + i] = (high << 4) | low;
  }
  if (invalid > 15) throw badHex(size, hex, path);
}

function badHex(size: number, given: unknown, path: string): Error {
  return protocolError("InvalidValue", { path, expected: `0x and ${size} bytes in lower-case hex`, given });
}
