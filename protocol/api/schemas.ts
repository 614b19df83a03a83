import { Type, type Static, type TSchema, type TUnsafe } from "typebox";
import { MAX_ASSETS } from "../channel-state";
import { PAYMENT_TYPES } from "../payment";
import { MAX_THREADS } from "../thread";
import {
  addressSchema,
  channelStateSchema,
  hashSchema,
  signatureSchema,
  threadSchema,
  uint128Schema,
  uint64Schema,
} from "../wire/schemas";
import { closed } from "./closed";

// What travels between hub and client beside the signed structs. Source: docs/protocol.md "Channel updates".

/** Most payments in one purchase, and most ids in one update. */
export const MAX_PAYMENTS = 256;

export { closed };

/** One of a list of words. */
export function oneOf<Word extends string>(words: readonly Word[], description?: string): TUnsafe<Word> {
  const about = description === undefined ? {} : { description };
  return Type.Unsafe<Word>(
    Type.Union(
      words.map((word) => Type.Literal(word)),
      about,
    ),
  );
}

export const purchaseIdSchema = Type.String({
  pattern: "^[A-Za-z0-9_-]{1,64}$",
  description: "made by the client; scoped to the payer; the idempotency key of the purchase",
});

const exchangeArgs = {
  sellAsset: addressSchema,
  sellAmount: uint128Schema,
  buyAsset: addressSchema,
  buyAmount: uint128Schema,
  rate: uint128Schema,
  quoteId: hashSchema,
  expiresAt: uint64Schema,
};

export const exchangeArgsSchema = closed(exchangeArgs);

export const exchangeQuoteSchema = closed({ user: addressSchema, ...exchangeArgs });

const assetWithdrawalSchema = closed({ asset: addressSchema, user: uint128Schema, hub: uint128Schema });

const ARGS = {
  Deposit: closed({ asset: addressSchema, depositedHub: uint128Schema, depositedUser: uint128Schema }),
  Payment: closed({
    recipient: Type.Union([Type.Literal("hub"), Type.Literal("user")]),
    asset: addressSchema,
    amount: uint128Schema,
    payments: Type.Array(hashSchema, { maxItems: MAX_PAYMENTS }),
  }),
  Exchange: exchangeArgsSchema,
  Withdrawal: closed({
    recipient: addressSchema,
    assets: Type.Array(assetWithdrawalSchema, { minItems: 1, maxItems: MAX_ASSETS }),
    exchange: Type.Optional(exchangeArgsSchema),
  }),
  OpenThread: closed({
    thread: threadSchema,
    sigSender: signatureSchema,
    sigReceiver: signatureSchema,
    others: Type.Array(hashSchema, { maxItems: MAX_THREADS - 1 }),
  }),
  CloseThread: closed({
    thread: threadSchema,
    balanceReceiver: uint128Schema,
    others: Type.Array(hashSchema, { maxItems: MAX_THREADS - 1 }),
  }),
  Settled: closed({ session: uint64Schema, transactionHash: hashSchema }),
};

function updateSchemaOf<Reason extends string, Args extends TSchema>(reason: Reason, args: Args) {
  return closed({
    reason: Type.Literal(reason),
    args,
    nonce: uint64Schema,
    previous: hashSchema,
    sigHub: Type.Optional(signatureSchema),
    sigUser: Type.Optional(signatureSchema),
  });
}

export const signedUpdateSchema = Type.Union([
  updateSchemaOf("Deposit", ARGS.Deposit),
  updateSchemaOf("Payment", ARGS.Payment),
  updateSchemaOf("Exchange", ARGS.Exchange),
  updateSchemaOf("Withdrawal", ARGS.Withdrawal),
  updateSchemaOf("OpenThread", ARGS.OpenThread),
  updateSchemaOf("CloseThread", ARGS.CloseThread),
  updateSchemaOf("Settled", ARGS.Settled),
]);

export type WireUpdate = Static<typeof signedUpdateSchema>;

export const signedStateSchema = closed({
  state: channelStateSchema,
  sigHub: signatureSchema,
  sigUser: signatureSchema,
});

export const exitSchema = closed(
  { nonce: uint64Schema, deadline: uint64Schema },
  "the standing nonce and the end of the window, Unix seconds",
);

