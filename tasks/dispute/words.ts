import { ZERO_ADDRESS, type Address } from "../../protocol";
import { ETHER, formatAmount, type Asset } from "../amount";
import { readToken } from "../reserve/reserve";
import type { DisputeDeps } from "./deps";

/** Amounts with their units, for every asset that a command meets. */
export type Show = (asset: Address, units: bigint) => string;

/** Reads the tokens' symbols once; one that does not answer is shown by its address, in base units. */
export async function showOf({ provider }: Pick<DisputeDeps, "provider">, assets: Iterable<Address>): Promise<Show> {
  const known = new Map<Address, Asset>([[ZERO_ADDRESS, ETHER]]);
  for (const address of new Set(assets)) {
    const nameless = { address, symbol: `base units of ${address}`, decimals: 0 };
    if (!known.has(address)) known.set(address, await readToken(provider, address).catch(() => nameless));
  }
  return (address, units) =>
    formatAmount({ asset: known.get(address) ?? { address, symbol: address, decimals: 0 }, units });
}

/** `2026-11-27 19:30:00 UTC`. */
export function timeOf(seconds: bigint): string {
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

const UNITS: readonly (readonly [seconds: bigint, name: string])[] = [
  [86_400n, "d"],
  [3_600n, "h"],
  [60n, "min"],
  [1n, "s"],
];

/** `23 h 59 min`: the two greatest units. */
function durationOf(seconds: bigint): string {
  let rest = seconds < 0n ? -seconds : seconds;
  const parts = UNITS.map(([size, name]) => {
    const count = rest / size;
    rest %= size;
    return count === 0n ? "" : `${count} ${name}`;
  }).filter((part) => part !== "");
  return parts.slice(0, 2).join(" ") || "0 s";
}

/** `in 23 h 59 min`, `2 min ago`. */
export function countdownOf(seconds: bigint): string {
  return seconds > 0n ? `in ${durationOf(seconds)}` : `${durationOf(seconds)} ago`;
}

/** Who an address is, if it is one of those everybody means. */
export function nameOf({ hub }: Pick<DisputeDeps, "hub">, address: Address, user?: Address): string {
  if (address === hub) return `the hub (${address})`;
  return address === user ? "the user" : address;
}
