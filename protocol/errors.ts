import type { Address } from "./address";
import { CodedError } from "./coded-error";
import type { Hash } from "./hex";

/**
 * Every code of the protocol: what happened, why that is refused, what to do. The contract's custom errors stand here
 * under their own names and arguments, so that a failure reads the same whether the chain or this code found it.
 * `docs/errors.md` says the same; a test compares the names with the contract's ABI.
 */
export const ERRORS = {
  // ------------------------------------------------------------------------------------- values, found by this code

  InvalidValue: text<{ path: string; expected: string; given: unknown }>(
    ({ path, expected, given }) => `${path} must be ${expected}, but is ${show(given)}`,
    "a value that is not exactly of its type would be hashed or paid as something else",
    "send the value in the form named here",
  ),
  MalformedSignature: text<{ reason: string }>(
    ({ reason }) => `The signature is malformed: ${reason}`,
    "the contract accepts 65 bytes (r, s, v with v 27 or 28) or 64 bytes (EIP-2098), with low s",
    "sign again, or convert the signature",
  ),
  InvalidPrivateKey: text(
    () => "The private key is not usable",
    "it must be 32 bytes, not zero, and below the order of secp256k1",
    "check where the key comes from; it is never shown here",
  ),
  TooManyThreads: text<{ count: number; limit: number }>(
    ({ count, limit }) => `${count} threads are more than the ${limit} a channel may hold`,
    "proofs must stay short enough to settle",
    "close a thread first",
  ),
  DuplicateThread: text<{ threadHash: Hash }>(
    ({ threadHash }) => `Thread ${threadHash} is in the list twice`,
    "a leaf can be paid once only, so the second stake would be stuck",
    "give each thread its own salt",
  ),
  ThreadHashMismatch: text<{ expected: Hash; given: Hash }>(
    ({ expected, given }) => `The statement names thread ${given}, but the terms hash to ${expected}`,
    "everything about a thread is keyed by the hash of its terms",
    "use the terms that the statement was made for",
  ),

  // ---------------------------------------------------------------------------------------- updates, found by this code

  OutOfSync: text<{ expected: Hash; given: Hash }>(
    ({ expected, given }) => `The update builds on state ${given}, but the newest is ${expected}`,
    "the other side has signed something that this update does not include",
    "take the newest from `sync`, verify it, and sign the update again on top of it, above both nonces",
  ),
  NonceTooLow: text<{ floor: bigint; given: bigint }>(
    ({ floor, given }) => `Nonce ${given} is not above ${floor}`,
    "a side signs one state per nonce, ever, so every nonce is above all that were signed before",
    "use a nonce above the one named here",
  ),
  NonceTooHigh: text<{ limit: bigint; given: bigint }>(
    ({ limit, given }) => `Nonce ${given} is above ${limit}`,
    "nonces may skip, but a channel would end where they end",
    "use the next free nonce",
  ),
  WrongAuthor: text<{ reason: string; author: string }>(
    ({ reason, author }) => `The ${author} may not sign this ${reason} first`,
    "a side pays only away from itself; exchanges begin with the user, withdrawals with the hub on the user's request",
    "let the other side begin, or ask it to",
  ),
  BalanceTooLow: text<{ side: string; asset: Address; balance: bigint; needed: bigint }>(
    ({ side, asset, balance, needed }) => `The ${side}'s balance of ${asset} is ${balance}, but ${needed} are needed`,
    "nobody can pay more than it has in the channel",
    "pay less, or deposit first",
  ),
  CounterLowered: text<{ asset: Address; counter: string; standing: bigint; given: bigint }>(
    ({ asset, counter, standing, given }) => `${counter} of ${asset} would fall from ${standing} to ${given}`,
    "counters of a session only rise",
    "read the counter from the chain again",
  ),
  NothingMoves: text(
    () => "The update moves nothing",
    "it would cost a nonce for nothing; only a user's empty payment to the hub is allowed, and names no payments",
    "leave it out",
  ),
  SameAsset: text<{ asset: Address }>(
    ({ asset }) => `${asset} is both sold and bought`,
    "there is nothing to exchange",
    "name two assets",
  ),
  ExchangeRateWrong: text<{ expected: bigint; given: bigint }>(
    ({ expected, given }) => `The exchange gives ${given}, but its rate says ${expected}`,
    "amounts follow from the rate, rounded down",
    "use the amounts of the quote as they stand",
  ),
  QuoteExpired: text<{ expiresAt: bigint; nowSeconds: bigint }>(
    ({ expiresAt, nowSeconds }) => `The quote expired at ${when(expiresAt)}; it is ${when(nowSeconds)}`,
    "prices move",
    "ask for a new quote",
  ),
  WithdrawalPending: text<{ asset: Address; recipient: Address }>(
    ({ asset }) => `An earlier withdrawal of ${asset} is not executed on chain yet`,
    "withdrawals are cumulative, and a later state would pay it to its own recipient",
    "wait until the chain has executed it; anybody may send it",
  ),

  // ------------------------------------------------------------------------------------------------------- callers

  InvalidHub: text<{ hub: Address }>(
    ({ hub }) => `${hub} cannot be the hub`,
    "it must be neither the zero address nor the contract itself",
    "deploy with the hub's own address",
  ),
  InvalidTreasury: text<{ treasury: Address }>(
    ({ treasury }) => `${treasury} cannot be the treasury`,
    "recalled reserve is paid there: neither the zero address nor the contract itself will do",
    "deploy with an address that can receive and spend",
  ),
  InvalidChallengePeriod: text<{ givenSeconds: bigint; minSeconds: bigint; maxSeconds: bigint }>(
    ({ givenSeconds, minSeconds, maxSeconds }) =>
      `A challenge period of ${givenSeconds} s is outside ${minSeconds} to ${maxSeconds} s`,
    "shorter ones cannot be watched, longer ones lock money for nothing",
    "deploy with a period in that range",
  ),
  InvalidUser: text<{ user: Address }>(
    ({ user }) => `${user} cannot be the user of a channel`,
    "the zero address, the hub and the contract itself have no channel",
    "use the address of the user's own key",
  ),
  NotHub: text<{ caller: Address }>(
    ({ caller }) => `${caller} is not the hub`,
    "only the hub moves reserve into channels",
    "send the transaction with the hub's key",
  ),
  NotHubOrTreasury: text<{ caller: Address }>(
    ({ caller }) => `${caller} is neither the hub nor the treasury`,
    "only these two recall reserve",
    "send the transaction with the key of one of them",
  ),
  NotParty: text<{ caller: Address }>(
    ({ caller }) => `${caller} is no party of this channel`,
    "only the user, the hub and the treasury start an exit",
    "let a party send it; a newer state can be shown by anybody with `challenge`",
  ),

  // ------------------------------------------------------------------------------------------------------- custody

  ZeroAmount: text(() => "The amount is zero", "nothing would move", "name an amount above zero"),
  WrongEtherValue: text<{ expected: bigint; given: bigint }>(
    ({ expected, given }) => `The transaction carries ${given} wei, but ${expected} are needed`,
    "ether sent must equal the amount for ETH and be zero for a token",
    "send exactly that value",
  ),
  TokenWithoutCode: text<{ asset: Address }>(
    ({ asset }) => `There is no contract at ${asset}`,
    "a transfer to it would seem to succeed and move nothing",
    "check the token's address and the network",
  ),
  ReceivedAmountDiffers: text<{ asset: Address; expected: bigint; balanceBefore: bigint; balanceAfter: bigint }>(
    ({ asset, expected, balanceBefore, balanceAfter }) =>
      `Token ${asset} moved ${balanceAfter - balanceBefore} units instead of ${expected}`,
    "a token that keeps a fee would leave the books without cover",
    "use a token whose transfers arrive in full",
  ),
  ReserveTooLow: text<{ asset: Address; reserve: bigint; needed: bigint }>(
    ({ asset, reserve, needed }) => `The reserve holds ${reserve} units of ${asset}, but ${needed} are needed`,
    "collateral is paid from the reserve alone, never from users' money",
    "fund the reserve (`fundReserve`) or ask for less",
  ),
  UseFundReserveOrDeposit: text(
    () => "The contract does not take plain ether",
    "it could not know whose it is",
    "call `fundReserve` for the hub, `deposit` for a channel",
  ),
  NothingToClaim: text<{ account: Address; asset: Address }>(
    ({ account, asset }) => `${account} has nothing to claim of ${asset}`,
    "only payments that failed are left to be claimed",
    "look at `claimableOf`",
  ),
  InvalidRecipient: text<{ recipient: Address }>(
    ({ recipient }) => `${recipient} cannot be paid`,
    "what is sent to the zero address or to the contract is lost",
    "name another recipient",
  ),
  InsufficientGas: text<{ needed: bigint; left: bigint }>(
    ({ needed, left }) => `A payment or app needs ${needed} gas, but ${left} are left`,
    "with less, whoever relays could make it fail on purpose",
    "send the transaction with a higher gas limit",
  ),

  // -------------------------------------------------------------------------------------------------------- states

  SessionMismatch: text<{ current: bigint; given: bigint }>(
    ({ current, given }) => `The state is of session ${given}, but the channel is in session ${current}`,
    "whatever was signed before a settlement is dead",
    "use a state of the current session",
  ),
  TooManyAssets: text<{ count: bigint; limit: bigint }>(
    ({ count, limit }) => `The state lists ${count} assets; ${limit} is the limit`,
    "more could make a settlement too large for a block",
    "leave out assets that were never used",
  ),
  AssetsNotAscending: text<{ previous: Address; next: Address }>(
    ({ previous, next }) => `Asset ${next} follows ${previous}`,
    "assets stand strictly ascending by address, so that none is counted twice",
    "sort the rows by asset and merge equal ones",
  ),
  NotConserved: text<{ asset: Address }>(
    ({ asset }) => `The row of asset ${asset} does not add up`,
    "balanceHub + balanceUser + locked must equal deposits minus withdrawals",
    "do not sign it; recompute it from the last state both signed",
  ),
  NotBacked: text<{ asset: Address; onChainHub: bigint; onChainUser: bigint }>(
    ({ asset, onChainHub, onChainUser }) =>
      `The state names deposits of ${asset} that are not on chain (there: hub ${onChainHub}, user ${onChainUser})`,
    "it would credit money that is not there, for instance after a reorganisation",
    "wait for the deposit's confirmation, or re-fund the counter",
  ),
  NotFresh: text<{ asset: Address; onChainHub: bigint; onChainUser: bigint }>(
    ({ asset, onChainHub, onChainUser }) =>
      `The state is older than a withdrawal of ${asset} (on chain: hub ${onChainHub}, user ${onChainUser})`,
    "it would pay out again what was already withdrawn",
    "use the newest state",
  ),
  ThreadRootMismatch: text<{ threadRoot: Hash }>(
    ({ threadRoot }) => `Thread root ${threadRoot} does not go with the locked amounts`,
    "the root is zero exactly when nothing is locked, otherwise stakes would be stuck",
    "recompute root and locked amounts from the list of open threads",
  ),
  UnsignedStateNotZero: text(
    () => "A state of nonce 0 names amounts, a thread root or a recipient",
    "nonce 0 is the state before anything was signed",
    "use the zero state, or a signed one with its nonce",
  ),
  InvalidSignature: text<{ expected: Address; recovered?: Address }>(
    ({ expected, recovered }) =>
      `The signature is not ${expected}'s` + (recovered === undefined ? "" : `; it gives ${recovered}`),
    "another key, another statement, another chain or another contract was signed",
    "check chain id and contract of the domain, then ask for the signature again",
  ),

  // ---------------------------------------------------------------------------------------------------------- exit

  ChannelExiting: text<{ deadline: bigint }>(
    ({ deadline }) => `The channel is exiting until ${when(deadline)}`,
    "no withdrawal and no second exit while one runs",
    "challenge with a newer state, or settle after the deadline",
  ),
  ChannelNotExiting: text(() => "The channel is not exiting", "nothing stands to be answered", "start an exit first"),
  NothingToExit: text<{ user: Address }>(
    ({ user }) => `The channel of ${user} holds nothing of the listed assets`,
    "an exit without money would only cost gas",
    "list the assets that were deposited",
  ),
  DeadlinePassed: text<{ deadline: bigint }>(
    ({ deadline }) => `The window closed at ${when(deadline)}`,
    "the clock of an exit never moves",
    "settle the standing state",
  ),
  DeadlineNotReached: text<{ deadline: bigint }>(
    ({ deadline }) => `The window is open until ${when(deadline)}`,
    "until then somebody may hold a newer state",
    "settle after the deadline",
  ),
  NonceNotHigher: text<{ standing: bigint; given: bigint }>(
    ({ standing, given }) => `Nonce ${given} is not above the standing ${standing}`,
    "only newer evidence counts",
    "nothing to do if the standing one is the newest; otherwise show the newest",
  ),
  NonceDiffers: text<{ standing: bigint; given: bigint }>(
    ({ standing, given }) => `The state has nonce ${given}, but ${standing} stands`,
    "only the standing state settles",
    "settle with the state of the last ExitStarted or ExitChallenged event",
  ),
  SessionNotEnded: text<{ current: bigint; given: bigint }>(
    ({ current, given }) => `Session ${given} has not ended; the channel is in session ${current}`,
    "what an open session holds is paid by its settlement",
    "settle first",
  ),
  NothingToReclaim: text<{ user: Address; session: bigint; asset: Address }>(
    ({ user, session, asset }) => `Session ${session} of ${user} holds nothing of ${asset}`,
    "it was settled, or never deposited",
    "nothing to do",
  ),

  // ------------------------------------------------------------------------------------------------------- threads

  InvalidThread: text<{ threadHash: Hash; reason?: string }>(
    ({ threadHash, reason }) => `The terms of thread ${threadHash} are invalid` + (reason ? `: ${reason}` : ""),
    "sender and receiver differ, the sum is 1 to 2^128 - 1, and the deadline (expiry and windows) fits 40 bits",
    "do not sign such terms",
  ),
  ThreadAlreadyOpen: text<{ threadHash: Hash }>(
    ({ threadHash }) => `The record of thread ${threadHash} is already open`,
    "the terms alone add nothing to it",
    "show a payment, an update or a resolver",
  ),
  ThreadIsFinal: text<{ threadHash: Hash }>(
    ({ threadHash }) => `Thread ${threadHash} is final`,
    "its deadline passed, or nothing could exceed its record",
    "settle its legs",
  ),
  ThreadNotFinal: text<{ threadHash: Hash; deadline: bigint }>(
    ({ threadHash, deadline }) =>
      `Thread ${threadHash} is not final` + (deadline === 0n ? ": nobody has shown it" : ` before ${when(deadline)}`),
    "until then better evidence may come",
    "show the thread, or wait for its deadline",
  ),
  PaymentNotAllowed: text<{ threadHash: Hash }>(
    ({ threadHash }) => `Thread ${threadHash} takes no payments`,
    "payments exist only for threads that are not updatable and have no app",
    "use an update or the app's resolver",
  ),
  UpdateNotAllowed: text<{ threadHash: Hash }>(
    ({ threadHash }) => `Thread ${threadHash} does not take this update`,
    "updates exist only for updatable threads, and their nonces start at 1",
    "use a payment or the app's resolver",
  ),
  UpdatesClosed: text<{ threadHash: Hash; deadline: bigint }>(
    ({ threadHash, deadline }) => `Thread ${threadHash} takes no more updates; it is final at ${when(deadline)}`,
    "the last period before the deadline of an updatable thread with an app is for resolutions",
    "resolve the standing update",
  ),
  BalanceNotHigher: text<{ standing: bigint; given: bigint }>(
    ({ standing, given }) => `A receiver's balance of ${given} is not above the standing ${standing}`,
    "evidence of such a thread can only raise it",
    "nothing to do if the standing one is the highest",
  ),
  BalanceAboveSum: text<{ sum: bigint; given: bigint }>(
    ({ sum, given }) => `A receiver's balance of ${given} is above the thread's sum ${sum}`,
    "more than the stake cannot be paid",
    "do not sign it",
  ),
  ThreadHasNoApp: text<{ threadHash: Hash }>(
    ({ threadHash }) => `Thread ${threadHash} has no app`,
    "there is nobody to resolve it",
    "use payments or updates",
  ),
  AppStateMismatch: text<{ expected: Hash; given: Hash }>(
    ({ expected, given }) => `The app state hashes to ${given}, but ${expected} stands`,
    "the app may only decide over what the parties agreed on",
    "give the app state of the terms or of the newest update",
  ),
  AppFailed: text<{ app: Address }>(
    ({ app }) => `The app ${app} did not resolve`,
    "it reverted, ran out of its gas, or did not answer with one uint128",
    "check the resolver; without a resolution the standing balances are paid",
  ),
  AlreadyResolved: text<{ threadHash: Hash; nonce: bigint }>(
    ({ threadHash, nonce }) => `Thread ${threadHash} is resolved at nonce ${nonce}`,
    "the first resolution of a nonce stands",
    "only an update of a higher nonce changes it",
  ),
  NotThreadParty: text<{ user: Address }>(
    ({ user }) => `${user} is neither sender nor receiver of the thread`,
    "a leg lies in the channel of a party",
    "name the party whose channel the leg is in",
  ),
  LegAlreadyPaid: text<{ threadHash: Hash; user: Address }>(
    ({ threadHash, user }) => `The leg of thread ${threadHash} in the channel of ${user} is paid`,
    "each leg is paid once, ever",
    "nothing to do",
  ),
  ThreadNotInRoot: text<{ threadHash: Hash; threadRoot: Hash }>(
    ({ threadHash, threadRoot }) => `Thread ${threadHash} is not proven in root ${threadRoot}`,
    "only threads of the settled state hold money",
    "rebuild the proof from all threads that were open in that state",
  ),
  LockedTooLow: text<{ asset: Address; locked: bigint; needed: bigint }>(
    ({ asset, locked, needed }) =>
      `The session holds ${locked} units of ${asset} for threads, but ${needed} are needed`,
    "threads are paid from what their own session locked",
    "the two parties signed threads beyond their locked amount; nothing more is there",
  ),
} as const;