/** What a side needs to come level with the hub. */
export const syncSchema = closed({
  session: uint64Schema,
  /** Absent before anything was signed by both in this session: the unsigned zero state. */
  doubleSigned: Type.Optional(signedStateSchema),
  /** Hashes of the threads that are open in `doubleSigned`: what its root is made of. Absent: none. */
  threads: Type.Optional(Type.Array(hashSchema, { maxItems: MAX_THREADS })),
  /** Newer than asked for, ordered; at least all that the user has not countersigned. The newest is last. */
  updates: Type.Array(signedUpdateSchema),
  /** New updates must have nonces above it. */
  nonceFloor: uint64Schema,
  exit: Type.Optional(exitSchema),
  /** The hub was restored from a copy: it signs nothing until the user has posted its newest double-signed state. */
  mustProve: Type.Optional(Type.Boolean()),
});

export type WireSync = Static<typeof syncSchema>;

const metaSchema = Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 512 }), {
  maxProperties: 16,
  description: "kept with the payment and shown to the payee; never interpreted",
});

const amountAndAsset = { asset: addressSchema, amount: uint128Schema, meta: Type.Optional(metaSchema) };

/** One payment of a purchase. An unknown shape is refused, never read as zero. */
export const paymentRequestSchema = Type.Union([
  closed({ type: Type.Literal("PT_CHANNEL"), recipient: addressSchema, ...amountAndAsset }),
  closed({ type: Type.Literal("PT_CUSTODIAL"), recipient: addressSchema, ...amountAndAsset }),
  closed({
    type: Type.Literal("PT_OPTIMISTIC"),
    recipient: addressSchema,
    expiresAt: Type.Optional(uint64Schema),
    ...amountAndAsset,
  }),
  closed({
    type: Type.Literal("PT_LINK"),
    link: addressSchema,
    expiresAt: Type.Optional(uint64Schema),
    ...amountAndAsset,
  }),
]);

export type WirePaymentRequest = Static<typeof paymentRequestSchema>;

export const paymentTypeSchema = oneOf(PAYMENT_TYPES);

/** `waiting` and `open` can still end either way; the others are final. */
export const PAYMENT_STATUSES = ["forwarded", "custodial", "waiting", "open", "refunded"] as const;

export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

export const paymentStatusSchema = oneOf(
  PAYMENT_STATUSES,
  "forwarded: in the payee's channel; custodial: in its custodial balance; waiting: for collateral; open: a link nobody " +
    "has redeemed; refunded: back with the payer",
);

const receiptSchema = closed({
  purchaseId: purchaseIdSchema,
  paymentId: hashSchema,
  payer: addressSchema,
  payee: addressSchema,
  asset: addressSchema,
  amount: uint128Schema,
  payeeNonce: uint64Schema,
});

export const paymentSchema = closed({
  paymentId: hashSchema,
  purchaseId: purchaseIdSchema,
  type: paymentTypeSchema,
  status: paymentStatusSchema,
  payer: addressSchema,
  payee: Type.Optional(addressSchema),
  link: Type.Optional(addressSchema),
  asset: addressSchema,
  amount: uint128Schema,
  /** Unix seconds; when it is refunded unless it has arrived. */
  expiresAt: Type.Optional(uint64Schema),
  createdAtMs: Type.Integer(),
  meta: Type.Optional(metaSchema),
  receipt: Type.Optional(receiptSchema),
  sigReceipt: Type.Optional(signatureSchema),
});

export type WirePayment = Static<typeof paymentSchema>;

export const purchaseRequestSchema = closed({
  id: purchaseIdSchema,
  meta: Type.Optional(metaSchema),
  payments: Type.Array(paymentRequestSchema, { minItems: 1, maxItems: MAX_PAYMENTS }),
  /** The payer's updates, one an asset, each on top of the one before; together they pay for exactly `payments`. */
  updates: Type.Array(signedUpdateSchema, { minItems: 1, maxItems: MAX_ASSETS }),
});

export type WirePurchaseRequest = Static<typeof purchaseRequestSchema>;

export const purchaseSchema = closed({
  id: purchaseIdSchema,
  meta: Type.Optional(metaSchema),
  payments: Type.Array(paymentSchema),
  /** The payer's newest state that both signed, which includes the purchase. Absent when asked for later. */
  doubleSigned: Type.Optional(signedStateSchema),
});

export type WirePurchase = Static<typeof purchaseSchema>;
