import { formatEther } from "../amount";
import { confirmSpending, describeSpending, feeOf, requireFunds } from "../chain/spending";
import { describeSteps, estimateSteps, sendSteps, type Step } from "../chain/transactions";
import type { Outcome } from "../command";
import type { DisputeDeps } from "./deps";

/** What a command is about to do on chain: nothing, if it is done already. */
export interface Plan {
  /** In words: `start the exit of …`. */
  readonly what: string;
  /** Who sends. */
  readonly account: string;
  readonly steps: readonly Step[];
  /** What is so already, where there is nothing to send. */
  readonly done?: string;
  /** The command after this one, without network. */
  readonly next: string;
}

export interface MoveOptions {
  readonly isDryRun: boolean;
  readonly agreed: boolean;
}

/**
 * Prices a plan, asks on a live chain, and sends it; or with `isDryRun` says what it would send.
 * @throws Underfunded, ConfirmationNeeded, Declined, TransactionFailed, and what the contract refuses with
 */
export async function carryOut(deps: DisputeDeps, plan: Plan, options: MoveOptions): Promise<Outcome> {
  const { chain, provider, terminal } = deps;
  const { what, account, steps } = plan;
  const next = `Next: npx hardhat ${plan.next} --network ${chain.network}`;
  const about = { network: chain.network, chainId: chain.chainId, what, account };
  if (steps.length === 0)
    return { json: { ...about, done: plan.done }, text: `${plan.done ?? "Nothing to do."}\n${next}` };
  const spending = await estimateSteps(provider, account, steps);
  if (options.isDryRun) {
    const cost = { gas: spending.gas, feePerGasWei: spending.feePerGasWei, totalWei: feeOf(spending) };
    const lines = [`Would ${what}:`, ...describeSteps(steps), describeSpending(spending)];
    const text = [...lines, "Nothing was sent. Next: the same command without --dry-run"].join("\n");
    return { json: { ...about, isDryRun: true, steps, cost }, text };
  }
  requireFunds(chain, spending);
  terminal.progress(describeSpending(spending));
  const question = `${what} and spend up to ${formatEther(feeOf(spending))} of ${account}`;
  await confirmSpending(chain, terminal, options.agreed, question);
  const transactions = await sendSteps(await deps.signerOf(account), steps, terminal);
  const text = [`Done: ${what}.`, ...transactions.map((each) => `  ${each.what}: ${each.hash}`), next].join("\n");
  return { json: { ...about, isDryRun: false, transactions }, text };
}
