import { protocolError } from "./errors";
import { bytesToHex, hexToBytes, type Hash, type Hex } from "./hex";
import { keccak256, keccakOfText } from "./keccak";

declare const canonical: unique symbol;

/**
 * A 20-byte account or contract in the toolkit's one spelling: lower-case hex.
 * Lower case rather than the EIP-55 checksum, because then `===` is equality, text order is the numeric order that the
 * contract asks of assets, and no hash has to be computed to compare or to store one. The checksum is for people:
 * `parseAddress` verifies it where text comes in, `checksumAddress` adds it where an address is shown.
 * Only `parseAddress` and recovery make one, hence the brand.
 */
export type Address = Hex & { readonly [canonical]: "address" };

/** ETH as an asset; "nobody" as a party or app; "the user" as a recipient. */
export const ZERO_ADDRESS = `0x${"00".repeat(20)}` as Address;

const ADDRESS_PATTERN = /^0x[0-9a-fA-F]{40}$/;
const HASH_PATTERN = /^0x[0-9a-fA-F]{64}$/;

/**
 * Reads an address from outside: all lower-case, all upper-case, or with a correct EIP-55 checksum.
 * @param path Where it stood, for the error.
 * @throws InvalidValue
 */
export function parseAddress(given: unknown, path = "address"): Address {
  if (typeof given !== "string" || !ADDRESS_PATTERN.test(given)) {
    throw protocolError("InvalidValue", { path, expected: "0x and 40 hex digits", given });
  }
  const address = given.toLowerCase() as Address;
  const digits = given.slice(2);
  const hasChecksum = digits !== digits.toLowerCase() && digits !== digits.toUpperCase();
  if (hasChecksum && given !== checksumAddress(address)) {
    throw protocolError("InvalidValue", { path, expected: `the checksum of ${checksumAddress(address)}`, given });
  }
  return address;
}

/** Reads 32 bytes from outside, in either case. @throws InvalidValue */
export function parseHash(given: unknown, path = "hash"): Hash {
  if (typeof given === "string" && HASH_PATTERN.test(given)) return given.toLowerCase() as Hash;
  throw protocolError("InvalidValue", { path, expected: "0x and 64 hex digits", given });
}

/** The spelling for people (EIP-55): a digit is upper-case where the hash of the lower-case text has its high bit. */
export function checksumAddress(address: Address): Hex {
  const hash = bytesToHex(keccakOfText(address.slice(2)));
  const digits = [...address.slice(2)].map((digit, i) => (hash.charAt(2 + i) >= "8" ? digit.toUpperCase() : digit));
  return `0x${digits.join("")}`;
}

/** The account of an uncompressed public key: 65 bytes, of which the first is 4. */
export function addressOfPublicKey(publicKey: Uint8Array): Address {
  return bytesToHex(keccak256(publicKey.subarray(1)).subarray(12)) as Address;
}

/** The 20 bytes of an address. */
export function addressToBytes(address: Address): Uint8Array {
  return hexToBytes(address);
}
