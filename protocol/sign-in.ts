import { checksumAddress, parseAddress, type Address } from "./address";
import { protocolError } from "./errors";
import { bytesToHex, type Hash } from "./hex";
import { keccak256 } from "./keccak";

/** What a user signs to sign in. Text, so it can never be a state. Source: EIP-4361 "Message Format". */
export interface SignInMessage {
  /** Host and port of the hub, as the user's side knows it. */
  readonly domain: string;
  readonly address: Address;
  readonly uri: string;
  readonly chainId: number;
  /** From the hub: at least 8 letters and digits. */
  readonly nonce: string;
  /** RFC 3339, UTC. */
  readonly issuedAt: string;
  readonly expirationTime: string;
}

const STATEMENT = "Sign in to this payment hub. This moves no money and signs no payment.";

const TIME = "\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d{3})?Z";

const PATTERN = new RegExp(
  [
    "^(?<domain>[A-Za-z0-9.:[\\]-]{1,255}) wants you to sign in with your Ethereum account:",
    "(?<address>0x[0-9a-fA-F]{40})",
    "",
    STATEMENT.replaceAll(".", "\\."),
    "",
    "URI: (?<uri>[^\\s]{1,512})",
    "Version: 1",
    "Chain ID: (?<chainId>[1-9][0-9]{0,15})",
    "Nonce: (?<nonce>[A-Za-z0-9]{8,64})",
    `Issued At: (?<issuedAt>${TIME})`,
    `Expiration Time: (?<expirationTime>${TIME})$`,
  ].join("\n"),
);

/** The text of a message. @throws InvalidValue if a part would break its form. */
export function formatSignIn(message: SignInMessage): string {
  const text = [
    `${message.domain} wants you to sign in with your Ethereum account:`,
    checksumAddress(message.address),
    "",
    STATEMENT,
    "",
    `URI: ${message.uri}`,
    "Version: 1",
    `Chain ID: ${message.chainId}`,
    `Nonce: ${message.nonce}`,
    `Issued At: ${message.issuedAt}`,
    `Expiration Time: ${message.expirationTime}`,
  ].join("\n");
  parseSignIn(text);
  return text;
}

/**
 * Reads exactly the form above, with the address as EIP-55 spells it: one message has one text.
 * @throws InvalidValue
 */
export function parseSignIn(text: string): SignInMessage {
  const parts = PATTERN.exec(text)?.groups;
  if (parts === undefined) {
    throw protocolError("InvalidValue", {
      path: "message",
      expected: "an EIP-4361 message of this toolkit",
      given: text,
    });
  }
  const { domain = "", uri = "", nonce = "", issuedAt = "", expirationTime = "" } = parts;
  const address = parseAddress(parts.address, "message.address");
  const spelling = checksumAddress(address);
  if (parts.address !== spelling) {
    throw protocolError("InvalidValue", { path: "message.address", expected: spelling, given: parts.address });
  }
  return { domain, address, uri, chainId: Number(parts.chainId), nonce, issuedAt, expirationTime };
}

/** What a wallet's `personal_sign` signs of a text. Source: EIP-191, version 0x45. */
export function personalDigest(text: string): Hash {
  const bytes = new TextEncoder().encode(text);
  const prefix = new TextEncoder().encode(`\x19Ethereum Signed Message:\n${bytes.length}`);
  const whole = new Uint8Array(prefix.length + bytes.length);
  whole.set(prefix);
  whole.set(bytes, prefix.length);
  return bytesToHex(keccak256(whole));
}
