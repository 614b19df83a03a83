import { CodedError } from "../protocol/coded-error";
import type { WireError } from "../protocol";

/** What can go wrong on the user's side, beside the errors of the protocol and of the hub. */
export const CLIENT_ERRORS = {
  HubUnreachable: text<{ url: string; reason: string }>(
    ({ url, reason }) => `The hub at ${url} does not answer: ${reason}`,
    "nothing was sent to it",
    "try again later; what is in the channel is yours, and `startExit` needs no hub",
  ),
  AnswerUnknown: text<{ operation: string; reason: string }>(
    ({ operation, reason }) => `It is unknown whether ${operation} took effect: ${reason}`,
    "the connection ended before the hub's answer",
    "ask again with the same id; it has the same effect once",
  ),
  AnswerMalformed: text<{ operation: string; problem: string }>(
    ({ operation, problem }) => `The hub's answer to ${operation} is not of its form: ${problem}`,
    "it may be another version, or not a hub",
    "check the hub's address and version; nothing of the answer was used",
  ),
  KeyInUse: text<{ name: string }>(
    ({ name }) => `Another client uses ${name}`,
    "two clients on one record could sign two states with one nonce",
    "close the other tab or process first",
  ),
  HubTrustedForChain: text(
    () => "There is no way to the chain but the hub's",
    "a hub that also says what is on chain could report deposits that are not there, or hide an exit",
    "give `ethUrl` or `ethProvider`; or, knowing this, `trustHubChain: true`",
  ),
  WrongChain: text<{ expected: number; actual: number; where: string }>(
    ({ expected, actual, where }) => `${where} serves chain ${actual}, not ${expected}`,
    "signatures and money would be for another chain",
    "use a node of the hub's chain",
  ),
  ChainUnreachable: text<{ reason: string }>(
    ({ reason }) => `The chain cannot be read: ${reason}`,
    "every node of the client's must answer: what one of them hides, another one shows",
    "try again when it is back, or use another `ethUrl`",
  ),
  HubChanged: text<{ field: string; known: string; given: string }>(
    ({ field, known, given }) => `The hub now says ${field} ${given}, and said ${known} before`,
    "what is signed is bound to one contract and one hub for ever",
    "use another store for another hub; what is in the old channel can be taken out by an exit",
  ),
  ContractMissing: text<{ address: string }>(
    ({ address }) => `There is no ChannelManager at ${address}`,
    "the hub names a contract that this chain does not have",
    "check the hub's address and the chain",
  ),
  WrongContract: text<{ address: string; field: string; expected: string; actual: string }>(
    ({ address, field, expected, actual }) => `The contract at ${address} has ${field} ${actual}, not ${expected}`,
    "the hub's word and the chain must agree before anything is signed",
    "check the hub's address; do not deposit there",
  ),
  NoSigner: text(
    () => "There is no key to sign with",
    "every step needs a signature",
    "give `privateKey`, `mnemonic`, an ethers signer or an EIP-1193 wallet",
  ),
  MnemonicInvalid: text(
    () => "The mnemonic is not a BIP-39 phrase",
    "a word is misspelt, missing, or in another order; the phrase is never shown here",
    "check it word by word",
  ),
  SignatureRefused: text<{ reason: string }>(
    ({ reason }) => `The wallet did not sign: ${reason}`,
    "its owner declined, it shows another account, or it cannot sign this",
    "confirm in the wallet, with the account that the client was opened with",
  ),
  TimedOut: text<{ what: string; seconds: number }>(
    ({ what, seconds }) => `${what} did not happen within ${seconds} s`,
    "the chain or the hub is slow; nothing is lost",
    "look at `getState` later; asking again is safe",
  ),
  DepositNotCredited: text<{ asset: string; transactionHashes: readonly string[]; reason: string }>(
    ({ asset, transactionHashes, reason }) =>
      `The deposit of ${asset} is on chain (${transactionHashes.join(", ")}) but the hub has not signed it: ${reason}`,
    "the hub is down, refuses it, or needs more confirmations",
    "wait and look at `getState`; the money is this user's in any case, and `startExit` needs no hub",
  ),
  Stopped: text(() => "The client is stopped", "its record is closed", "start it again"),
  SlippageTooHigh: text<{ expected: bigint; given: bigint }>(
    ({ expected, given }) => `The hub's rate ${given} is below what was accepted, ${expected}`,
    "the price moved, or the hub asks too much",
    "accept a lower rate, or exchange elsewhere",
  ),
  QuoteMalformed: text<{ reason: string }>(
    ({ reason }) => `The hub's quote is not what was asked for: ${reason}`,
    "only the exchange that the caller wants is signed",
    "ask again, or exchange elsewhere",
  ),
  HubIncident: text<{ reason: string }>(
    ({ reason }) => `The hub did something against the rules: ${reason}`,
    "nothing of it was signed; the evidence is kept",
    "look at the incidents; if it goes on, leave with `startExit`",
  ),
  HubBehind: text<{ given: bigint; known: bigint }>(
    ({ given, known }) => `The hub shows state ${given} as the newest, but has signed ${known}`,
    "it was restored from a copy, or it hides what it signed",
    "nothing; it is shown the newer state, and nothing of the older one is taken",
  ),
  Unsolicited: text<{ reason: string; nonce: bigint; why: string }>(
    ({ reason, nonce, why }) => `The hub signed a ${reason} (nonce ${nonce}) that this side does not accept: ${why}`,
    "only what this side asked for, or what only adds, is signed",
    "nothing is signed; look at the incident, and leave if it goes on",
  ),
  HubContradicts: text<{ shown: string; nonce: bigint }>(
    ({ shown, nonce }) => `The hub shows ${shown} (nonce ${nonce})`,
    "it takes back what it signed, or two clients with one key share a device number",
    "nothing of it is taken; what was known stays in the evidence; leave if it goes on",
  ),
  CannotSendTransactions: text(
    () => "This signer cannot send transactions",
    "it only signs",
    "give an ethers signer or a key together with `ethUrl`",
  ),
  FundsTooLow: text<{ asset: string; balance: bigint; needed: bigint }>(
    ({ asset, balance, needed }) => `The account has ${balance} of ${asset}, but ${needed} are needed`,
    "nobody can send more than it has",
    "send less, or fund the account first; ETH is also needed for the fee",
  ),
  TransactionFailed: text<{ reason: string }>(
    ({ reason }) => `The transaction did not go through: ${reason}`,
    "the node or the contract refused it without a reason of this contract's",
    "look at the reason and at the account's ETH; the channel is as it was",
  ),
  ReceiptMissing: text<{ paymentId: string }>(
    ({ paymentId }) => `The hub gave no valid receipt for payment ${paymentId}`,
    "the payment is signed, but its arrival is not proven",
    "ask the payee, and the hub with the purchase's id; the state that you signed is in your evidence",
  ),
  ThreadNotOpen: text<{ threadHash: string; leg: string }>(
    ({ threadHash, leg }) => `Thread ${threadHash} is not open in this channel: its stake here is ${leg}`,
    "what is signed on a thread counts only while both channels hold its stake",
    "open a thread first, or look at `listThreads`",
  ),
  WrongThreadRole: text<{ threadHash: string; needed: string }>(
    ({ threadHash, needed }) => `This side is not the ${needed} of thread ${threadHash}`,
    "on a thread that is not updatable the sender alone pays, and the receiver closes first",
    "let the other party do it",
  ),
  ThreadUpdateOvertaken: text<{ threadHash: string; nonce: bigint }>(
    ({ threadHash, nonce }) => `Another update of thread ${threadHash}, at nonce ${nonce}, took the place of this one`,
    "both parties proposed at once, and one of them gives way",
    "look at the thread as it is now, and propose again",
  ),
  ThreadUpdateRefused: text<{ threadHash: string; nonce: bigint }>(
    ({ threadHash, nonce }) => `The other party of thread ${threadHash} refused the update; nonce ${nonce} restores it`,
    "its rules for updates do not accept this one",
    "propose something else, or close the thread",
  ),
  ThreadDeclined: text<{ threadHash: string }>(
    ({ threadHash }) => `The other party declined thread ${threadHash}`,
    "its rules for threads do not accept these terms",
    "propose other terms; nothing was locked",
  ),
  ThreadRoomTooSmall: text<{ recipient: string; asset: string; needed: bigint; available: bigint }>(
    ({ recipient, asset, needed, available }) =>
      `No open thread to ${recipient} has room for ${needed} of ${asset}; the widest has ${available}`,
    "a payment through a thread moves what was locked when it was opened",
    "open a thread to the recipient, or pay through the hub",
  ),
  ThreadPaymentMixed: text<{ types: readonly string[] }>(
    ({ types }) => `One purchase cannot hold PT_THREAD together with ${types.join(", ")}`,
    "the hub sees nothing of a payment through a thread, so the two cannot happen together or not at all",
    "make two purchases",
  ),
  AppStateUnknown: text<{ threadHash: string; appStateHash: string }>(
    ({ threadHash, appStateHash }) => `The app state ${appStateHash} of thread ${threadHash} is not known here`,
    "both sign its hash alone, so whoever proposes it must send it along",
    "ask the other party for it",
  ),
  SwapUnsafe: text<{ threadHash: string; reason: string }>(
    ({ threadHash, reason }) => `The swap over thread ${threadHash} is not what was agreed: ${reason}`,
    "one side could take both parts",
    "give nothing; what this side has given already comes back after its expiry",
  ),
  NothingBetter: text<{ threadHash: string }>(
    ({ threadHash }) => `The contract already knows everything of thread ${threadHash} that this side could show`,
    "only better evidence changes a record",
    "wait for the end of the window, and settle",
  ),
  ThreadNeedsChain: text<{ threadHash: string; outcome: bigint }>(
    ({ threadHash, outcome }) => `Only the contract can close thread ${threadHash} with ${outcome} for its receiver`,
    "the hub takes no app's word but that of the prebuilt ones, whose rules it knows",
    "show the contract the evidence with `challengeThread`; after the window the thread closes by its decision",
  ),
  NotConfigured: text<{ what: string }>(
    ({ what }) => `${what} is not known to this client`,
    "the hub does not name it in its configuration, or the caller gave none",
    "give its address",
  ),

  TowerReceiptWrong: text<{ url: string; what: string }>(
    ({ url, what }) => `The tower at ${url} gave a receipt for ${what} that does not count`,
    "only its own signature over exactly what was given can be held against it",
    "do not rely on this tower; use another one",
  ),
  TowerUnreachable: text<{ url: string; reason: string }>(
    ({ url, reason }) => `The tower at ${url} does not answer: ${reason}`,
    "nothing is known of what it has",
    "try again later, or use another tower",
  ),
  BackupUnavailable: text<{ reason: string }>(
    ({ reason }) => `There are no backups here: ${reason}`,
    "what seals a backup follows from the user's own key, by cryptography that the platform has",
    "open the client with a private key or a mnemonic, on a secure page",
  ),
  BackupMalformed: text<{ problem: string }>(
    ({ problem }) => `This is no backup: ${problem}`,
    "the wrong file, a part of one, or one of another version",
    "look for the whole file, or restore from the hub or the tower",
  ),
  BackupDamaged: text(
    () => "The backup cannot be opened",
    "something in it was changed, or another key has sealed it",
    "nothing of it was used; take another copy, or restore from the hub or the tower",
  ),
  BackupNotOurs: text<{ field: string; given: string; expected: string }>(
    ({ field, given, expected }) => `The backup is of ${field} ${given}, not ${expected}`,
    "it belongs to another user, contract or chain, and would say nothing about this channel",
    "open the client with the key and the hub that the backup is of",
  ),
  BackupAheadOfChain: text<{ session: bigint; chain: bigint }>(
    ({ session, chain }) => `The backup is of session ${session}, and the chain is at ${chain}`,
    "this node is behind, or its chain was begun anew since",
    "wait until the node is level, or use another one; nothing of the backup was used",
  ),
} as const;

