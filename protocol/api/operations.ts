import { Type, type Static, type TSchema } from "typebox";
import { addressSchema, hashSchema, signatureSchema, uint128Schema, uint64Schema } from "../wire/schemas";
import {
  closed,
  exchangeQuoteSchema,
  exitSchema,
  MAX_PAYMENTS,
  paymentSchema,
  purchaseIdSchema,
  purchaseRequestSchema,
  purchaseSchema,
  signedStateSchema,
  signedUpdateSchema,
  syncSchema,
} from "./schemas";
import { evidenceSchema } from "../evidence";
import { MAX_THREADS } from "../thread";
import { threadEvidenceSchema } from "../thread-evidence";
import { THREAD_OPERATIONS } from "./thread-operations";

/**
 * Who may ask. `public`: anybody. `signedIn`: any address that signed in; what is its own follows from the session.
 * `owner`: the address in the path itself; what a route is unless it says otherwise. `admin`: who has the operator's key.
 */
export type Access = "public" | "signedIn" | "owner" | "admin";

/** One thing a hub does, over HTTP and over the socket alike. */
export interface Operation {
  readonly method: "GET" | "POST";
  /** Below `/api/hub`; `:name` is a parameter. */
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  readonly response: TSchema;
}

const userParams = closed({ user: addressSchema });
const atMs = Type.Integer({ minimum: 0, description: "Unix milliseconds" });
const limitQuery = Type.Optional(Type.Integer({ minimum: 1, maximum: 200, description: "rows, default 50" }));

const assetConfigSchema = closed({
  asset: addressSchema,
  symbol: Type.String({ maxLength: 32 }),
  decimals: Type.Integer({ minimum: 0, maximum: 36 }),
  /** Smaller payments are refused, so that nobody blocks a channel with dust. */
  minimumPayment: uint128Schema,
  /** Most that the hub keeps in one channel; a larger payment is custodial by default. */
  collateralCeiling: uint128Schema,
  /** Below it a channel with several payers is collateralized again. */
  collateralFloor: uint128Schema,
});

const assetAmountSchema = closed({ asset: addressSchema, amount: uint128Schema });

const custodialWithdrawalSchema = closed({
  id: purchaseIdSchema,
  asset: addressSchema,
  amount: uint128Schema,
  to: Type.Union([Type.Literal("channel"), addressSchema]),
  status: Type.Union([Type.Literal("pending"), Type.Literal("done"), Type.Literal("failed")]),
  transactionHash: Type.Optional(hashSchema),
  createdAtMs: atMs,
});

/** Most characters of a sealed backup; each is one byte. */
export const MAX_BACKUP_LENGTH = 65_536;

const backupSchema = Type.String({
  minLength: 1,
  maxLength: MAX_BACKUP_LENGTH,
  pattern: "^[A-Za-z0-9._-]+$",
  description: "Sealed by the user: only its key opens it",
});

const profileSchema = closed({
  asset: addressSchema,
  target: uint128Schema,
});

