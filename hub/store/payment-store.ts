import type { Address, Hash, PaymentStatus, PaymentType, Receipt, Signature } from "../../protocol";
import type { Transaction } from "./database";

/** One payment through the hub. Amounts in base units. */
export interface PaymentRow {
  readonly paymentId: Hash;
  readonly payer: Address;
  readonly purchaseId: string;
  readonly index: number;
  readonly type: PaymentType;
  readonly status: PaymentStatus;
  /** Of a link: who redeemed it. */
  readonly payee?: Address;
  readonly link?: Address;
  readonly asset: Address;
  readonly amount: bigint;
  /** Session of the payer's channel, whose hub balance stands for a refund. */
  readonly payerSession: bigint;
  /** Unix seconds. */
  readonly expiresAt?: bigint;
  readonly createdAtMs: number;
  readonly meta?: Readonly<Record<string, string>>;
  readonly receipt?: Receipt;
  readonly sigReceipt?: Signature;
}

export interface PurchaseRow {
  readonly payer: Address;
  readonly id: string;
  /** Of the request without its signatures: the same id must mean the same purchase. */
  readonly requestHash: Hash;
  readonly meta?: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
}

/** How a payment ends, or whom it waits for. */
export interface PaymentChange {
  readonly paymentId: Hash;
  readonly from: PaymentStatus;
  readonly to: PaymentStatus;
  readonly payee?: Address;
  readonly receipt?: Receipt;
  readonly sigReceipt?: Signature;
}

export interface PaymentStore {
  purchase(payer: Address, id: string): Promise<PurchaseRow | undefined>;
  paymentsOf(payer: Address, purchaseId: string): Promise<readonly PaymentRow[]>;
  payment(paymentId: Hash): Promise<PaymentRow | undefined>;
  byLink(link: Address): Promise<PaymentRow | undefined>;
  /** From and to a user, newest first. */
  history(user: Address, beforeMs: number, limit: number): Promise<readonly PaymentRow[]>;
  /** Waiting for collateral in a payee's channel, oldest first. */
  waitingFor(payee: Address, limit: number): Promise<readonly PaymentRow[]>;
  /** Waiting ones past their time. Open links stay until their sender takes them back. */
  expired(nowSeconds: bigint, limit: number): Promise<readonly PaymentRow[]>;
  /** What refunds could still need of the hub's balance in a payer's channel. */
  reservedIn(payer: Address, session: bigint, asset: Address): Promise<bigint>;
  reservedTotals(): Promise<ReadonlyMap<Address, bigint>>;
  /** Paid to a payee since a time, and not back with its payer: payers and amounts. */
  receivedSince(
    payee: Address,
    asset: Address,
    sinceMs: number,
  ): Promise<{ readonly payers: number; readonly amount: bigint }>;
  count(): Promise<number>;

  insertPurchase(tx: Transaction, purchase: PurchaseRow): void;
  insertPayment(tx: Transaction, payment: PaymentRow): void;
  /** @throws ConflictError (from the write) if the payment is not in `from` any more. */
  change(tx: Transaction, change: PaymentChange): void;
}
