import type { Provider } from "ethers";

/** What a transaction offers, wei per gas (EIP-1559). */
export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** How a transaction climbs: it waits this long on a rung, and the next one is higher by these percent. */
export interface Ladder {
  readonly patienceMs: number;
  readonly risePercent: bigint;
  /** It may go above what others may offer at most: soon no offer helps any more. */
  readonly isUrgent: boolean;
}

const GWEI = 10n ** 9n;

/** Nodes take a replacement only if both fields rise by a tenth; an eighth is on the safe side. */
const RISE_TENTHS_PERCENT = 125n;

/** In the last part of a window a dispute climbs as fast as it may. */
const URGENT_SECONDS = 3_600;

/** What the next blocks cost: the base fee may double in six full blocks before the offer is too low. */
export async function currentFees(provider: Provider): Promise<Fees> {
  const [block, data] = await Promise.all([provider.getBlock("latest"), provider.getFeeData()]);
  const base = block?.baseFeePerGas ?? data.gasPrice ?? GWEI;
  const maxPriorityFeePerGas = data.maxPriorityFeePerGas ?? GWEI;
  return { maxFeePerGas: base * 2n + maxPriorityFeePerGas, maxPriorityFeePerGas };
}

/** @param leftSeconds Until the deadline of a dispute that is this transaction or waits behind it; undefined without one. */
export function ladderOf(bumpAfterMs: number, leftSeconds: number | undefined): Ladder {
  if (leftSeconds === undefined) return { patienceMs: bumpAfterMs, risePercent: 0n, isUrgent: false };
  if (leftSeconds >= URGENT_SECONDS) return { patienceMs: bumpAfterMs / 2, risePercent: 25n, isUrgent: false };
  return { patienceMs: bumpAfterMs / 4, risePercent: 50n, isUrgent: true };
}

/**
 * The next rung: above the last offer by enough to replace it, and at least what is usual now. Never above the cap.
 * @param risePercent More than the least of 12.5 %, if it is.
 */
export function bumped(last: Fees, current: Fees, capWei: bigint, risePercent = 0n): Fees {
  const rise = max(RISE_TENTHS_PERCENT, risePercent * 10n);
  const up = (fee: bigint): bigint => (fee * (1_000n + rise)) / 1_000n + 1n;
  const maxFeePerGas = min(max(up(last.maxFeePerGas), current.maxFeePerGas), capWei);
  const maxPriorityFeePerGas = min(max(up(last.maxPriorityFeePerGas), current.maxPriorityFeePerGas), maxFeePerGas);
  return { maxFeePerGas, maxPriorityFeePerGas };
}

export function capped({ maxFeePerGas, maxPriorityFeePerGas }: Fees, capWei: bigint): Fees {
  const limit = min(maxFeePerGas, capWei);
  return { maxFeePerGas: limit, maxPriorityFeePerGas: min(maxPriorityFeePerGas, limit) };
}

/** Whether an offer can still rise enough to replace the last one. */
export function canReplace(last: Fees, next: Fees): boolean {
  const enough = (from: bigint, to: bigint): boolean => to * 10n >= from * 11n && to > from;
  return enough(last.maxFeePerGas, next.maxFeePerGas) && enough(last.maxPriorityFeePerGas, next.maxPriorityFeePerGas);
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
