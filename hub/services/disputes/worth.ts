import { amountAtRate, ZERO_ADDRESS, type Address } from "../../../protocol";
import type { GasPrice } from "../gas-price";
import type { Rates } from "../rates";

/** An amount in an asset's base units. */
export type Amount = readonly [asset: Address, amount: bigint];

/** Whether something is worth what its transactions cost now. */
export interface Worth {
  /**
   * @param gas Of all transactions that it takes.
   * @returns True also where nobody knows a price: what is not known to be too little is stood up for.
   */
  isWorth(amounts: Iterable<Amount>, gas: bigint): boolean;
}

/** @param percent How much of its cost something must bring, at least; 0: anything but nothing is worth it. */
export function gasWorth(gasPrice: Pick<GasPrice, "current">, rates: Pick<Rates, "current">, percent: number): Worth {
  const inWei = ([asset, amount]: Amount): bigint | undefined => {
    if (asset === ZERO_ADDRESS) return amount;
    const known = rates.current().rates.find((each) => each.sellAsset === asset && each.buyAsset === ZERO_ADDRESS);
    return known === undefined ? undefined : amountAtRate(amount, known.rate);
  };
  return {
    isWorth: (amounts, gas) => {
      const values = [...amounts].filter(([, amount]) => amount > 0n).map(inWei);
      if (values.length === 0) return false;
      if (values.includes(undefined)) return true;
      const { maxFeePerGas, maxPriorityFeePerGas } = gasPrice.current();
      const likely = (maxFeePerGas + maxPriorityFeePerGas) / 2n; // an offer has room for a base fee that doubles
      const worthWei = values.reduce<bigint>((sum, value) => sum + (value ?? 0n), 0n);
      return worthWei * 100n > gas * likely * BigInt(percent);
    },
  };
}
