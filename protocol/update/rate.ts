/** Rates are base units bought for this many base units sold. */
export const RATE_ONE = 10n ** 18n;

/** What a taker gets for `sellAmount`: rounded down, against the taker, and nothing is carried over. */
export function amountAtRate(sellAmount: bigint, rate: bigint): bigint {
  return (sellAmount * rate) / RATE_ONE;
}

/** The least amount to sell to get `buyAmount`: rounded up, against the taker. Zero rates buy nothing: no answer. */
export function amountToSell(buyAmount: bigint, rate: bigint): bigint | undefined {
  return rate === 0n ? undefined : (buyAmount * RATE_ONE + rate - 1n) / rate;
}