export const OPERATIONS = {
  getConfig: {
    method: "GET",
    path: "/config",
    access: "public",
    summary: "Which contract, chain and assets this hub serves, and its limits",
    response: closed({
      channelManager: addressSchema,
      hub: addressSchema,
      treasury: addressSchema,
      chainId: Type.Integer({ minimum: 1 }),
      challengePeriodSeconds: Type.Integer({ minimum: 0 }),
      /** Depth at which the hub credits a deposit; 1 is "mined". */
      confirmations: Type.Integer({ minimum: 1 }),
      assets: Type.Array(assetConfigSchema),
      limits: closed({
        maxPaymentsPerPurchase: Type.Integer(),
        maxUncountersigned: Type.Integer(),
        maxQuoteSeconds: Type.Integer(),
        optimisticSeconds: Type.Integer(),
        linkSeconds: Type.Integer(),
      }),
      exchangePairs: Type.Array(closed({ sellAsset: addressSchema, buyAsset: addressSchema })),
      depositsPaused: Type.Boolean(),
      /** Prebuilt thread apps, whose outcomes hub and client compute themselves. */
      apps: closed({ hashlock: Type.Optional(addressSchema), signed: Type.Optional(addressSchema) }),
    }),
  },

  createChallenge: {
    method: "POST",
    path: "/auth/challenge",
    access: "public",
    summary: "A single-use nonce for an EIP-4361 message",
    body: closed({ address: addressSchema }),
    response: closed({ nonce: Type.String(), domain: Type.String(), expiresAtMs: atMs }),
  },
  answerChallenge: {
    method: "POST",
    path: "/auth/response",
    access: "public",
    summary: "Signs in with the signed EIP-4361 message; the token goes into `Authorization: Bearer`",
    body: closed({ message: Type.String({ maxLength: 2048 }), signature: signatureSchema }),
    response: closed({ token: Type.String(), address: addressSchema, expiresAtMs: atMs }),
  },
  getAuthStatus: {
    method: "GET",
    path: "/auth/status",
    access: "public",
    summary: "Whether the token is signed in, and as whom",
    response: closed({
      signedIn: Type.Boolean(),
      address: Type.Optional(addressSchema),
      expiresAtMs: Type.Optional(atMs),
    }),
  },
  signOut: {
    method: "POST",
    path: "/auth/sign-out",
    access: "signedIn",
    summary: "Forgets this session, and no other",
    response: closed({ signedIn: Type.Boolean() }),
  },

  getExchangeRates: {
    method: "GET",
    path: "/exchange-rates",
    access: "public",
    summary: "Base units bought for 10^18 base units sold; binding only as a quote",
    response: closed({
      rates: Type.Array(closed({ sellAsset: addressSchema, buyAsset: addressSchema, rate: uint128Schema })),
      asOfMs: atMs,
    }),
  },
  getGasPrice: {
    method: "GET",
    path: "/gas-price",
    access: "public",
    summary: "What a transaction costs now, wei per gas",
    response: closed({ maxFeePerGas: uint128Schema, maxPriorityFeePerGas: uint128Schema, asOfMs: atMs }),
  },

  getChannel: {
    method: "GET",
    path: "/channel/:user",
    access: "signedIn",
    summary: "The owner sees its channel; anybody signed in sees how much it can receive",
    params: userParams,
    response: closed({
      user: addressSchema,
      canReceive: Type.Array(assetAmountSchema),
      isExiting: Type.Boolean(),
      session: Type.Optional(uint64Schema),
      doubleSigned: Type.Optional(signedStateSchema),
      uncountersigned: Type.Optional(Type.Integer()),
      exit: Type.Optional(exitSchema),
    }),
  },
  sync: {
    method: "GET",
    path: "/channel/:user/sync",
    access: "owner",
    summary: "Everything newer than `lastChanTx` (a nonce), ordered, the newest state last",
    params: userParams,
    query: closed({ lastChanTx: Type.Optional(uint64Schema), lastThreadUpdateId: Type.Optional(uint64Schema) }),
    response: syncSchema,
  },
  update: {
    method: "POST",
    path: "/channel/:user/update",
    access: "owner",
    summary:
      "Updates of the user: a deposit, an exchange on a quote, a countersignature, or an empty payment; sync out",
    params: userParams,
    body: closed({
      updates: Type.Array(signedUpdateSchema, { maxItems: 8 }),
      /** A state that both signed and the hub may have forgotten; with no updates: "this is my newest". */
      doubleSigned: Type.Optional(signedStateSchema),
      /** The threads that are open in it, for a hub that may have forgotten them too. */
      threads: Type.Optional(Type.Array(threadEvidenceSchema, { maxItems: MAX_THREADS })),
    }),
    response: syncSchema,
  },
  requestDeposit: {
    method: "POST",
    path: "/channel/:user/request-deposit",
    access: "owner",
    summary: "Tells the hub that a deposit is coming, so that it can match collateral",
    params: userParams,
    body: closed({
      depositWei: uint128Schema,
      depositToken: Type.Optional(uint128Schema),
      /** Which token; absent: the first one of `/config`. */
      token: Type.Optional(addressSchema),
      lastChanTx: Type.Optional(uint64Schema),
      lastThreadUpdateId: Type.Optional(uint64Schema),
    }),
    response: syncSchema,
  },
  requestCollateralization: {
    method: "POST",
    path: "/channel/:user/request-collateralization",
    access: "owner",
    summary: "Asks for enough collateral to receive `amount` in all; what is on its way, and when nothing is, why",
    params: userParams,
    body: assetAmountSchema,
    response: closed({ available: uint128Schema, requested: uint128Schema }),
  },
  requestExchange: {
    method: "POST",
    path: "/channel/:user/request-exchange",
    access: "owner",
    summary: "A price that the hub signs: for this user, this amount, once, briefly",
    params: userParams,
    body: closed({ sellAsset: addressSchema, buyAsset: addressSchema, sellAmount: uint128Schema }),
    response: closed({ quote: exchangeQuoteSchema, sigHub: signatureSchema }),
  },
  requestWithdrawal: {
    method: "POST",
    path: "/channel/:user/request-withdrawal",
    access: "owner",
    summary: "The hub signs first: sync out, its last update the withdrawal for the user to compare and countersign",
    params: userParams,
    body: closed({
      recipient: addressSchema,
      /** What the user takes out. Zero asks the hub to take its excess collateral back. */
      assets: Type.Array(assetAmountSchema, { maxItems: 8 }),
      quote: Type.Optional(exchangeQuoteSchema),
      sigQuote: Type.Optional(signatureSchema),
      lastChanTx: Type.Optional(uint64Schema),
    }),
    response: syncSchema,
  },
  getLatestUpdate: {
    method: "GET",
    path: "/channel/:user/latest-update",
    access: "owner",
    summary: "The newest update, whoever signed it",
    params: userParams,
    response: closed({ update: Type.Optional(signedUpdateSchema) }),
  },
  getLatestDoubleSigned: {
    method: "GET",
    path: "/channel/:user/latest-double-signed",
    access: "owner",
    summary: "The newest state that both signed: what an exit should use",
    params: userParams,
    response: closed({ doubleSigned: Type.Optional(signedStateSchema) }),
  },
  getEvidence: {
    method: "GET",
    path: "/channel/:user/evidence",
    access: "owner",
    summary: "Everything needed to prove the newest state to the contract, in one document",
    params: userParams,
    response: evidenceSchema,
  },

  putBackup: {
    method: "POST",
    path: "/channel/:user/backup",
    access: "owner",
    summary: "Keeps a sealed backup of the user's record in place of an older one; the same again changes nothing",
    params: userParams,
    body: closed({ version: uint64Schema, blob: backupSchema }),
    response: closed({ version: uint64Schema }),
  },
  getBackup: {
    method: "GET",
    path: "/channel/:user/backup",
    access: "owner",
    summary: "The newest backup that the user has left here",
    params: userParams,
    response: closed({
      backup: Type.Optional(closed({ version: uint64Schema, blob: backupSchema, storedAtMs: atMs })),
    }),
  },

  purchase: {
    method: "POST",
    path: "/payments/purchase",
    access: "signedIn",
    summary: "Pays: all payments or none. Again with the same id: the same answer, nothing paid twice",
    body: purchaseRequestSchema,
    response: purchaseSchema,
  },
  getPurchase: {
    method: "GET",
    path: "/payments/purchase/:id",
    access: "signedIn",
    summary: "A purchase of the signed-in payer; how to find out after a time-out",
    params: closed({ id: purchaseIdSchema }),
    response: purchaseSchema,
  },
  getPaymentHistory: {
    method: "GET",
    path: "/payments/history/:user",
    access: "owner",
    summary: "Payments from and to the user, newest first",
    params: userParams,
    query: closed({ beforeMs: Type.Optional(atMs), limit: limitQuery }),
    response: closed({ payments: Type.Array(paymentSchema) }),
  },
  redeemLink: {
    method: "POST",
    path: "/payments/redeem",
    access: "signedIn",
    summary: "Redeems a link for the signed-in address; the link's key has signed RedeemLink{link, redeemer}",
    body: closed({ link: addressSchema, redeemer: addressSchema, sigLink: signatureSchema }),
    response: closed({ payment: paymentSchema }),
  },
  getLink: {
    method: "GET",
    path: "/payments/link/:address",
    access: "public",
    summary: "What a link holds and whether it is still open; only who has the link knows its address",
    params: closed({ address: addressSchema }),
    response: closed({
      asset: addressSchema,
      amount: uint128Schema,
      status: paymentSchema.properties.status,
      expiresAt: uint64Schema,
    }),
  },
  cancelLink: {
    method: "POST",
    path: "/payments/link/:address/cancel",
    access: "signedIn",
    summary: "Gives an expired link's money back to its sender, the signed-in address",
    params: closed({ address: addressSchema }),
    response: closed({ payment: paymentSchema }),
  },

  getCustodialBalance: {
    method: "GET",
    path: "/custodial/:user/balance",
    access: "owner",
    summary: "What the hub owes the user outside of its channel",
    params: userParams,
    response: closed({ balances: Type.Array(assetAmountSchema) }),
  },
  createCustodialWithdrawal: {
    method: "POST",
    path: "/custodial/withdrawals",
    access: "signedIn",
    summary:
      "Moves custodial balance of the signed-in address into its channel or to an address on chain; idempotent by id",
    body: closed({
      id: purchaseIdSchema,
      asset: addressSchema,
      amount: uint128Schema,
      to: Type.Union([Type.Literal("channel"), addressSchema]),
    }),
    response: custodialWithdrawalSchema,
  },
  listCustodialWithdrawals: {
    method: "GET",
    path: "/custodial/withdrawals",
    access: "signedIn",
    summary: "Custodial withdrawals of the signed-in address, newest first",
    query: closed({ limit: limitQuery }),
    response: closed({ withdrawals: Type.Array(custodialWithdrawalSchema) }),
  },

  getProfile: {
    method: "GET",
    path: "/admin/profile/:user",
    access: "admin",
    summary: "Collateral targets that an operator set for a user",
    params: userParams,
    response: closed({ profiles: Type.Array(profileSchema) }),
  },
  setProfile: {
    method: "POST",
    path: "/admin/profile/:user",
    access: "admin",
    summary: "Sets a collateral target for a user, in place of what its recent payments would give",
    params: userParams,
    body: profileSchema,
    response: closed({ profiles: Type.Array(profileSchema) }),
  },
  adminCollateralize: {
    method: "POST",
    path: "/admin/collateralize",
    access: "admin",
    summary: "Queues collateral for a user's channel, up to the ceiling",
    body: closed({ user: addressSchema, asset: addressSchema, amount: uint128Schema }),
    response: closed({ available: uint128Schema, requested: uint128Schema }),
  },
  setDepositsPaused: {
    method: "POST",
    path: "/admin/deposits",
    access: "admin",
    summary: "Stops or resumes crediting new deposits; everything else goes on",
    body: closed({ paused: Type.Boolean() }),
    response: closed({ paused: Type.Boolean() }),
  },
  adminExit: {
    method: "POST",
    path: "/admin/exit",
    access: "admin",
    summary:
      "Starts an exit of a user's channel with the newest state; what it never saw moves to its custodial balance",
    body: closed({ user: addressSchema }),
    response: closed({ transaction: Type.String() }),
  },
  getStatus: {
    method: "GET",
    path: "/admin/status",
    access: "admin",
    summary: "Channels, liabilities, reservations, watcher and transactions at a glance",
    response: closed({
      channels: Type.Integer(),
      exiting: Type.Integer(),
      custodial: Type.Array(assetAmountSchema),
      reserved: Type.Array(assetAmountSchema),
      reserve: Type.Array(assetAmountSchema),
      wallet: Type.Array(assetAmountSchema),
      head: Type.Integer(),
      processed: Type.Integer(),
      openTransactions: Type.Integer(),
      incidents: Type.Integer(),
      payments: Type.Integer(),
      memoryBytes: Type.Integer(),
      startedAtMs: atMs,
    }),
  },
  listAccounts: {
    method: "GET",
    path: "/admin/accounts",
    access: "admin",
    summary: "Users with a channel, in address order",
    query: closed({ after: Type.Optional(addressSchema), limit: limitQuery }),
    response: closed({
      accounts: Type.Array(
        closed({
          user: addressSchema,
          session: uint64Schema,
          nonce: uint64Schema,
          uncountersigned: Type.Integer(),
          balances: Type.Array(closed({ asset: addressSchema, hub: uint128Schema, user: uint128Schema })),
          exit: Type.Optional(exitSchema),
        }),
      ),
    }),
  },
  listTransactions: {
    method: "GET",
    path: "/admin/transactions",
    access: "admin",
    summary: "What the hub's key has sent or will send, newest first",
    query: closed({ limit: limitQuery }),
    response: closed({
      transactions: Type.Array(
        closed({
          id: Type.String(),
          kind: Type.String(),
          status: Type.String(),
          nonce: Type.Optional(Type.Integer()),
          transactionHash: Type.Optional(hashSchema),
          maxFeePerGas: Type.Optional(uint128Schema),
          error: Type.Optional(Type.String()),
        }),
      ),
    }),
  },
  bumpTransaction: {
    method: "POST",
    path: "/admin/transactions/:id/bump",
    access: "admin",
    summary: "Sends a waiting transaction again with a higher fee",
    params: closed({ id: Type.String({ minLength: 1, maxLength: 200 }) }),
    response: closed({ bumped: Type.Boolean() }),
  },
  getAuditLog: {
    method: "GET",
    path: "/admin/audit",
    access: "admin",
    summary: "What operators did and what went against the rules, newest first",
    query: closed({ limit: limitQuery }),
    response: closed({
      entries: Type.Array(
        closed({ atMs, kind: Type.String(), user: Type.Optional(addressSchema), details: Type.String() }),
      ),
    }),
  },
  ...THREAD_OPERATIONS,
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;

type Part<Name extends OperationName, Key extends "params" | "query" | "body"> = (typeof OPERATIONS)[Name] extends {
  readonly [K in Key]: infer Schema extends TSchema;
}
  ? { readonly [K in Key]: Static<Schema> }
  : { readonly [K in Key]?: undefined };

/** What an operation takes, by where HTTP carries it. */
export type InputOf<Name extends OperationName> = Part<Name, "params"> & Part<Name, "query"> & Part<Name, "body">;

export type OutputOf<Name extends OperationName> = Static<(typeof OPERATIONS)[Name]["response"]>;

/** Most bytes of a request, whichever way it comes. */
export const MAX_REQUEST_BYTES = 256 * 1024;

export { MAX_PAYMENTS };
