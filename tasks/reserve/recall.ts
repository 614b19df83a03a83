import { protocolError } from "../../protocol/errors";
import type { Address } from "../../protocol/address";
import { ETHER, formatAmount, type Amount } from "../amount";
import { operationError } from "../errors";
import type { Movement } from "./move";
import { managerOf, readAmount, readToken, type ReserveDeps } from "./reserve";

/**
 * Pays reserve to the treasury, by the hub's key or the treasury's.
 * @param text Such as `3.14eth`, base units of `token`, or `all`.
 * @param isDryRun Then no key is needed.
 * @throws those of `parseAmount`; TokenUnreadable, NothingToRecall, ReserveTooLow, SenderUnavailable
 */
export async function planRecall(
  deps: ReserveDeps,
  text: string,
  token: string | undefined,
  isDryRun: boolean,
): Promise<Movement> {
  const manager = managerOf(deps);
  const amount = text.trim() === "all" ? await wholeReserve(deps, token) : await readAmount(deps, text, token);
  const { asset, units } = amount;
  const reserve = await manager.reserveOf(asset.address);
  if (reserve < units) {
    throw protocolError("ReserveTooLow", { asset: asset.address.toLowerCase() as Address, reserve, needed: units });
  }
  const data = manager.interface.encodeFunctionData("recallReserve", [asset.address, units]);
  const step = { what: `recall ${formatAmount(amount)}`, to: await manager.getAddress(), data, valueWei: 0n };
  return { verb: "recall", amount, account: await callerOf(deps, isDryRun), steps: [step] };
}

async function wholeReserve(deps: ReserveDeps, token: string | undefined): Promise<Amount> {
  const asset = token === undefined ? ETHER : await readToken(deps.provider, token);
  const units = await managerOf(deps).reserveOf(asset.address);
  if (units === 0n) throw operationError("NothingToRecall", { symbol: asset.symbol });
  return { asset, units };
}

async function callerOf(deps: ReserveDeps, isDryRun: boolean): Promise<string> {
  const manager = managerOf(deps);
  const wanted = [await manager.hub(), await manager.treasury()] as const;
  const found = wanted.find((account) => deps.accounts.includes(account));
  if (found !== undefined) return found;
  if (isDryRun) return wanted[1];
  throw operationError("SenderUnavailable", { wanted, available: deps.accounts });
}
