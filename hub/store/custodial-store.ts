import type { Address, Hash } from "../../protocol";
import type { Transaction } from "./database";

/** The other side of every user's custodial account. */
export const HUB_ACCOUNT = "hub";

/** Money moves from one account to another: a line is balanced by its form. */
export interface CustodialEntry {
  readonly asset: Address;
  readonly debit: Address | typeof HUB_ACCOUNT;
  readonly credit: Address | typeof HUB_ACCOUNT;
  readonly amount: bigint;
  readonly kind: "payment" | "refund" | "withdrawal" | "returned" | "uncountersigned";
  /** Unique with the kind: nothing is booked twice. */
  readonly reference: string;
  readonly createdAtMs: number;
}

export interface CustodialWithdrawal {
  readonly user: Address;
  readonly id: string;
  readonly asset: Address;
  readonly amount: bigint;
  readonly to: Address | "channel";
  readonly status: "pending" | "done" | "failed";
  readonly transactionHash?: Hash;
  readonly createdAtMs: number;
}

export interface CustodialStore {
  balance(user: Address, asset: Address): Promise<bigint>;
  balances(user: Address): Promise<ReadonlyMap<Address, bigint>>;
  /** What the hub owes to all users, per asset. */
  liabilities(): Promise<ReadonlyMap<Address, bigint>>;
  withdrawal(user: Address, id: string): Promise<CustodialWithdrawal | undefined>;
  withdrawals(user: Address, limit: number): Promise<readonly CustodialWithdrawal[]>;
  pendingWithdrawals(): Promise<readonly CustodialWithdrawal[]>;

  /**
   * Books an entry and moves the user's balance from `balance` to what follows.
   * @param balance What the user's balance is now: if it is not (any more), the write is refused.
   */
  book(tx: Transaction, entry: CustodialEntry, balance: bigint): void;
  insertWithdrawal(tx: Transaction, withdrawal: CustodialWithdrawal): void;
  endWithdrawal(tx: Transaction, user: Address, id: string, status: "done" | "failed", transactionHash?: Hash): void;
}
