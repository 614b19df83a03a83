/**
 * What the toolkit needs of secp256k1, on bytes. Two implementations with identical results: `native.ts` (libsecp256k1)
 * and `pure.ts` (JavaScript). `package.json#imports["#curve"]` decides between them, once: Node gets the native one,
 * which hands over to the pure one where its binding does not load; every other platform gets the pure one.
 * Callers have checked lengths; keys out of range and unusable signatures throw the library's own error.
 */
export interface Curve {
  readonly name: "native" | "pure";
  /**
   * ECDSA with the deterministic nonce of RFC 6979 (HMAC-SHA256, no extra entropy) and low s.
   * @param digest 32 bytes. @param privateKey 32 bytes.
   */
  readonly sign: (digest: Uint8Array, privateKey: Uint8Array) => RawSignature;
  /** The public key, 65 bytes, that made `signature` (64 bytes, r then s) over `digest` (32 bytes). */
  readonly recover: (digest: Uint8Array, signature: Uint8Array, recovery: number) => Uint8Array;
  /** The public key of a private one, 65 bytes. */
  readonly publicKeyOf: (privateKey: Uint8Array) => Uint8Array;
}

export interface RawSignature {
  /** r then s: 64 bytes. */
  readonly signature: Uint8Array;
  /** Parity of the nonce point's y: 0 or 1. (2 and 3, for r above the order, have a chance of 2^-127.) */
  readonly recovery: number;
}
