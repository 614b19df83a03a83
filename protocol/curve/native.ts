import type * as Libsecp256k1 from "secp256k1";
import type { Curve } from "./curve";
import { curve as pure } from "./pure";

/** libsecp256k1 where its binding loads, about ten times as fast; otherwise the pure implementation. */
export const curve: Curve = load();

/**
 * `secp256k1/bindings`, never the package root, which falls back silently to a slow library of its own.
 * `require` because an import cannot be tried. That it failed is visible: `curve.name` says "pure".
 */
function load(): Curve {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- see above
    return nativeCurve(require("secp256k1/bindings") as typeof Libsecp256k1);
  } catch {
    return pure;
  }
}

function nativeCurve(lib: typeof Libsecp256k1): Curve {
  return {
    name: "native",
    sign: (digest, privateKey) => {
      const { signature, recid } = lib.ecdsaSign(reduce(digest), privateKey);
      return { signature, recovery: recid };
    },
    recover: (digest, signature, recovery) => lib.ecdsaRecover(signature, recovery, digest, false),
    publicKeyOf: (privateKey) => lib.publicKeyCreate(privateKey, false),
  };
}

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/**
 * RFC 6979 2.3.4 (bits2octets) feeds the digest modulo the order to the nonce; this version of libsecp256k1 feeds it as
 * it is. They differ for digests above the order only, and there the two implementations shall agree as well.
 */
function reduce(digest: Uint8Array): Uint8Array {
  const aboveOrder = digest.subarray(0, 15).every((byte) => byte === 0xff) && toBigInt(digest) >= ORDER;
  return aboveOrder ? toBytes(toBigInt(digest) - ORDER) : digest;
}

function toBigInt(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function toBytes(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * (31 - i))) & 0xffn));
}
