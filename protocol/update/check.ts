import type { ChannelState } from "../channel-state";
import { hashState, hashThread } from "../eip712/hash";
import { protocolError, type ProtocolError } from "../errors";
import { ledgerOf } from "../ledger";
import { threadSum, type Thread } from "../thread";
import { answer, checkSignature } from "../verify-signature";
import { checkState, type ChannelContext } from "../verify-state";
import { checkThread } from "../verify-thread";
import { next } from "./next";
import { amountAtRate } from "./rate";
import type {
  CloseThreadArgs,
  ExchangeArgs,
  OpenThreadArgs,
  PaymentArgs,
  Side,
  Update,
  UpdateOf,
  WithdrawalArgs,
} from "./update";

/** Nonces may skip, but nobody may use them up: at this pace they last for four thousand million updates. */
export const MAX_NONCE_STEP = 2n ** 32n;

/** Money is locked in a thread for at most this long before anybody can have it adjudicated to its end. */
export const MAX_THREAD_SECONDS = 30n * 86_400n;

/** What this side knows when it is asked to accept an update. */
export interface UpdateContext extends ChannelContext {
  /** Who signed first. */
  readonly author: Side;
  /** The highest nonce that either side is known to have signed in this channel; the update's must be above it. */
  readonly nonceFloor: bigint;
  /** This side's clock, Unix seconds. */
  readonly nowSeconds: bigint;
}

/**
 * The state that an update leads to, if this side may accept it.
 * @throws what `check` returns.
 */
export function advance(state: ChannelState, update: Update, context: UpdateContext): ChannelState {
  const error = checkPlace(state, update, context) ?? checkArgs(state, update, context);
  if (error) throw error;
  const after = next(state, update);
  const wrong = checkState(after, context);
  if (wrong) throw wrong;
  return after;
}

/**
 * Why a side must not accept an update of `state`, or nothing. Both sides ask this of every update, their own included;
 * what it leads to must be a state that the contract would settle, on the chain as this side sees it.
 * Signatures are checked apart (`checkSignature`), since they cost a hundred times as much.
 * Source: docs/protocol.md "Channel updates".
 * @returns OutOfSync, NonceTooLow, NonceTooHigh, WrongAuthor, BalanceTooLow, CounterLowered, NothingMoves, ExchangeRateWrong,
 * QuoteExpired, WithdrawalPending, SameAsset, InvalidRecipient, InvalidThread, InvalidSignature (of a thread's terms),
 * what `next` throws, InvalidValue, or what `checkState` returns.
 */
export function check(state: ChannelState, update: Update, context: UpdateContext): ProtocolError | undefined {
  return answer(() => {
    advance(state, update, context);
    return undefined;
  });
}

function checkPlace(state: ChannelState, update: Update, { nonceFloor }: UpdateContext): ProtocolError | undefined {
  const expected = hashState(state);
  if (update.previous !== expected) return protocolError("OutOfSync", { expected, given: update.previous });
  const floor = nonceFloor > state.nonce ? nonceFloor : state.nonce;
  if (update.nonce <= floor) return protocolError("NonceTooLow", { floor, given: update.nonce });
  if (update.nonce > floor + MAX_NONCE_STEP) {
    return protocolError("NonceTooHigh", { limit: floor + MAX_NONCE_STEP, given: update.nonce });
  }
  return undefined;
}

function checkArgs(state: ChannelState, update: Update, context: UpdateContext): ProtocolError | undefined {
  const { author } = context;
  switch (update.reason) {
    case "Deposit":
      return checkDeposit(state, update);
    case "Payment":
      return checkPayment(update.args, author);
    case "Exchange":
      return checkAuthor(update, author, "user") ?? checkExchange(update.args, context);
    case "Withdrawal":
      return checkAuthor(update, author, "hub") ?? checkWithdrawal(state, update.args, context);
    case "OpenThread":
      return checkAuthor(update, author, "user") ?? checkOpening(update.args, context);
    case "CloseThread":
      return checkClosing(update.args);
    case "Settled":
      return protocolError("WrongAuthor", { reason: "Settled", author });
  }
}

function checkAuthor({ reason }: Update, author: Side, expected: Side): ProtocolError | undefined {
  return author === expected ? undefined : protocolError("WrongAuthor", { reason, author });
}

function checkDeposit(state: ChannelState, { args }: UpdateOf<"Deposit">): ProtocolError | undefined {
  const row = state.assets.find(({ asset }) => asset === args.asset);
  const accounted = (row?.depositedHub ?? 0n) + (row?.depositedUser ?? 0n);
  return args.depositedHub + args.depositedUser === accounted ? protocolError("NothingMoves", {}) : undefined;
}

/** What came over the wire is none; what is made at home must not move money backwards either. */
function negative(name: string, given: bigint): ProtocolError {
  return protocolError("InvalidValue", {
    path: `update.args.${name}`,
    expected: "an amount that is not negative",
    given,
  });
}

