import type { ChannelState } from "../channel-state";
import { bytesToHex, writeHex, type Hash } from "../hex";
import { keccak256 } from "../keccak";
import type { ExchangeQuote, Receipt, RedeemLink } from "../payment";
import type { Resolution, Thread, ThreadPayment, ThreadUpdate } from "../thread";
import { domainSeparator, type Domain } from "./domain";
import {
  channelStateType,
  exchangeQuoteType,
  receiptType,
  redeemLinkType,
  resolutionType,
  threadPaymentType,
  threadType,
  threadUpdateType,
} from "./statements";

// Struct hashes name a statement, digests are what is signed. All throw InvalidValue if a field does not fit its type.

const stateHashes = new WeakMap<ChannelState, Hash>();

/**
 * Struct hash of a state, as in the contract's exit events. Remembered with the object, because every step asks for it
 * several times and a state, once made, never changes.
 */
export function hashState(state: ChannelState): Hash {
  const known = stateHashes.get(state);
  if (known !== undefined) return known;
  const hash = bytesToHex(channelStateType.hash(state));
  stateHashes.set(state, hash);
  return hash;
}

/** Struct hash of a thread's terms: the key of everything about the thread. */
export function hashThread(thread: Thread): Hash {
  return bytesToHex(threadType.hash(thread));
}

export function hashThreadPayment(payment: ThreadPayment): Hash {
  return bytesToHex(threadPaymentType.hash(payment));
}

export function hashThreadUpdate(update: ThreadUpdate): Hash {
  return bytesToHex(threadUpdateType.hash(update));
}

export function hashResolution(resolution: Resolution): Hash {
  return bytesToHex(resolutionType.hash(resolution));
}

export function hashExchangeQuote(quote: ExchangeQuote): Hash {
  return bytesToHex(exchangeQuoteType.hash(quote));
}

export function hashReceipt(receipt: Receipt): Hash {
  return bytesToHex(receiptType.hash(receipt));
}

export function hashRedeemLink(redemption: RedeemLink): Hash {
  return bytesToHex(redeemLinkType.hash(redemption));
}

/**
 * What is signed: keccak256(0x1901, domain separator, struct hash). Source: EIP-712 "Specification".
 * The kind of statement is in the struct hash, so one function serves all kinds.
 */
export function digestOf(domain: Domain, structHash: Hash): Hash {
  const message = new Uint8Array(66);
  message[0] = 0x19;
  message[1] = 0x01;
  message.set(domainSeparator(domain), 2);
  writeHex(message, 34, 32, structHash, "structHash");
  return bytesToHex(keccak256(message));
}
