import type { Address } from "../address";
import { CodedError } from "../coded-error";
import { ERRORS } from "../errors";
import type { Hash } from "../hex";

/**
 * What a hub answers beside the errors of `protocol/errors.ts`: HTTP status, what happened, why, what to do.
 * `docs/errors.md` says the same.
 */
export const HUB_ERRORS = {
  NotSignedIn: text(
    401,
    () => "The request is not signed in",
    "it concerns one user's channel",
    "sign in: POST /auth/challenge, then /auth/response",
  ),
  NotYours: text<{ user: string }>(
    403,
    ({ user }) => `This belongs to ${user}`,
    "only its owner may see or change it",
    "sign in as its owner",
  ),
  NotAdmin: text(
    403,
    () => "The admin key is missing or wrong",
    "this is for the hub's operator",
    "send the key as `Authorization: Bearer …`",
  ),
  OriginRefused: text<{ origin: string }>(
    403,
    ({ origin }) => `Pages of ${origin} may not use this hub`,
    "its operator lists the origins that may",
    "ask the operator, or use the hub from a program instead of a page",
  ),
  ChallengeUnknown: text(
    401,
    () => "The challenge is unknown, used or expired",
    "each signs in once, within minutes, the address it was asked for",
    "ask for a new one",
  ),
  MessageRefused: text<{ reason: string }>(
    401,
    ({ reason }) => `The sign-in message is refused: ${reason}`,
    "it must be an EIP-4361 message for this hub, chain and nonce, signed by the address it names",
    "build it from what /auth/challenge answered",
  ),
  MalformedRequest: text<{ reason: string }>(
    400,
    ({ reason }) => `The request cannot be read: ${reason}`,
    "it must be JSON as /api/hub/docs describes it",
    "send `content-type: application/json` and a well-formed body",
  ),
  RouteUnknown: text<{ route: string }>(
    404,
    ({ route }) => `There is no ${route}`,
    "the address or the method is wrong",
    "see /api/hub/docs",
  ),
  NotFound: text<{ what: string }>(
    404,
    ({ what }) => `There is no ${what}`,
    "it was never made, or belongs to somebody else",
    "check the id",
  ),
  TooManyRequests: text<{ retryAfterSeconds: number }>(
    429,
    ({ retryAfterSeconds }) => `Too many requests; again in ${retryAfterSeconds} s`,
    "each address has a limit",
    "wait, then go on more slowly",
  ),
  RequestTooLarge: text<{ limitBytes: number }>(
    413,
    ({ limitBytes }) => `The request is larger than ${limitBytes} bytes`,
    "no request needs more",
    "send less at once",
  ),
  Stopping: text(
    503,
    () => "The hub is stopping",
    "it finishes what it began and takes nothing new",
    "try again in a moment, with the same id",
  ),
  InternalError: text(
    500,
    () => "The hub failed at this request",
    "this is a bug; the operator's log has the details",
    "ask by id whether it took effect before trying again",
  ),

  // No request causes these two: a hub does not start with them.
  ConfigInvalid: text<{ problems: readonly string[] }>(
    500,
    ({ problems }) => `The hub's configuration is not usable: ${problems.join("; ")}`,
    "a hub that guesses risks money",
    "set these variables; docs/operations.md lists them all",
  ),
  ContractMismatch: text<{ channelManager: Address; reason: string }>(
    500,
    ({ channelManager, reason }) => `The ChannelManager ${channelManager} is not this hub's: ${reason}`,
    "nothing that it signs would count there",
    "check the chain, the contract and the key",
  ),

  AssetUnknown: text<{ asset: Address }>(
    400,
    ({ asset }) => `This hub does not serve ${asset}`,
    "both sides must know an asset before they hold it",
    "use one of /config",
  ),
  AmountTooSmall: text<{ asset: Address; amount: bigint; minimum: bigint }>(
    400,
    ({ asset, amount, minimum }) => `${amount} of ${asset} is below the minimum of ${minimum}`,
    "dust would block its payee",
    "pay at least the minimum",
  ),
  PurchaseMismatch: text<{ reason: string }>(
    400,
    ({ reason }) => `The updates do not pay for these payments: ${reason}`,
    "amounts come from what is signed, and nothing else",
    "sign one payment to the hub per asset, over the sum and the ids of its payments",
  ),
  PurchaseIdTaken: text<{ id: string }>(
    409,
    ({ id }) => `Purchase ${id} was something else`,
    "an id names one purchase for ever",
    "use a new id",
  ),
  PayingOneself: text(400, () => "Payer and payee are the same", "nothing would move", "name another recipient"),
  InsufficientCollateral: text<{ asset: Address; available: bigint; needed: bigint; payee: Address }>(
    409,
    ({ asset, available, needed, payee }) =>
      `${payee} can receive ${available} of ${asset} now, but ${needed} are needed`,
    "the hub pays from its own money in the payee's channel; more is on its way if its limits allow",
    "try again in a moment, pay the available amount, or pay as PT_OPTIMISTIC or PT_CUSTODIAL",
  ),
  ReceiverBusy: text<{ payee: Address }>(
    409,
    ({ payee }) => `${payee} has too many payments to countersign`,
    "it has been away for long",
    "pay as PT_CUSTODIAL, or wait until it is back",
  ),
  ChannelBusy: text<{ user: Address }>(
    409,
    ({ user }) => `The channel of ${user} is in use elsewhere`,
    "it takes one step at a time",
    "try again in a moment",
  ),
  ChannelIsExiting: text<{ user: Address; deadline: bigint }>(
    409,
    ({ user }) => `The channel of ${user} is exiting`,
    "nothing is signed in a session that is being paid out",
    "wait for its settlement; the next session begins at once",
  ),
  ViewTooOld: text<{ ageSeconds: number; limitSeconds: number }>(
    503,
    ({ ageSeconds, limitSeconds }) =>
      `The newest block that this side sees is ${ageSeconds} s old; ${limitSeconds} s is the limit`,
    "who cannot see an exit must not sign",
    "wait until its node is back",
  ),
  MustSyncFirst: text(
    409,
    () => "The hub was restored and does not know yet what it has signed",
    "it must not sign a second state at a nonce",
    "post your newest double-signed state to /channel/:user/update",
  ),
  DepositsPaused: text(
    503,
    () => "The hub takes no new deposits now",
    "its operator paused them",
    "use what is in the channel, or come back later; your deposit on chain is yours and can be withdrawn by an exit",
  ),
  PairUnknown: text<{ sellAsset: Address; buyAsset: Address }>(
    400,
    ({ sellAsset, buyAsset }) => `The hub does not exchange ${sellAsset} for ${buyAsset}`,
    "it has no price for the pair",
    "see exchangePairs in /config",
  ),
  QuoteUnknown: text(
    409,
    () => "The quote is not one of this hub's, or was used",
    "each is for one user, once, as it stands",
    "ask for a new one",
  ),
  AmountTooLargeForExchange: text<{ asset: Address; available: bigint }>(
    409,
    ({ asset, available }) => `The hub has ${available} of ${asset} in this channel to sell`,
    "it sells what it holds there, and is bringing more",
    "exchange less, or try again in a moment",
  ),
  PriceUnavailable: text(
    503,
    () => "The hub has no current price",
    "its source does not answer",
    "try again in a moment",
  ),

  LinkUnknown: text<{ link: Address }>(
    404,
    ({ link }) => `There is no link ${link}`,
    "its purchase never arrived, or the address is wrong",
    "ask its sender",
  ),
  LinkTaken: text<{ link: Address }>(
    409,
    ({ link }) => `Link ${link} exists already`,
    "a link is paid into once",
    "make a new key",
  ),
  LinkRedeemed: text<{ link: Address }>(
    409,
    ({ link }) => `Link ${link} was redeemed`,
    "each pays once",
    "nothing to do",
  ),
  LinkRefunded: text<{ link: Address }>(
    409,
    ({ link }) => `Link ${link} was cancelled`,
    "its money went back to its sender",
    "ask for a new one",
  ),
  LinkNotExpired: text<{ link: Address; expiresAt: bigint }>(
    409,
    ({ link, expiresAt }) => `Link ${link} can be redeemed until ${expiresAt}`,
    "until then it may be on its way to somebody",
    "wait until it expires",
  ),
  LinkSignatureWrong: text<{ link: Address }>(
    403,
    ({ link }) => `The redemption is not signed by the key of link ${link}`,
    "who sees a request must not be able to take the money",
    "sign RedeemLink{link, redeemer} with the link's key",
  ),

  ThreadUnknown: text<{ hash: Hash }>(
    404,
    ({ hash }) => `There is no thread ${hash} of yours`,
    "it was never proposed here, or belongs to others",
    "check the hash, or propose the thread first",
  ),
  ThreadNotReady: text<{ hash: Hash; status: string; needed: string }>(
    409,
    ({ hash, status, needed }) => `Thread ${hash} is ${status}; for this it must be ${needed}`,
    "a thread is proposed, accepted, opened and closed, once each",
    "look at the thread again and do what comes next",
  ),
  ThreadNotJoined: text<{ hash: Hash }>(
    409,
    ({ hash }) => `The other party of thread ${hash} did not come in time`,
    "both legs are signed in one step or not at all",
    "try again when the other party is online",
  ),
  ExitRefused: text<{ user: string; reason: string }>(
    409,
    ({ user, reason }) => `The hub does not exit the channel of ${user}: ${reason}`,
    "an exit of the hub must take nothing from its user and nothing twice from the hub",
    "wait for the user, or let it exit itself",
  ),
  ThreadDisputed: text<{ hash: Hash; deadline: bigint }>(
    409,
    ({ hash, deadline }) => `The chain decides about thread ${hash} until ${deadline}`,
    "once a thread is shown to the contract nothing more is agreed off chain",
    "show the contract your evidence, and close the thread by its outcome after the deadline",
  ),
  ThreadReceiverFirst: text<{ hash: Hash }>(
    409,
    ({ hash }) => `The receiver of thread ${hash} closes first`,
    "otherwise it could still prove more to the contract than the sender has paid",
    "ask the receiver to close it, or have the contract decide",
  ),
  ThreadOutcomeUnproven: text<{ hash: Hash; proven: bigint; given: bigint }>(
    409,
    ({ hash, proven, given }) => `Thread ${hash} is to end with ${given} for the receiver, but ${proven} are proven`,
    "the hub pays what it can prove to the sender's side",
    "show the payment or resolver that proves it, or close with what is proven",
  ),
  ThreadLimit: text<{ reason: string }>(
    409,
    ({ reason }) => `The thread cannot be opened: ${reason}`,
    "every open thread makes a settlement longer and binds the hub's money",
    "close or decline a thread, or change the terms",
  ),

  BackupNotNewer: text<{ standing: bigint; given: bigint }>(
    409,
    ({ standing, given }) => `Backup ${given} is not newer than ${standing}, which is here`,
    "an older backup must never take the place of a newer one",
    "restore from the one that is here, then make a new one with a higher version",
  ),

  // ------------------------------------------------------------------------------------------------- of a watchtower

  TowerFeeUnpaid: text<{ payee: Address; asset: Address; amount: bigint; days: number }>(
    402,
    ({ payee, asset, amount, days }) =>
      `The tower guards ${days} days for ${amount} of ${asset}, which are not paid to ${payee}`,
    "it pays gas for whom it guards",
    "pay its `payee` through the hub, and send the hub's receipt as `fee`",
  ),
  FeeProofRefused: text<{ reason: string }>(
    400,
    ({ reason }) => `The fee's receipt does not count: ${reason}`,
    "each receipt of a payment to the tower counts once, for its payer",
    "send the receipt as the hub signed it",
  ),
  GuardedIsNewer: text<{ session: bigint; standing: bigint; given: bigint }>(
    409,
    ({ session, standing, given }) =>
      `State ${given} is older than ${standing} of session ${session}, which is guarded`,
    "an older state must never take the place of a newer one",
    "register the newest state",
  ),
  GuardedDiffers: text<{ nonce: bigint; standing: Hash; given: Hash }>(
    409,
    ({ nonce, standing, given }) => `Another state of nonce ${nonce} is guarded: ${standing}, not ${given}`,
    "the first of two states with one nonce wins on chain as well",
    "sign a state with a higher nonce, and register that",
  ),
  OrderExpired: text<{ at: bigint; now: bigint }>(
    400,
    ({ at, now }) => `The order was signed for ${at}, and it is ${now}`,
    "whoever sees an order must not be able to use it for ever",
    "sign it again, with a clock that is right",
  ),

  CustodialBalanceTooLow: text<{ asset: Address; balance: bigint; needed: bigint }>(
    409,
    ({ asset, balance, needed }) => `The custodial balance of ${asset} is ${balance}, but ${needed} are needed`,
    "no more is there",
    "withdraw less",
  ),
  CollateralLimit: text<{ asset: Address; reason: string }>(
    409,
    ({ asset, reason }) => `No more collateral of ${asset}: ${reason}`,
    "the hub's capital is for those who are paid",
    "be paid first, or ask the operator",
  ),
} as const;

