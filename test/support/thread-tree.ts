import { ZeroHash, concat, keccak256 } from "ethers";

/** A second implementation of the thread tree (docs/protocol.md), so that tests do not check our code with itself. */
const leafOf = (threadHash: string): string => keccak256(threadHash);

const parentOf = (a: string, b: string): string => keccak256(a < b ? concat([a, b]) : concat([b, a]));

const levelAbove = (level: readonly string[]): string[] =>
  level.flatMap((left, i) => {
    if (i % 2 === 1) return [];
    const right = level[i + 1];
    return [right === undefined ? left : parentOf(left, right)];
  });

/** All levels from the sorted leaves to the root. */
function levelsOf(threadHashes: readonly string[]): string[][] {
  const levels = [threadHashes.map(leafOf).sort()];
  for (let level = levels[0] ?? []; level.length > 1;) {
    level = levelAbove(level);
    levels.push(level);
  }
  return levels;
}

/** The root of a set of open threads; zero for none. */
export function rootOf(threadHashes: readonly string[]): string {
  return levelsOf(threadHashes).at(-1)?.[0] ?? ZeroHash;
}

/** The siblings from the thread's leaf up to the root. */
export function proveThread(threadHashes: readonly string[], threadHash: string): string[] {
  let node = leafOf(threadHash);
  return levelsOf(threadHashes).flatMap((level) => {
    const sibling = level[level.indexOf(node) ^ 1];
    if (sibling === undefined || level.length === 1) return [];
    node = parentOf(node, sibling);
    return [sibling];
  });
}
