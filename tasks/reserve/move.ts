import { formatAmount, formatEther, type Amount } from "../amount";
import { confirmSpending, describeSpending, feeOf, requireFunds } from "../chain/spending";
import { describeSteps, estimateSteps, sendSteps, type SentStep, type Step } from "../chain/transactions";
import type { Outcome } from "../command";
import { managerOf, type ReserveDeps } from "./reserve";

/** A movement of reserve: who sends which transactions. */
export interface Movement {
  readonly verb: "fund" | "recall";
  readonly amount: Amount;
  readonly account: string;
  readonly steps: readonly Step[];
}

export interface MoveOptions {
  readonly isDryRun: boolean;
  readonly agreed: boolean;
}

/**
 * Prices a movement, asks on a live chain, and sends it; or with `isDryRun` says what it would send.
 * @throws Underfunded, ConfirmationNeeded, Declined, TransactionFailed, and what the contract refuses with
 */
export async function moveReserve(deps: ReserveDeps, movement: Movement, options: MoveOptions): Promise<Outcome> {
  const { chain, provider, terminal } = deps;
  const { account, steps, verb, amount } = movement;
  const spending = await estimateSteps(provider, account, steps);
  if (options.isDryRun) {
    const cost = { account, gas: spending.gas, feePerGasWei: spending.feePerGasWei, totalWei: feeOf(spending) };
    const lines = [`Would ${verb} ${formatAmount(amount)}:`, ...describeSteps(steps), describeSpending(spending)];
    const text = [...lines, "Nothing was sent. Next: the same command without --dry-run"].join("\n");
    return { json: { ...summaryOf(deps, movement), isDryRun: true, steps, cost }, text };
  }
  requireFunds(chain, spending);
  terminal.progress(describeSpending(spending));
  const question = `${verb} ${formatAmount(amount)} and spend up to ${formatEther(feeOf(spending))} of ${account}`;
  await confirmSpending(chain, terminal, options.agreed, question);
  const transactions = await sendSteps(await deps.signerOf(account), steps, terminal);
  return describeMoved(deps, movement, transactions);
}

async function describeMoved(deps: ReserveDeps, movement: Movement, transactions: SentStep[]): Promise<Outcome> {
  const { asset } = movement.amount;
  const reserve = await managerOf(deps).reserveOf(asset.address);
  const done = movement.verb === "fund" ? "Funded the reserve with" : "Recalled to the treasury";
  const text = [
    `${done} ${formatAmount(movement.amount)}; the reserve is ${formatAmount({ asset, units: reserve })} now.`,
    ...transactions.map(({ what, hash }) => `  ${what}: ${hash}`),
    `Next: npx hardhat reserve status --network ${deps.chain.network}`,
  ].join("\n");
  return { json: { ...summaryOf(deps, movement), isDryRun: false, transactions, reserve }, text };
}

function summaryOf({ chain }: ReserveDeps, { amount, account }: Movement): object {
  const { asset, units } = amount;
  return {
    network: chain.network,
    chainId: chain.chainId,
    asset: asset.address,
    symbol: asset.symbol,
    amount: units,
    account,
  };
}
