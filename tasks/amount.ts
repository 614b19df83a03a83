import { formatUnits, parseUnits } from "ethers";
import { UINT128_MAX } from "../protocol/uint";
import { operationError } from "./errors";

/** Something that can be counted: ETH, or a token. */
export interface Asset {
  /** Zero address for ETH. */
  readonly address: string;
  readonly symbol: string;
  readonly decimals: number;
}

/** An amount of an asset, in base units (wei for ETH). */
export interface Amount {
  readonly asset: Asset;
  readonly units: bigint;
}

export const ETHER: Asset = { address: `0x${"00".repeat(20)}`, symbol: "ETH", decimals: 18 };

/** Ether comes in these units; no token may be meant by their names. */
const ETHER_UNITS: Readonly<Record<string, number>> = { eth: 18, ether: 18, gwei: 9, wei: 0 };

const AMOUNT = /^(?<digits>\d+(?:\.\d+)?)\s*(?<unit>[\p{L}$₀-₿][\p{L}\p{N}.$₀-₿_-]*)?$/u;

/**
 * Reads what a person wrote: `1.5eth`, `10dai`, `1000 lusd`, or a whole number of base units of `asset`.
 * @param text What was written.
 * @param tokens The tokens whose symbols may be used.
 * @param asset What base units and symbols are of, if the person named it; otherwise base units are wei.
 * @throws AmountMalformed, UnitUnknown, SymbolAmbiguous, AmountTooPrecise, AmountTooLarge
 */
export function parseAmount(text: string, tokens: readonly Asset[], asset?: Asset): Amount {
  const { digits, unit } = AMOUNT.exec(text.trim())?.groups ?? {};
  if (digits === undefined) throw operationError("AmountMalformed", { given: text });
  const amount = unit === undefined ? baseUnits(digits, asset ?? ETHER) : inUnit(digits, unit, tokens, asset);
  if (amount.units === 0n) throw operationError("AmountMalformed", { given: text });
  if (amount.units > UINT128_MAX) throw operationError("AmountTooLarge", { given: text });
  return amount;
}

/** `1.5 ETH`: exact, with the unit. */
export function formatAmount({ asset, units }: Amount): string {
  return `${formatUnits(units, asset.decimals).replace(/\.0$/, "")} ${asset.symbol}`;
}

/** `0.0012 ETH`. */
export function formatEther(wei: bigint): string {
  return formatAmount({ asset: ETHER, units: wei });
}

function baseUnits(digits: string, asset: Asset): Amount {
  return { asset, units: scale(digits, 0, "a base unit") };
}

function inUnit(digits: string, unit: string, tokens: readonly Asset[], asset: Asset | undefined): Amount {
  const etherDecimals = ETHER_UNITS[unit.toLowerCase()];
  if (etherDecimals !== undefined && (asset === undefined || asset.address === ETHER.address)) {
    return { asset: ETHER, units: scale(digits, etherDecimals, unit) };
  }
  const found = bySymbol(unit, asset === undefined ? tokens : [asset], etherDecimals !== undefined);
  return { asset: found, units: scale(digits, found.decimals, found.symbol) };
}

/** A token that calls itself ETH is not taken at its word: only base units name an amount of it. */
function bySymbol(unit: string, tokens: readonly Asset[], isEtherUnit: boolean): Asset {
  const found = tokens.filter(({ symbol }) => symbol.toLowerCase() === unit.toLowerCase());
  const [first, second] = found;
  if (first !== undefined && second === undefined && !isEtherUnit) return first;
  if (first !== undefined) {
    const addresses = [...(isEtherUnit ? [ETHER.address] : []), ...found.map(({ address }) => address)];
    throw operationError("SymbolAmbiguous", { symbol: unit, addresses });
  }
  const known = [...Object.keys(ETHER_UNITS), ...tokens.map(({ symbol }) => symbol)];
  throw operationError("UnitUnknown", { unit, known });
}

function scale(digits: string, decimals: number, unit: string): bigint {
  const [, fraction = ""] = digits.split(".");
  if (fraction.length > decimals) throw operationError("AmountTooPrecise", { given: digits, unit, decimals });
  return parseUnits(digits, decimals);
}
