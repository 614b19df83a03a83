import { expect } from "chai";
import { concat, keccak256 } from "ethers";
import fc from "fast-check";
import { MAX_THREADS, proveThread, threadRoot, verifyProof, ZERO_HASH, type Hash } from "../../protocol";
import * as arbitrary from "./arbitraries";
import { expectThrow } from "./fixtures";

const SIZES = Array.from({ length: MAX_THREADS + 1 }, (_, size) => size);

/** Distinct, and in no order. */
function threadHashes(count: number, salt = 0): Hash[] {
  return Array.from({ length: count }, (_, i) => keccak256(Uint8Array.of(salt, i)) as Hash);
}

// An independent implementation: numbers instead of text, recursion over halves of a perfect tree instead of layers.

function independentRoot(hashes: readonly string[]): string {
  const leaves = hashes.map((hash) => BigInt(keccak256(hash))).sort((a, b) => (a < b ? -1 : 1));
  return leaves.length === 0 ? ZERO_HASH : toHash(subtree(leaves));
}

/** The left part is the largest perfect tree below: an odd last node rises until it finds a sibling. */
function subtree(leaves: readonly bigint[]): bigint {
  if (leaves.length === 1) return leaves[0]!;
  const left = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return pairHash(subtree(leaves.slice(0, left)), subtree(leaves.slice(left)));
}

/** OpenZeppelin's `MerkleProof.processProof`. */
function processProof(threadHash: string, proof: readonly string[]): string {
  return toHash(proof.reduce((node, sibling) => pairHash(node, BigInt(sibling)), BigInt(keccak256(threadHash))));
}

function pairHash(a: bigint, b: bigint): bigint {
  return BigInt(keccak256(a < b ? concat([toHash(a), toHash(b)]) : concat([toHash(b), toHash(a)])));
}

function toHash(value: bigint): string {
  return `0x${value.toString(16).padStart(64, "0")}`;
}

describe("merkle", () => {
  it("refuses 65 threads", () => {
    const details = { count: 65, limit: 64 };
    expectThrow(() => threadRoot(threadHashes(65)), "TooManyThreads", details);
    expectThrow(() => proveThread(threadHashes(65), threadHashes(1)[0]!), "TooManyThreads", details);
  });

  it("refuses one thread twice", () => {
    const [threadHash, other] = threadHashes(2) as [Hash, Hash];
    expectThrow(() => threadRoot([threadHash, other, threadHash]), "DuplicateThread", { threadHash });
  });

  it("refuses what is no hash", () => {
    expectThrow(() => threadRoot(["0x00"]), "InvalidValue", { path: "threadHash" });
    expectThrow(() => verifyProof(ZERO_HASH, ZERO_HASH, ["0x00"]), "InvalidValue", { path: "node" });
  });

  it("proves nothing that is not in the tree", () => {
    const [threadHash, ...others] = threadHashes(4) as [Hash, ...Hash[]];
    const root = threadRoot(others);
    expectThrow(() => proveThread(others, threadHash), "ThreadNotInRoot", { threadHash, threadRoot: root });
    expectThrow(() => proveThread([], threadHash), "ThreadNotInRoot", { threadHash, threadRoot: ZERO_HASH });
  });

  it("has root zero for no thread, and the leaf itself for one", () => {
    const [threadHash] = threadHashes(1) as [Hash];
    expect(threadRoot([])).to.equal(ZERO_HASH);
    expect(threadRoot([threadHash])).to.equal(keccak256(threadHash));
    expect(proveThread([threadHash], threadHash)).to.deep.equal([]);
  });

  for (const size of SIZES) {
    it(`A-9: ${size} leaves have the independent root, and each its proof`, () => {
      const hashes = threadHashes(size);
      const root = threadRoot(hashes);
      expect(root).to.equal(independentRoot(hashes));
      for (const threadHash of hashes) {
        const proof = proveThread(hashes, threadHash);
        expect(proof.length).to.be.at.most(6);
        expect(processProof(threadHash, proof)).to.equal(root);
        expect(verifyProof(root, threadHash, proof)).to.equal(true);
      }
    });
  }

  it("has the same root in any order", () => {
    const shuffled = fc
      .uniqueArray(arbitrary.hash, { maxLength: 20 })
      .chain((hashes) => fc.tuple(fc.constant(hashes), fc.shuffledSubarray(hashes, { minLength: hashes.length })));
    fc.assert(
      fc.property(shuffled, ([a, b]) => threadRoot(a) === threadRoot(b)),
      { numRuns: 50 },
    );
  });

  it("A-9: no proof fits another thread, a changed proof, or an inner node", () => {
    const hashes = threadHashes(13);
    const root = threadRoot(hashes);
    for (const threadHash of hashes) {
      const proof = proveThread(hashes, threadHash);
      for (const other of threadHashes(13, 1)) expect(verifyProof(root, other, proof)).to.equal(false);
      expect(verifyProof(root, threadHash, proof.slice(1))).to.equal(false);
      expect(verifyProof(root, threadHash, [...proof, ZERO_HASH])).to.equal(false);
      // A node one level up is no thread: it would have to be the hash of something 32 bytes long.
      const parent = processProof(threadHash, proof.slice(0, 1)) as Hash;
      expect(verifyProof(root, parent, proof.slice(1))).to.equal(false);
    }
  });
});
