import {
  parseAddress,
  paymentRequestSchema,
  protocolError,
  purchaseIdSchema,
  toWire,
  validate,
  type Address,
  type PaymentType,
  type WirePaymentRequest,
} from "../protocol";
import { parseAmount, type AmountInput } from "./amounts";
import { clientError } from "./errors";
import { readThreadPayment, type ThreadPaymentRequest } from "./threads/thread-purchase";

/** One payment of `buy`. */
export type PaymentInput = {
  /** Default: `PT_LINK` with a `link`, `PT_CUSTODIAL` above the hub's ceiling, `PT_CHANNEL` otherwise. */
  readonly type?: PaymentType | "PT_THREAD";
  readonly recipient?: string;
  /** Of `PT_THREAD`: which thread; default: the one to the recipient with the most room. */
  readonly thread?: string;
  /** Address of a link's key, see `createLink`. */
  readonly link?: string;
  /** Unix seconds; of payments that may come back. */
  readonly expiresAt?: bigint;
  readonly meta?: Readonly<Record<string, string>>;
} & ({ readonly amount: AmountInput } | { readonly asset: string; readonly amount: bigint | string });

export interface PaymentContext {
  /** What `amountToken` is of. */
  readonly token: Address | undefined;
  /** Most that the hub keeps of an asset in one channel, if it serves it. */
  readonly ceilingOf: (asset: Address) => bigint | undefined;
}

const KNOWN_FIELDS = new Set(["type", "recipient", "link", "expiresAt", "meta", "asset", "amount"]);
const THREAD_FIELDS = new Set(["type", "recipient", "thread", "meta", "asset", "amount"]);

/**
 * Reads a payment as callers write it. Whatever is not understood is refused before anything is signed, never read as
 * zero or left out (W-5).
 * @throws InvalidValue naming the field
 */
export function readPayment(given: unknown, path: string, context: PaymentContext): WirePaymentRequest {
  const input = fieldsOf(given, path);
  const amountInput = "asset" in input ? { asset: input.asset, amount: input.amount } : input.amount;
  const { asset, amount } = parseAmount(amountInput, context.token, `${path}.amount`);
  const { type = defaultType(input, amount, context.ceilingOf(asset)), recipient, link, meta, expiresAt } = input;
  const request = {
    ...{ type, asset, amount: amount.toString() },
    ...(recipient === undefined ? {} : { recipient: parseAddress(recipient, `${path}.recipient`) }),
    ...(link === undefined ? {} : { link: parseAddress(link, `${path}.link`) }),
    ...(meta === undefined ? {} : { meta }),
    ...(expiresAt === undefined ? {} : { expiresAt: toWire(expiresAt) }),
  };
  return validate(paymentRequestSchema, request, path);
}

/**
 * Reads the payments of a purchase that goes through threads; nothing for one that goes through the hub.
 * @throws ThreadPaymentMixed, InvalidValue naming the field
 */
export function readThreadPayments(
  given: readonly PaymentInput[],
  token: Address | undefined,
): readonly ThreadPaymentRequest[] | undefined {
  const types = [...new Set(given.map((payment) => typeOf(payment) ?? "payments through the hub"))];
  if (!types.includes("PT_THREAD")) return undefined;
  const others = types.filter((type) => type !== "PT_THREAD");
  if (others.length > 0) throw clientError("ThreadPaymentMixed", { types: others });
  return given.map((payment, i) => {
    const path = `payments.${i}`;
    const input = fieldsOf(payment, path, THREAD_FIELDS);
    const amountInput = "asset" in input ? { asset: input.asset, amount: input.amount } : input.amount;
    return readThreadPayment(payment, parseAmount(amountInput, token, `${path}.amount`), path);
  });
}

/** Callers without types give anything. */
function typeOf(given: unknown): string | undefined {
  const type: unknown = (given as { readonly type?: unknown } | null | undefined)?.type;
  return typeof type === "string" ? type : undefined;
}

/** @throws InvalidValue */
export function readPurchaseId(given: unknown): string {
  return validate(purchaseIdSchema, given, "id");
}

function fieldsOf(given: unknown, path: string, known = KNOWN_FIELDS): Readonly<Record<string, unknown>> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw protocolError("InvalidValue", { path, expected: "a payment: { recipient, amount, … }", given });
  }
  const unknown = Object.keys(given).find((key) => !known.has(key));
  if (unknown === undefined) return given as Readonly<Record<string, unknown>>;
  throw protocolError("InvalidValue", { path: `${path}.${unknown}`, expected: "absent", given: unknown });
}

function defaultType(
  { link }: Readonly<Record<string, unknown>>,
  amount: bigint,
  ceiling: bigint | undefined,
): PaymentType {
  if (link !== undefined) return "PT_LINK";
  return ceiling !== undefined && amount > ceiling ? "PT_CUSTODIAL" : "PT_CHANNEL";
}
