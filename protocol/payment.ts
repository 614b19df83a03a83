import type { Address } from "./address";
import { bytesToHex, hexToBytes, type Hash } from "./hex";
import { keccak256, keccakOfText } from "./keccak";
import type { ExchangeArgs } from "./update/update";

/** How a payment goes through the hub. Source: docs/protocol.md "Payments through the hub". */
export const PAYMENT_TYPES = ["PT_CHANNEL", "PT_CUSTODIAL", "PT_OPTIMISTIC", "PT_LINK"] as const;

export type PaymentType = (typeof PAYMENT_TYPES)[number];

/** A price for one user, once, until `expiresAt`, signed by the hub. */
export interface ExchangeQuote extends ExchangeArgs {
  readonly user: Address;
}

/** What the hub signs for a payer once the payee's state includes the payment. Amount in base units. */
export interface Receipt {
  readonly purchaseId: string;
  readonly paymentId: Hash;
  readonly payer: Address;
  readonly payee: Address;
  readonly asset: Address;
  readonly amount: bigint;
  /** Nonce of the hub-signed state of the payee's channel that includes it; 0 where it went to a custodial balance. */
  readonly payeeNonce: bigint;
}

/** Bound to the redeemer, so that nobody who sees it can turn it to itself. */
export interface RedeemLink {
  /** Address of the one-off key that the link carries. */
  readonly link: Address;
  readonly redeemer: Address;
}

/**
 * Names one payment of a purchase everywhere: in both channels' updates, receipts and history.
 * Scoped to the payer, so that nobody can take the id of somebody else's purchase.
 * @param index Its place in the purchase, from 0; below 256.
 */
export function paymentIdOf(payer: Address, purchaseId: string, index: number): Hash {
  const parts = new Uint8Array(20 + 32 + 1);
  parts.set(hexToBytes(payer));
  parts.set(keccakOfText(purchaseId), 20);
  parts[52] = index;
  return bytesToHex(keccak256(parts));
}
