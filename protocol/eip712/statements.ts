import { MAX_ASSETS, type AssetState, type ChannelState } from "../channel-state";
import type { Resolution, Thread, ThreadPayment, ThreadUpdate } from "../thread";
import type { ExchangeQuote, Receipt, RedeemLink } from "../payment";
import { defineStruct } from "./struct";

// One EIP-712 type per kind of statement: a signature for one can never pass for another.
// The same types stand in contracts/libraries/StateHash.sol and SignedApp.sol; test/vectors compares them.

export const assetStateType = defineStruct<AssetState>("AssetState", {
  asset: "address",
  balanceHub: "uint128",
  balanceUser: "uint128",
  locked: "uint128",
  depositedHub: "uint128",
  depositedUser: "uint128",
  withdrawnHub: "uint128",
  withdrawnUser: "uint128",
});

export const channelStateType = defineStruct<ChannelState>("ChannelState", {
  user: "address",
  session: "uint64",
  nonce: "uint64",
  assets: { item: assetStateType, max: MAX_ASSETS },
  threadRoot: "bytes32",
  recipient: "address",
});

export const threadType = defineStruct<Thread>("Thread", {
  salt: "bytes32",
  sender: "address",
  receiver: "address",
  asset: "address",
  balanceSender: "uint128",
  balanceReceiver: "uint128",
  updatable: "bool",
  expiry: "uint64",
  app: "address",
  appStateHash: "bytes32",
});

export const threadPaymentType = defineStruct<ThreadPayment>("ThreadPayment", {
  threadHash: "bytes32",
  balanceReceiver: "uint128",
});

export const threadUpdateType = defineStruct<ThreadUpdate>("ThreadUpdate", {
  threadHash: "bytes32",
  nonce: "uint64",
  balanceReceiver: "uint128",
  appStateHash: "bytes32",
});

/** Signed by the arbiter of a `SignedApp`, in that app's own domain. */
export const resolutionType = defineStruct<Resolution>("Resolution", {
  channelManager: "address",
  threadHash: "bytes32",
  balanceReceiver: "uint128",
});

// What follows never reaches the contract, but lives in its domain: a signature is bound to one hub on one chain.

/** The hub's promise of a price. */
export const exchangeQuoteType = defineStruct<ExchangeQuote>("ExchangeQuote", {
  quoteId: "bytes32",
  user: "address",
  sellAsset: "address",
  sellAmount: "uint128",
  buyAsset: "address",
  buyAmount: "uint128",
  rate: "uint128",
  expiresAt: "uint64",
});

/** The hub's proof that a payment reached its payee. */
export const receiptType = defineStruct<Receipt>("Receipt", {
  purchaseId: "string",
  paymentId: "bytes32",
  payer: "address",
  payee: "address",
  asset: "address",
  amount: "uint128",
  payeeNonce: "uint64",
});

/** Signed by a link's one-off key: who may redeem it. */
export const redeemLinkType = defineStruct<RedeemLink>("RedeemLink", { link: "address", redeemer: "address" });
