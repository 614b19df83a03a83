import { curve } from "#curve";
import { addressOfPublicKey, type Address } from "./address";
import { protocolError } from "./errors";
import { bytesToHex, hexToBytes, type Hash, type Hex } from "./hex";

/** Signatures as text: 65 bytes r, s, v with v 27 or 28, or 64 bytes as in EIP-2098. `signDigest` makes the first. */
export type Signature = Hex;

const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const V_OFFSET = 27;

/**
 * Signs a digest: deterministic (RFC 6979), low s (EIP-2), 65 bytes.
 * @param privateKey 32 bytes; bytes rather than text so that the caller can wipe them.
 * @throws InvalidPrivateKey InvalidValue
 */
export function signDigest(digest: Hash, privateKey: Uint8Array): Signature {
  const bytes = digestBytes(digest);
  const { signature, recovery } = withKey(privateKey, () => curve.sign(bytes, privateKey));
  const result = new Uint8Array(65);
  result.set(signature);
  result[64] = V_OFFSET + recovery;
  return bytesToHex(result);
}

/** The account of a private key. @throws InvalidPrivateKey */
export function addressOfPrivateKey(privateKey: Uint8Array): Address {
  return addressOfPublicKey(withKey(privateKey, () => curve.publicKeyOf(privateKey)));
}

/**
 * The account that signed a digest. Accepts exactly what the contract accepts, and never answers with the zero address.
 * @throws MalformedSignature for any other length, v, s above half the order, r or s zero, or no such point.
 */
export function recoverAddress(digest: Hash, signature: Signature): Address {
  const { compact, recovery } = parseSignature(signature);
  try {
    return addressOfPublicKey(curve.recover(digestBytes(digest), compact, recovery));
  } catch (cause) {
    throw malformed("no public key fits it", cause);
  }
}

/** The 64-byte form (EIP-2098): the parity of y in the highest bit of s. @throws MalformedSignature */
export function toCompactSignature(signature: Signature): Signature {
  const { compact, recovery } = parseSignature(signature);
  compact[32] = (compact[32] ?? 0) | (recovery << 7);
  return bytesToHex(compact);
}

interface ParsedSignature {
  /** r then s: 64 bytes. */
  readonly compact: Uint8Array;
  readonly recovery: number;
}

function parseSignature(signature: Signature): ParsedSignature {
  const bytes = signatureBytes(signature);
  const parsed = bytes.length === 65 ? splitV(bytes) : splitParity(bytes);
  const s = BigInt(bytesToHex(parsed.compact.subarray(32)));
  // libsecp256k1 and ecrecover would take the mirrored signature as well, so one statement had two signatures.
  if (s > HALF_ORDER) throw malformed("s is above half the order");
  return parsed;
}

function signatureBytes(signature: Signature): Uint8Array {
  try {
    const bytes = hexToBytes(signature);
    if (bytes.length === 64 || bytes.length === 65) return bytes;
  } catch (cause) {
    throw malformed("it is not lower-case hex", cause);
  }
  throw malformed(`it has ${(signature.length - 2) / 2} bytes`);
}

function splitV(bytes: Uint8Array): ParsedSignature {
  const recovery = (bytes[64] ?? 0) - V_OFFSET;
  if (recovery !== 0 && recovery !== 1) throw malformed(`v is ${bytes[64]}`);
  return { compact: bytes.subarray(0, 64), recovery };
}

function splitParity(bytes: Uint8Array): ParsedSignature {
  const highest = bytes[32] ?? 0;
  bytes[32] = highest & 0x7f;
  return { compact: bytes, recovery: highest >> 7 };
}

function digestBytes(digest: Hash): Uint8Array {
  const bytes = hexToBytes(digest);
  if (bytes.length === 32) return bytes;
  throw protocolError("InvalidValue", { path: "digest", expected: "32 bytes", given: digest });
}

/** The libraries' own errors are not passed on: some print the key. */
function withKey<Result>(privateKey: Uint8Array, use: () => Result): Result {
  if (!(privateKey instanceof Uint8Array) || privateKey.length !== 32) throw protocolError("InvalidPrivateKey", {});
  try {
    return use();
  } catch {
    throw protocolError("InvalidPrivateKey", {});
  }
}

function malformed(reason: string, cause?: unknown): Error {
  return protocolError("MalformedSignature", { reason }, cause);
}
