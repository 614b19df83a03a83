import {
  hubError,
  MAX_PAYMENTS,
  parseAddress,
  parseUint,
  paymentIdOf,
  protocolError,
  UINT128_MAX,
  UINT64_MAX,
  ZERO_ADDRESS,
  type Address,
  type Hash,
  type PaymentType,
  type SignedUpdate,
  type WirePaymentRequest,
  type WirePurchaseRequest,
} from "../../protocol";
import type { AssetConfig } from "../config";

/** One payment as it was asked for, in the toolkit's own types. */
export interface PlannedPayment {
  readonly paymentId: Hash;
  readonly index: number;
  readonly type: PaymentType;
  readonly payee?: Address;
  readonly link?: Address;
  readonly asset: Address;
  readonly amount: bigint;
  /** Unix seconds; of those that may be refunded. */
  readonly expiresAt?: bigint;
  readonly meta?: Readonly<Record<string, string>>;
}

export interface PlanContext {
  readonly assets: ReadonlyMap<Address, AssetConfig>;
  readonly payer: Address;
  /** Addresses that have no channel: the hub and the contract. */
  readonly outsiders: readonly Address[];
  readonly nowSeconds: bigint;
  readonly optimisticSeconds: bigint;
  readonly linkSeconds: bigint;
}

/**
 * Reads what a payer wants.
 * @throws AssetUnknown, AmountTooSmall, PayingOneself, InvalidUser, InvalidValue, PurchaseMismatch
 */
export function planPurchase(request: WirePurchaseRequest, context: PlanContext): readonly PlannedPayment[] {
  const planned = request.payments.map((payment, index) => plan(request.id, payment, index, context));
  const links = planned.flatMap(({ link }) => link ?? []);
  if (new Set(links).size < links.length) throw hubError("PurchaseMismatch", { reason: "two payments name one link" });
  return planned;
}

/**
 * The updates must pay the hub exactly for these payments: the amounts are those that are signed (H-2).
 * @throws PurchaseMismatch
 */
export function requirePaidFor(planned: readonly PlannedPayment[], updates: readonly SignedUpdate[]): void {
  const paid = new Set<Address>();
  for (const { reason, args } of updates) {
    if (reason !== "Payment" || args.recipient !== "hub") mismatch("an update is no payment to the hub");
    if (paid.has(args.asset)) mismatch(`two updates pay in ${args.asset}`);
    paid.add(args.asset);
    const own = planned.filter(({ asset }) => asset === args.asset);
    const sum = own.reduce((total, { amount }) => total + amount, 0n);
    if (sum !== args.amount) mismatch(`${args.amount} of ${args.asset} are signed for payments of ${sum}`);
    const ids = own.map(({ paymentId }) => paymentId);
    if (ids.join() !== args.payments.join()) mismatch(`the update in ${args.asset} names other payments`);
  }
  const unpaid = planned.find(({ asset }) => !paid.has(asset));
  if (unpaid !== undefined) mismatch(`nothing is signed for the payments in ${unpaid.asset}`);
}

function mismatch(reason: string): never {
  throw hubError("PurchaseMismatch", { reason });
}

function plan(purchaseId: string, wire: WirePaymentRequest, index: number, context: PlanContext): PlannedPayment {
  const path = `payments.${index}`;
  const asset = parseAddress(wire.asset, `${path}.asset`);
  const amount = parseUint(wire.amount, UINT128_MAX, `${path}.amount`);
  const config = context.assets.get(asset);
  if (config === undefined) throw hubError("AssetUnknown", { asset });
  if (amount < config.minimumPayment || amount === 0n) {
    throw hubError("AmountTooSmall", { asset, amount, minimum: config.minimumPayment });
  }
  if (index >= MAX_PAYMENTS) throw protocolError("InvalidValue", { path, expected: "fewer payments", given: index });
  const base = { paymentId: paymentIdOf(context.payer, purchaseId, index), index, asset, amount };
  const meta = wire.meta === undefined ? {} : { meta: wire.meta };
  return { ...base, ...meta, ...destinationOf(wire, path, context) };
}

function destinationOf(
  wire: WirePaymentRequest,
  path: string,
  context: PlanContext,
): Pick<PlannedPayment, "type" | "payee" | "link" | "expiresAt"> {
  if (wire.type === "PT_LINK") {
    const link = parseAddress(wire.link, `${path}.link`);
    return { type: wire.type, link, expiresAt: expiryOf(wire.expiresAt, context.linkSeconds, path, context) };
  }
  const payee = parseAddress(wire.recipient, `${path}.recipient`);
  if (payee === context.payer) throw hubError("PayingOneself", {});
  if (payee === ZERO_ADDRESS || context.outsiders.includes(payee)) throw protocolError("InvalidUser", { user: payee });
  if (wire.type !== "PT_OPTIMISTIC") return { type: wire.type, payee };
  return { type: wire.type, payee, expiresAt: expiryOf(wire.expiresAt, context.optimisticSeconds, path, context) };
}

/** Money that waits comes back at some time: at the latest after the hub's limit. */
function expiryOf(given: string | undefined, limitSeconds: bigint, path: string, { nowSeconds }: PlanContext): bigint {
  const latest = nowSeconds + limitSeconds;
  if (given === undefined) return latest;
  const expiresAt = parseUint(given, UINT64_MAX, `${path}.expiresAt`);
  if (expiresAt > nowSeconds && expiresAt <= latest) return expiresAt;
  throw protocolError("InvalidValue", {
    path: `${path}.expiresAt`,
    expected: `Unix seconds after ${nowSeconds} and up to ${latest}`,
    given,
  });
}
