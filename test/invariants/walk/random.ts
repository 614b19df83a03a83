/** What the walk needs of chance. The same seed gives the same walk on every machine. */
export interface Random {
  /** From 0 to `count - 1`. */
  below(count: number): number;
  /** From 0 to `limit`, both included. */
  upTo(limit: bigint): bigint;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** Each item as often as its weight says. */
  weighted<T>(items: readonly (readonly [weight: number, item: T])[]): T;
}

const UINT32_RANGE = 2 ** 32;

/** Derives the seed of a part of the walk. */
export function derivedSeed(seed: number, part: number): number {
  return mix(seed ^ mix(part + 0x9e3779b9));
}

/** Mulberry32: small, fast, and random enough to choose moves. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    return mulberry(state);
  };
  const below = (count: number): number => Math.floor((next() / UINT32_RANGE) * count);
  return {
    below,
    upTo: (limit) => wide(next, limit + 1n),
    chance: (probability) => next() / UINT32_RANGE < probability,
    pick: (items) => items[below(items.length)]!,
    weighted: (items) => pickWeighted(items, next() / UINT32_RANGE),
  };
}

function pickWeighted<T>(items: readonly (readonly [number, T])[], fraction: number): T {
  let rest = fraction * items.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, item] of items) {
    rest -= weight;
    if (rest < 0) return item;
  }
  return items.at(-1)![1];
}

function wide(next: () => number, count: bigint): bigint {
  if (count <= BigInt(UINT32_RANGE)) return (BigInt(next()) * count) >> 32n;
  let value = 0n;
  for (let bits = count.toString(2).length + 32; bits > 0; bits -= 32) value = (value << 32n) | BigInt(next());
  return value % count;
}

function mulberry(state: number): number {
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return (mixed ^ (mixed >>> 14)) >>> 0;
}

function mix(value: number): number {
  return mulberry(mulberry(value >>> 0));
}
