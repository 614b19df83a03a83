import type { Provider } from "ethers";

/** What a transaction offers, wei per gas (EIP-1559). */
export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

const GWEI = 10n ** 9n;

/** Nodes take a replacement only if both fields rise by a tenth; an eighth is on the safe side. */
const BUMP_NUMERATOR = 9n;
const BUMP_DENOMINATOR = 8n;

/** What the next blocks cost: the base fee may double in six full blocks before the offer is too low. */
export async function currentFees(provider: Provider): Promise<Fees> {
  const [block, data] = await Promise.all([provider.getBlock("latest"), provider.getFeeData()]);
  const base = block?.baseFeePerGas ?? data.gasPrice ?? GWEI;
  const maxPriorityFeePerGas = data.maxPriorityFeePerGas ?? GWEI;
  return { maxFeePerGas: base * 2n + maxPriorityFeePerGas, maxPriorityFeePerGas };
}

/** The next rung: above the last offer by enough to replace it, and at least what is usual now. Never above the cap. */
export function bumped(last: Fees, current: Fees, capWei: bigint): Fees {
  const up = (fee: bigint): bigint => (fee * BUMP_NUMERATOR) / BUMP_DENOMINATOR + 1n;
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
  const enough = (from: bigint, to: bigint): boolean => to * 10n >= from * 11n;
  return enough(last.maxFeePerGas, next.maxFeePerGas) && enough(last.maxPriorityFeePerGas, next.maxPriorityFeePerGas);
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
