import { createHmac, timingSafeEqual } from "node:crypto";
import type { Address } from "../../protocol";

const RANDOM_BYTES = 10;
const TIME_BYTES = 6;
const BODY_BYTES = RANDOM_BYTES + TIME_BYTES;
const TAG_BYTES = 12;
const NONCE = new RegExp(`^[0-9a-f]{${2 * (BODY_BYTES + TAG_BYTES)}}$`);

/**
 * Nonces for sign-in messages that vouch for themselves: chance, the time they expire at, and a code over both and the
 * address that only this process can make. Asking for one stores nothing, so nobody can fill the hub with challenges or
 * push out somebody else's, and no attempt knows of another (H-5). That one signs in once, the store takes care of.
 */
export interface ChallengeNonces {
  make(address: Address, expiresAtMs: number): string;
  /** When a nonce expires; undefined if it was not made here for this address. */
  expiryOf(nonce: string, address: Address): number | undefined;
}

export function challengeNonces(randomBytes: (count: number) => Uint8Array): ChallengeNonces {
  const key = randomBytes(32);
  const tagOf = (body: Buffer, address: Address): Buffer =>
    createHmac("sha256", key).update(body).update(address).digest().subarray(0, TAG_BYTES);
  return {
    make: (address, expiresAtMs) => {
      const body = Buffer.alloc(BODY_BYTES);
      body.set(randomBytes(RANDOM_BYTES));
      body.writeUIntBE(expiresAtMs, RANDOM_BYTES, TIME_BYTES);
      return body.toString("hex") + tagOf(body, address).toString("hex");
    },
    expiryOf: (nonce, address) => {
      if (!NONCE.test(nonce)) return undefined;
      const bytes = Buffer.from(nonce, "hex");
      const body = bytes.subarray(0, BODY_BYTES);
      const isOwn = timingSafeEqual(bytes.subarray(BODY_BYTES), tagOf(body, address));
      return isOwn ? body.readUIntBE(RANDOM_BYTES, TIME_BYTES) : undefined;
    },
  };
}