export type ErrorCode = keyof typeof ERRORS;

export type ErrorDetails<Code extends ErrorCode> = Parameters<(typeof ERRORS)[Code]["what"]>[0];

/** Says what was wrong, why, and what to do. A union over the codes, so that `switch (error.code)` narrows `details`. */
export type ProtocolError<Code extends ErrorCode = ErrorCode> = {
  [Each in Code]: CodedError<Each, ErrorDetails<Each>>;
}[Code];

/** Builds the error of a code from its details. It is returned by checks and thrown where a value cannot be used. */
export function protocolError<Code extends ErrorCode>(
  code: Code,
  details: ErrorDetails<Code>,
  cause?: unknown,
): CodedError<Code, ErrorDetails<Code>> {
  const { what, why, remedy } = ERRORS[code] as ErrorText<ErrorDetails<Code>>;
  return new CodedError(code, `${what(details)}. Why: ${why}. What to do: ${remedy}.`, details, cause);
}

/** Whether something caught is an error of this table, of that code if one is named. */
export function isProtocolError<Code extends ErrorCode>(error: unknown, code?: Code): error is ProtocolError<Code> {
  if (!(error instanceof CodedError)) return false;
  const given: unknown = error.code;
  return code === undefined ? Object.keys(ERRORS).includes(String(given)) : given === code;
}

interface ErrorText<Details extends object> {
  readonly what: (details: Details) => string;
  readonly why: string;
  readonly remedy: string;
}

type NoDetails = Readonly<Record<string, never>>;

function text<Details extends object = NoDetails>(
  what: (details: Details) => string,
  why: string,
  remedy: string,
): ErrorText<Details> {
  return { what, why, remedy };
}

/** A value from outside, short enough for a message whatever was sent. */
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length <= 140 ? value : `${value.slice(0, 137)}...`);
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" || typeof value === "symbol" ? `a ${typeof value}` : String(value);
}

/** The end of JavaScript's calendar; it begins as far before 1970. */
const LAST_DATE_SECONDS = 8_640_000_000_000n;

/** Unix seconds, with the date beside them. */
function when(seconds: bigint): string {
  if (seconds > LAST_DATE_SECONDS || seconds < -LAST_DATE_SECONDS) return `${seconds}`;
  return `${seconds} (${new Date(Number(seconds) * 1000).toISOString()})`;
}
