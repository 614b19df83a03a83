import { IERC20Metadata__factory, LocalToken__factory } from "../../typechain-types";
import { ETHER, formatAmount, type Amount } from "../amount";
import type { Step } from "../chain/transactions";
import { operationError } from "../errors";
import type { Movement } from "./move";
import { managerOf, readAmount, type ReserveDeps } from "./reserve";

/**
 * Puts an amount into the reserve. A token is approved for exactly that amount, in the same run.
 * @param text Such as `3.14eth`, or base units of `token`.
 * @param from An account whose key is at hand, or its index.
 * @throws those of `parseAmount`; TokenUnreadable, TokenBalanceTooLow, AccountUnknown
 */
export async function planFund(
  deps: ReserveDeps,
  text: string,
  token: string | undefined,
  from: string | undefined,
): Promise<Movement> {
  const amount = await readAmount(deps, text, token);
  const account = accountOf(deps, from);
  const before = amount.asset.address === ETHER.address ? [] : await tokenSteps(deps, account, amount);
  return { verb: "fund", amount, account, steps: [...before, await fundStep(deps, amount)] };
}

async function fundStep(deps: ReserveDeps, { asset, units }: Amount): Promise<Step> {
  const manager = managerOf(deps);
  const data = manager.interface.encodeFunctionData("fundReserve", [asset.address, units]);
  const valueWei = asset.address === ETHER.address ? units : 0n;
  return { what: `fund ${formatAmount({ asset, units })}`, to: await manager.getAddress(), data, valueWei };
}

/** Some tokens refuse to change an allowance that is not zero. */
async function tokenSteps(deps: ReserveDeps, account: string, amount: Amount): Promise<Step[]> {
  const { asset, units } = amount;
  const token = IERC20Metadata__factory.connect(asset.address, deps.provider);
  const spender = await managerOf(deps).getAddress();
  const approve = (what: string, value: bigint): Step => {
    const data = token.interface.encodeFunctionData("approve", [spender, value]);
    return { what, to: asset.address, data, valueWei: 0n };
  };
  const allowance = await token.allowance(account, spender);
  const reset = allowance === 0n || allowance === units ? [] : [approve("clear the old allowance", 0n)];
  const allow = allowance === units ? [] : [approve(`approve ${formatAmount(amount)}`, units)];
  return [...(await coverSteps(deps, account, amount)), ...reset, ...allow];
}

/** What the account lacks is minted if the token is the local one, which anybody may. @throws TokenBalanceTooLow */
async function coverSteps(deps: ReserveDeps, account: string, { asset, units }: Amount): Promise<Step[]> {
  const balance = await IERC20Metadata__factory.connect(asset.address, deps.provider).balanceOf(account);
  if (balance >= units) return [];
  const missing = { asset, units: units - balance };
  if (deps.chain.isLocal && asset.address === deps.book.contracts.LocalToken?.address) {
    const data = LocalToken__factory.createInterface().encodeFunctionData("mint", [account, missing.units]);
    return [{ what: `mint ${formatAmount(missing)} of the local token`, to: asset.address, data, valueWei: 0n }];
  }
  throw operationError("TokenBalanceTooLow", {
    account,
    balance: formatAmount({ asset, units: balance }),
    needed: formatAmount({ asset, units }),
  });
}

/** @throws DeployerKeyMissing, AccountUnknown */
function accountOf({ accounts, chain }: ReserveDeps, from = "0"): string {
  if (accounts.length === 0) throw operationError("DeployerKeyMissing", { network: chain.network });
  const found = /^\d+$/.test(from)
    ? accounts[Number(from)]
    : accounts.find((account) => account.toLowerCase() === from.toLowerCase());
  if (found === undefined) throw operationError("AccountUnknown", { given: from, count: accounts.length });
  return found;
}
