import { protocolError } from "./errors";
import { bytesToHex, writeHex, ZERO_HASH, type Hash } from "./hex";
import { keccak256 } from "./keccak";
import { MAX_THREADS } from "./thread";

// The tree of a channel's open threads. Source: docs/protocol.md "Signed types".
// Leaf = keccak256(threadHash), so that no inner node (64 bytes) passes for a leaf (32 bytes). Leaves are sorted, pairs
// are hashed sorted as OpenZeppelin's MerkleProof does, an odd last one rises unchanged, one leaf is the root.

/**
 * Root over the hashes of the threads' terms, in any order; zero for none.
 * @throws TooManyThreads DuplicateThread InvalidValue
 */
export function threadRoot(threadHashes: readonly Hash[]): Hash {
  return layersOf(threadHashes).at(-1)?.[0] ?? ZERO_HASH;
}

/**
 * Siblings from the leaf of `threadHash` up to the root, as `settleThread` takes them.
 * @throws ThreadNotInRoot TooManyThreads DuplicateThread InvalidValue
 */
export function proveThread(threadHashes: readonly Hash[], threadHash: Hash): readonly Hash[] {
  const layers = layersOf(threadHashes);
  let index = layers[0]?.indexOf(leafOf(threadHash)) ?? -1;
  if (index < 0) throw protocolError("ThreadNotInRoot", { threadHash, threadRoot: layers.at(-1)?.[0] ?? ZERO_HASH });
  const proof: Hash[] = [];
  for (const layer of layers) {
    const sibling = layer[index ^ 1];
    if (sibling !== undefined) proof.push(sibling);
    index >>= 1;
  }
  return proof;
}

/** Whether the proof leads from the thread's leaf to the root. @throws InvalidValue if a part is not 32 bytes. */
export function verifyProof(root: Hash, threadHash: Hash, proof: readonly Hash[]): boolean {
  return proof.reduce(hashPair, leafOf(threadHash)) === root;
}

/** Leaves first, root last; no layer at all for no thread. */
function layersOf(threadHashes: readonly Hash[]): readonly (readonly Hash[])[] {
  if (threadHashes.length === 0) return [];
  requireCountAndDistinct(threadHashes);
  const layers = [threadHashes.map(leafOf).sort()];
  for (let layer = layers[0] ?? []; layer.length > 1; layers.push(layer)) layer = nextLayer(layer);
  return layers;
}

function nextLayer(layer: readonly Hash[]): Hash[] {
  const pairs = Array.from({ length: Math.ceil(layer.length / 2) }, (_, i) => layer.slice(2 * i, 2 * i + 2));
  return pairs.map((pair) => pair.reduce(hashPair));
}

function requireCountAndDistinct(threadHashes: readonly Hash[]): void {
  const count = threadHashes.length;
  if (count > MAX_THREADS) throw protocolError("TooManyThreads", { count, limit: MAX_THREADS });
  const seen = new Set<Hash>();
  for (const threadHash of threadHashes) {
    if (seen.has(threadHash)) throw protocolError("DuplicateThread", { threadHash });
    seen.add(threadHash);
  }
}

function leafOf(threadHash: Hash): Hash {
  const bytes = new Uint8Array(32);
  writeHex(bytes, 0, 32, threadHash, "threadHash");
  return bytesToHex(keccak256(bytes));
}

/** Text order of hashes is their numeric order. */
function hashPair(a: Hash, b: Hash): Hash {
  const pair = new Uint8Array(64);
  writeHex(pair, 0, 32, a < b ? a : b, "node");
  writeHex(pair, 32, 32, a < b ? b : a, "node");
  return bytesToHex(keccak256(pair));
}
