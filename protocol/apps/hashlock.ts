import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes, type Hash, type Hex } from "../hex";
import { threadSum, type Thread } from "../thread";

// HashlockApp.sol: everything to the receiver for the 32-byte preimage of a SHA-256 hash.

/** The app state that a preimage unlocks. @param preimage 32 bytes */
export function hashlockOf(preimage: Hex): Hash {
  return bytesToHex(sha256(hexToBytes(preimage)));
}

/** What `HashlockApp.resolve` answers; nothing where it reverts. */
export function resolveHashlock(thread: Thread, appState: Hex, resolver: Hex): bigint | undefined {
  const isSized = appState.length === 66 && resolver.length === 66;
  return isSized && hashlockOf(resolver) === appState.toLowerCase() ? threadSum(thread) : undefined;
}
