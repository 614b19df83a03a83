import type { Address } from "./address";
import type { AssetState, ChannelState } from "./channel-state";
import { ledgerOf, remaining, type Ledger, type Ledgers } from "./ledger";
import { threadSum, type Thread } from "./thread";

// What the contract would pay, in the asset's smallest unit, under the names of its events.
// For states that `checkState` accepts; for others the contract reverts and these figures mean nothing.

export interface Payout {
  /** To the user, or claimable by it where the payment fails. */
  readonly amountUser: bigint;
  /** To the hub's reserve. */
  readonly amountHub: bigint;
}

export interface AssetPayout extends Payout {
  readonly asset: Address;
}

export interface AssetSettlement extends AssetPayout {
  /** Kept for the session's threads. */
  readonly locked: bigint;
}

/** `withdraw`: what the state authorises and the chain has not paid yet. */
export function withdrawalPayouts(state: ChannelState, ledgers: Ledgers): readonly AssetPayout[] {
  return state.assets.map((row) => ({ asset: row.asset, ...unexecuted(row, ledgerOf(ledgers, row.asset)) }));
}

/**
 * `settle`, per listed asset: the balance, own deposits the state had not accounted for, and withdrawals it had
 * authorised but nobody executed. With `locked` the two add up to the ledger's deposits minus withdrawals.
 */
export function settlementPayouts(state: ChannelState, ledgers: Ledgers): readonly AssetSettlement[] {
  return state.assets.map((row) => {
    const ledger = ledgerOf(ledgers, row.asset);
    const pending = unexecuted(row, ledger);
    return {
      asset: row.asset,
      amountUser: row.balanceUser + (ledger.depositedUser - row.depositedUser) + pending.amountUser,
      amountHub: row.balanceHub + (ledger.depositedHub - row.depositedHub) + pending.amountHub,
      locked: row.locked,
    };
  });
}

/**
 * `reclaim` of an asset that the settled state did not name: to the user at most its own deposits minus its own
 * withdrawals, the rest to the hub.
 */
export function reclaimPayouts(ledger: Ledger): Payout {
  const rest = remaining(ledger);
  const own = ledger.depositedUser - ledger.withdrawnUser;
  const amountUser = own < 0n ? 0n : own < rest ? own : rest;
  return { amountUser, amountHub: rest - amountUser };
}

/**
 * `settleThread` of either leg for an outcome. Over both the hub gets exactly what it pays.
 * A party that is the hub itself has no leg.
 */
export function threadPayouts(
  thread: Thread,
  balanceReceiver: bigint,
): { readonly sender: Payout; readonly receiver: Payout } {
  const balanceSender = threadSum(thread) - balanceReceiver;
  return {
    sender: { amountUser: balanceSender, amountHub: balanceReceiver },
    receiver: { amountUser: balanceReceiver, amountHub: balanceSender },
  };
}

function unexecuted(row: AssetState, ledger: Ledger): Payout {
  return {
    amountUser: row.withdrawnUser - ledger.withdrawnUser,
    amountHub: row.withdrawnHub - ledger.withdrawnHub,
  };
}
