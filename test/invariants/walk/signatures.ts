import { TypedDataEncoder } from "ethers";
import {
  bytesToHex,
  digestOf,
  hashState,
  hashThread,
  hexToBytes,
  signDigest,
  toCompactSignature,
  MAX_ASSETS,
  type ChannelState,
  type Domain,
  type Hash,
  type Hex,
  type Address,
  type Thread,
} from "../../../protocol";
import { CHANNEL_STATE } from "../../support/typed-data";
import type { Actor } from "./actors";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** All signatures ever made in the walk. The model asks here who signed what, so it needs no cryptography of its own. */
export class Signatures {
  readonly #made = new Map<Hex, { readonly signer: Address; readonly digest: Hash }>();

  sign(signer: Actor, domain: Domain, structHash: Hash): Hex {
    return this.signDigest(signer, digestOf(domain, structHash));
  }

  signDigest(signer: Actor, digest: Hash): Hex {
    const signature = signDigest(digest, signer.key);
    this.#made.set(signature, { signer: signer.address, digest });
    return signature;
  }

  /** The same signature in 64 bytes (EIP-2098), as valid as it was. */
  compact(signature: Hex): Hex {
    const made = this.#made.get(signature);
    if (made === undefined || signature.length !== 132) return signature;
    const compact = toCompactSignature(signature);
    this.#made.set(compact, made);
    return compact;
  }

  isValid(signature: Hex, signer: Address, digest: Hash): boolean {
    const made = this.#made.get(signature);
    return made?.signer === signer && made.digest === digest;
  }
}

/** Signatures that were good and are refused now. */
export const SPOILS: readonly ((signature: Hex) => Hex)[] = [
  () => "0x",
  (signature) => `0x${signature.slice(2, -4)}`, // one byte less could be the good 64-byte form
  (signature) => `${signature}00`,
  (signature) => bytesToHex(hexToBytes(signature).map((byte, i) => (i === 10 ? byte ^ 1 : byte))),
  (signature) => bytesToHex(hexToBytes(signature).map((byte, i) => (i === 64 ? byte - 27 : byte))),
  mirrored,
  () => `0x${"00".repeat(65)}`,
];

/** The other signature that `ecrecover` takes for the same: high s. */
function mirrored(signature: Hex): Hex {
  const bytes = hexToBytes(signature);
  if (bytes.length !== 65) return "0x";
  const s = ORDER - BigInt(bytesToHex(bytes.subarray(32, 64)));
  const v = bytes[64] === 27 ? "1c" : "1b";
  return `${bytesToHex(bytes.subarray(0, 32))}${s.toString(16).padStart(64, "0")}${v}` as Hex;
}

const threadHashes = new WeakMap<Thread, Hash>();

/** `hashThread`, remembered. */
export function threadHashOf(thread: Thread): Hash {
  const hash = threadHashes.get(thread) ?? hashThread(thread);
  threadHashes.set(thread, hash);
  return hash;
}

const stateHashes = new WeakMap<ChannelState, Hash>();

/** `hashState`, remembered, and for malformed states as well, which `protocol/` refuses to hash. */
export function stateHashOf(state: ChannelState): Hash {
  const known = stateHashes.get(state);
  if (known !== undefined) return known;
  const hash = state.assets.length <= MAX_ASSETS ? hashState(state) : hashLargeState(state);
  stateHashes.set(state, hash);
  return hash;
}

function hashLargeState(state: ChannelState): Hash {
  return TypedDataEncoder.hashStruct("ChannelState", CHANNEL_STATE, state) as Hash;
}
