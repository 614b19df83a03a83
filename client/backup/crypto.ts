// What this folder needs of WebCrypto, which browsers and Node share; named here because the client is compiled without a page.

export interface SubtleCrypto {
  importKey(format: "raw", key: Uint8Array, algorithm: string, extractable: false, uses: string[]): Promise<CryptoKey>;
  deriveKey(how: HkdfParams, base: CryptoKey, kind: AesKind, extractable: false, uses: string[]): Promise<CryptoKey>;
  digest(algorithm: "SHA-256", data: Uint8Array): Promise<ArrayBuffer>;
  sign(algorithm: "HMAC", key: CryptoKey, data: Uint8Array): Promise<ArrayBuffer>;
  encrypt(algorithm: AesParams, key: CryptoKey, data: Uint8Array): Promise<ArrayBuffer>;
  decrypt(algorithm: AesParams, key: CryptoKey, data: Uint8Array): Promise<ArrayBuffer>;
}

/** A key that WebCrypto holds; nobody can read it out. */
export interface CryptoKey {
  readonly type: string;
}

interface HkdfParams {
  readonly name: "HKDF";
  readonly hash: "SHA-256";
  readonly salt: Uint8Array;
  readonly info: Uint8Array;
}

interface AesKind {
  readonly name: "AES-GCM";
  readonly length: 256;
}

interface AesParams {
  readonly name: "AES-GCM";
  readonly iv: Uint8Array;
  readonly additionalData: Uint8Array;
}

/** Absent on pages that are not secure (plain HTTP): then there are no backups. */
export function subtle(): SubtleCrypto | undefined {
  return (globalThis as unknown as { readonly crypto?: { readonly subtle?: SubtleCrypto } }).crypto?.subtle;
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** RFC 4648 section 5, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The bytes of exactly the one text that stands for them; nothing for any other text. */
export function fromBase64Url(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return toBase64Url(bytes) === text ? bytes : undefined;
  } catch {
    return undefined; // of a length that no bytes have
  }
}
