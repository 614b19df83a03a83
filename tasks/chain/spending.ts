import { formatEther } from "../amount";
import { operationError } from "../errors";
import type { Terminal } from "../terminal";
import type { Chain } from "./identify-chain";

/** What a command is about to spend, at most, and what the account that pays has. */
export interface Spending {
  readonly account: string;
  readonly gas: bigint;
  readonly feePerGasWei: bigint;
  /** Ether that is sent along. */
  readonly valueWei: bigint;
  readonly balanceWei: bigint;
}

/** Gas at the given fee, in wei. */
export function feeOf({ gas, feePerGasWei }: Spending): bigint {
  return gas * feePerGasWei;
}

/** Gas, price, sum and balance in one line. */
export function describeSpending(spending: Spending): string {
  const { gas, feePerGasWei, valueWei, account, balanceWei } = spending;
  const sent = valueWei === 0n ? "" : ` and ${formatEther(valueWei)} to send`;
  const price = `${gas} gas at up to ${formatGwei(feePerGasWei)}`;
  return `${price}: ${formatEther(feeOf(spending))}${sent}; ${account} has ${formatEther(balanceWei)}`;
}

/** @throws Underfunded */
export function requireFunds(chain: Chain, spending: Spending): void {
  const needed = feeOf(spending) + spending.valueWei;
  if (spending.balanceWei >= needed) return;
  throw operationError("Underfunded", {
    account: spending.account,
    balance: formatEther(spending.balanceWei),
    needed: formatEther(needed),
    network: chain.network,
  });
}

/**
 * On a live chain, asks whether to go on; a script says so beforehand.
 * @throws ConfirmationNeeded, Declined
 */
export async function confirmSpending(chain: Chain, terminal: Terminal, agreed: boolean, what: string): Promise<void> {
  if (chain.isLocal || agreed) return;
  const { network, chainId } = chain;
  if (!terminal.isInteractive) throw operationError("ConfirmationNeeded", { network, chainId });
  if (!(await terminal.confirm(`${what} on ${network} (chain ${chainId})?`)))
    throw operationError("Declined", { network });
}

function formatGwei(wei: bigint): string {
  return `${Number(wei) / 1e9} gwei`;
}
