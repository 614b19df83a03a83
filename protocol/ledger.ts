import type { Address } from "./address";

/** On-chain counters of (user, session, asset), in the asset's smallest unit. They never fall within a session. */
export interface Ledger {
  readonly depositedHub: bigint;
  readonly depositedUser: bigint;
  readonly withdrawnHub: bigint;
  readonly withdrawnUser: bigint;
}

export const ZERO_LEDGER: Ledger = { depositedHub: 0n, depositedUser: 0n, withdrawnHub: 0n, withdrawnUser: 0n };

/** The counters of one session by asset. An asset that is not in it was never deposited: all zero. */
export type Ledgers = ReadonlyMap<Address, Ledger>;

/** The counters of an asset, zero where the chain has none. */
export function ledgerOf(ledgers: Ledgers, asset: Address): Ledger {
  return ledgers.get(asset) ?? ZERO_LEDGER;
}

/** Deposits minus withdrawals, as the contract computes it: zero if that were negative. */
export function remaining(ledger: Ledger): bigint {
  const rest = ledger.depositedHub + ledger.depositedUser - ledger.withdrawnHub - ledger.withdrawnUser;
  return rest > 0n ? rest : 0n;
}