/** A side signs a payment only away from itself, so whoever signs first is the one that pays. */
function checkPayment({ recipient, amount, payments }: PaymentArgs, author: Side): ProtocolError | undefined {
  if (recipient === author) return protocolError("WrongAuthor", { reason: "Payment", author });
  if (amount < 0n) return negative("amount", amount);
  const isEmpty = amount === 0n && payments.length === 0;
  if (isEmpty) return author === "user" ? undefined : protocolError("NothingMoves", {});
  return amount === 0n || payments.length === 0 ? protocolError("NothingMoves", {}) : undefined;
}

function checkExchange(args: ExchangeArgs, { nowSeconds }: UpdateContext): ProtocolError | undefined {
  if (args.sellAsset === args.buyAsset) return protocolError("SameAsset", { asset: args.sellAsset });
  if (args.sellAmount < 0n) return negative("sellAmount", args.sellAmount);
  if (args.sellAmount === 0n || args.buyAmount === 0n) return protocolError("NothingMoves", {});
  const expected = amountAtRate(args.sellAmount, args.rate);
  if (args.buyAmount !== expected) return protocolError("ExchangeRateWrong", { expected, given: args.buyAmount });
  if (nowSeconds > args.expiresAt) return protocolError("QuoteExpired", { expiresAt: args.expiresAt, nowSeconds });
  return undefined;
}

/** Both parties have signed the terms, or a leaf would lock money that no evidence could ever free. */
function checkOpening(args: OpenThreadArgs, context: UpdateContext): ProtocolError | undefined {
  const { thread, sigSender, sigReceiver } = args;
  const threadHash = hashThread(thread);
  return (
    checkOffChainTerms(thread, context) ??
    checkSignature(thread.sender, threadHash, sigSender, context.domain) ??
    checkSignature(thread.receiver, threadHash, sigReceiver, context.domain)
  );
}

/** What terms must be for a leaf off chain; before anything is signed as well. @returns InvalidThread InvalidValue */
export function checkOffChainTerms(
  thread: Thread,
  context: Pick<UpdateContext, "domain" | "hub" | "nowSeconds">,
): ProtocolError | undefined {
  return (
    checkThread(thread, { domain: context.domain, challengePeriodSeconds: 0n }) ??
    checkPartiesAndExpiry(thread, context)
  );
}

function checkPartiesAndExpiry(
  thread: Thread,
  context: Pick<UpdateContext, "hub" | "nowSeconds">,
): ProtocolError | undefined {
  const { sender, receiver, expiry } = thread;
  const latest = context.nowSeconds + MAX_THREAD_SECONDS;
  const wrong = (reason: string) => protocolError("InvalidThread", { threadHash: hashThread(thread), reason });
  if (sender === context.hub || receiver === context.hub) return wrong("the hub is a party of it");
  if (expiry <= context.nowSeconds) return wrong("it has expired");
  return expiry > latest ? wrong(`it expires after ${latest}, more than 30 days from now`) : undefined;
}

/** What outcome is right, evidence decides; here only that it is one. */
function checkClosing({ thread, balanceReceiver }: CloseThreadArgs): ProtocolError | undefined {
  const sum = threadSum(thread);
  if (balanceReceiver < 0n) return negative("balanceReceiver", balanceReceiver);
  return balanceReceiver > sum ? protocolError("BalanceAboveSum", { sum, given: balanceReceiver }) : undefined;
}

function checkWithdrawal(state: ChannelState, args: WithdrawalArgs, context: UpdateContext): ProtocolError | undefined {
  const amounts = args.assets.flatMap(({ user, hub }) => [user, hub]);
  const below = amounts.find((amount) => amount < 0n);
  if (below !== undefined) return negative("assets", below);
  if (amounts.every((amount) => amount === 0n)) return protocolError("NothingMoves", {});
  if (args.recipient === context.domain.verifyingContract) {
    return protocolError("InvalidRecipient", { recipient: args.recipient });
  }
  return checkAssetsOnce(args) ?? checkExecuted(state, context) ?? checkFirst(args, context);
}

function checkFirst({ exchange }: WithdrawalArgs, context: UpdateContext): ProtocolError | undefined {
  return exchange === undefined ? undefined : checkExchange(exchange, context);
}

function checkAssetsOnce({ assets }: WithdrawalArgs): ProtocolError | undefined {
  for (const [i, { asset }] of assets.entries()) {
    const previous = assets[i - 1]?.asset;
    if (previous !== undefined && previous >= asset)
      return protocolError("AssetsNotAscending", { previous, next: asset });
  }
  return undefined;
}

/** One at a time: a later state pays everything not yet executed to its own recipient. */
function checkExecuted(state: ChannelState, { ledgers }: UpdateContext): ProtocolError | undefined {
  for (const { asset, withdrawnHub, withdrawnUser } of state.assets) {
    const executed = ledgerOf(ledgers, asset);
    if (withdrawnHub === executed.withdrawnHub && withdrawnUser === executed.withdrawnUser) continue;
    return protocolError("WithdrawalPending", { asset, recipient: state.recipient });
  }
  return undefined;
}