export type ClientErrorCode = keyof typeof CLIENT_ERRORS;

export type ClientErrorDetails<Code extends ClientErrorCode> = Parameters<(typeof CLIENT_ERRORS)[Code]["what"]>[0];

/** Builds the error of a code from its details. */
export function clientError<Code extends ClientErrorCode>(
  code: Code,
  details: ClientErrorDetails<Code>,
  cause?: unknown,
): CodedError<Code, ClientErrorDetails<Code>> {
  const { what, why, remedy } = CLIENT_ERRORS[code] as ClientErrorText<ClientErrorDetails<Code>>;
  return new CodedError(code, `${what(details)}. Why: ${why}. What to do: ${remedy}.`, details, cause);
}

/** Whether something caught is a coded error, of one of these codes if any are named. */
export function hasCode(error: unknown, ...codes: readonly string[]): error is CodedError {
  if (!(error instanceof CodedError)) return false;
  const code: unknown = error.code;
  return codes.length === 0 || codes.includes(String(code));
}

/** What a caught value says, for a sentence. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A hub's error as the hub made it. */
export function errorFromWire({ code, message, details }: WireError): CodedError {
  return new CodedError(code, message, typeof details === "object" && details !== null ? details : {});
}

interface ClientErrorText<Details extends object> {
  readonly what: (details: Details) => string;
  readonly why: string;
  readonly remedy: string;
}

type NoDetails = Readonly<Record<string, never>>;

function text<Details extends object = NoDetails>(
  what: (details: Details) => string,
  why: string,
  remedy: string,
): ClientErrorText<Details> {
  return { what, why, remedy };
}
