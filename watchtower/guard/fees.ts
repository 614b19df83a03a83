import {
  checkSignature,
  hashReceipt,
  hubError,
  parseStruct,
  receiptType,
  type Address,
  type Domain,
  type Hash,
  type Receipt,
  type Signature,
  type WireGuardRequest,
} from "../../protocol";
import type { TowerFee } from "../config";
import type { TowerStore } from "../store/tower-store";

const DAY_SECONDS = 86_400n;

/** After the paid time a tower takes no newer state, but guards what it has for so long. */
export const GRACE_SECONDS = 30n * DAY_SECONDS;

/** A payment to the tower that nobody can deny: the hub signed that it arrived. */
export interface FeePayment {
  readonly paymentId: Hash;
  readonly periods: bigint;
}

/** @throws FeeProofRefused, InvalidValue */
export function readFee(
  proof: NonNullable<WireGuardRequest["fee"]>,
  user: Address,
  fee: TowerFee,
  hub: Address,
  domain: Domain,
): FeePayment {
  const receipt = parseStruct<Receipt>(receiptType, proof.receipt, "body.fee.receipt");
  const { payee, payer, asset, amount, paymentId } = receipt;
  const periods = amount / fee.amount;
  if (payee !== fee.payee) throw refused(`it is of a payment to ${payee}, not to ${fee.payee}`);
  if (payer !== user) throw refused(`${payer} has paid it, not ${user}`);
  if (asset !== fee.asset) throw refused(`it is of asset ${asset}, not of ${fee.asset}`);
  if (periods === 0n) throw refused(`it is of ${amount}, and a period costs ${fee.amount}`);
  const wrong = checkSignature(hub, hashReceipt(receipt), proof.signature.toLowerCase() as Signature, domain);
  if (wrong !== undefined) throw hubError("FeeProofRefused", { reason: "the hub has not signed it" }, wrong);
  return { paymentId, periods };
}

/** Inside `write`: adds the payment to what is paid; each counts once, and again changes nothing. */
export function bookFee(store: TowerStore, user: Address, payment: FeePayment, fee: TowerFee, now: bigint): void {
  if (!store.takeFee(payment.paymentId, user)) return;
  const paidUntil = store.watched(user)?.paidUntil ?? 0n;
  const from = paidUntil > now ? paidUntil : now;
  store.setPaidUntil(user, from + payment.periods * BigInt(fee.days) * DAY_SECONDS);
}

/** Inside `write`. @throws TowerFeeUnpaid */
export function requirePaid(store: TowerStore, user: Address, fee: TowerFee, now: bigint): void {
  if ((store.watched(user)?.paidUntil ?? 0n) > now) return;
  const { payee, asset, amount, days } = fee;
  throw hubError("TowerFeeUnpaid", { payee, asset, amount, days });
}

function refused(reason: string): Error {
  return hubError("FeeProofRefused", { reason });
}