export type HubErrorCode = keyof typeof HUB_ERRORS;

export type HubErrorDetails<Code extends HubErrorCode> = Parameters<(typeof HUB_ERRORS)[Code]["what"]>[0];

/** Builds the error of a code from its details. */
export function hubError<Code extends HubErrorCode>(
  code: Code,
  details: HubErrorDetails<Code>,
  cause?: unknown,
): CodedError<Code, HubErrorDetails<Code>> {
  const { what, why, remedy } = HUB_ERRORS[code] as HubErrorText<HubErrorDetails<Code>>;
  return new CodedError(code, `${what(details)}. Why: ${why}. What to do: ${remedy}.`, details, cause);
}

/** Whether something caught is an error of this table, of that code. */
export function isHubError<Code extends HubErrorCode>(
  error: unknown,
  code: Code,
): error is CodedError<Code, HubErrorDetails<Code>> {
  return error instanceof CodedError && error.code === code;
}

/** What of the protocol's errors is about the moment rather than about the request. */
const CONFLICTS = new Set([
  "OutOfSync",
  "NonceTooLow",
  "BalanceTooLow",
  "WithdrawalPending",
  "QuoteExpired",
  "SessionMismatch",
  "NotBacked",
  "NotFresh",
  "ChannelExiting",
  "ReserveTooLow",
]);

/** The HTTP status of a code; undefined for one that no client can cause. */
export function statusOf(code: string): number | undefined {
  const own = (HUB_ERRORS as Readonly<Record<string, { status: number }>>)[code]?.status;
  if (own !== undefined) return own;
  if (!(code in ERRORS)) return undefined;
  return CONFLICTS.has(code) ? 409 : 400;
}

interface HubErrorText<Details extends object> {
  readonly status: number;
  readonly what: (details: Details) => string;
  readonly why: string;
  readonly remedy: string;
}

type NoDetails = Readonly<Record<string, never>>;

function text<Details extends object = NoDetails>(
  status: number,
  what: (details: Details) => string,
  why: string,
  remedy: string,
): HubErrorText<Details> {
  return { status, what, why, remedy };
}
