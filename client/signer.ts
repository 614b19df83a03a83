import { HDNodeWallet, JsonRpcSigner, Wallet, BrowserProvider, type Provider, type Signer } from "ethers";
import {
  addressOfPrivateKey,
  bytesToHex,
  channelStateType,
  digestOf,
  hashState,
  hexToBytes,
  parseAddress,
  personalDigest,
  protocolError,
  recoverAddress,
  signDigest,
  typedDataJson,
  typedDataOf,
  type Address,
  type ChannelState,
  type Domain,
  type Hash,
  type Signature,
} from "../protocol";
import type { StructType } from "../protocol/eip712/struct";
import { clientError, hasCode, messageOf } from "./errors";

/** The user's key, wherever it is. */
export interface ClientSigner {
  readonly address: Address;
  /** EIP-712, in the contract's domain. The engine keeps one state per nonce; nobody else may call this. */
  signState(state: ChannelState, domain: Domain): Promise<Signature>;
  /** EIP-712 over any other statement. For channel states there is `signState`, and its guard. */
  signStatement<Value extends object>(type: StructType<Value>, value: Value, domain: Domain): Promise<Signature>;
  /** EIP-191 over a text. */
  signText(text: string): Promise<Signature>;
  /** The key itself, to derive others from; absent where it is not in this process. */
  readonly secret?: () => Uint8Array;
  /** For transactions; absent where the key only signs. */
  readonly ethers?: (provider: Provider) => Signer;
}

/** A wallet in a page, as EIP-1193 has it: `window.ethereum`, or what EIP-6963 announces. */
export interface Eip1193Wallet {
  request(request: { method: string; params?: unknown[] }): Promise<unknown>;
}

/** Where the key is. */
export type SignerOptions =
  | { readonly privateKey: string }
  | { readonly mnemonic: string }
  | { readonly signer: Signer }
  | { readonly wallet: Eip1193Wallet };

/** @throws NoSigner, InvalidPrivateKey, MnemonicInvalid, SignatureRefused (a wallet that shows no account) */
export async function openSigner(options: SignerOptions): Promise<ClientSigner> {
  if ("privateKey" in options) return keySigner(options.privateKey);
  if ("mnemonic" in options) return keySigner(keyOfMnemonic(options.mnemonic));
  if ("signer" in options) return ethersSigner(options.signer);
  if ("wallet" in options) return walletSigner(options.wallet);
  throw clientError("NoSigner", {});
}

/** BIP-44's first account of Ethereum: m/44'/60'/0'/0/0. */
function keyOfMnemonic(phrase: string): string {
  try {
    return HDNodeWallet.fromPhrase(phrase).privateKey;
  } catch {
    throw clientError("MnemonicInvalid", {}); // the library's own error may show the phrase
  }
}

/** A key in this process signs by itself, about ten times as fast as through ethers. */
function keySigner(privateKey: string): ClientSigner {
  const key = keyBytes(privateKey);
  const wallet = new Wallet(`0x${privateKey.replace(/^0x/i, "").toLowerCase()}`);
  return {
    address: addressOfPrivateKey(key),
    signState: (state, domain) => Promise.resolve(signDigest(digestOf(domain, hashState(state)), key)),
    signStatement: (type, value, domain) =>
      Promise.resolve(signDigest(digestOf(domain, bytesToHex(type.hash(value))), key)),
    signText: (text) => Promise.resolve(signDigest(personalDigest(text), key)),
    secret: () => key,
    ethers: (provider) => wallet.connect(provider),
  };
}

/** Its own errors say nothing of what was given: it may be most of a key. @throws InvalidPrivateKey */
function keyBytes(privateKey: unknown): Uint8Array {
  if (typeof privateKey !== "string" || !/^(0x)?[0-9a-f]{64}$/i.test(privateKey)) {
    throw protocolError("InvalidPrivateKey", {});
  }
  const key = hexToBytes(`0x${privateKey.slice(-64).toLowerCase()}`);
  addressOfPrivateKey(key);
  return key;
}

/** Any ethers signer. */
async function ethersSigner(signer: Signer): Promise<ClientSigner> {
  const address = parseAddress(await signer.getAddress());
  const signStatement: ClientSigner["signStatement"] = (type, value, domain) => {
    const { types, message } = typedDataOf(type, domain, value);
    const mutable = Object.fromEntries(Object.entries(types).map(([name, fields]) => [name, [...fields]]));
    const digest = digestOf(domain, bytesToHex(type.hash(value)));
    return checked(address, digest, () => signer.signTypedData({ ...domain }, mutable, message));
  };
  return {
    address,
    signState: (state, domain) => signStatement(channelStateType, state, domain),
    signStatement,
    signText: (text) => checked(address, personalDigest(text), () => signer.signMessage(text)),
    ethers: (provider) => (signer.provider === null ? signer.connect(provider) : signer),
  };
}

/** A wallet that asks its owner. Its transactions go through the wallet's own node, on the chain that it shows. */
async function walletSigner(wallet: Eip1193Wallet): Promise<ClientSigner> {
  const accounts = await refusable(() => wallet.request({ method: "eth_requestAccounts" }));
  const account: unknown = Array.isArray(accounts) ? accounts[0] : undefined;
  if (account === undefined) throw clientError("SignatureRefused", { reason: "it shows no account" });
  const address = parseAddress(account, "the wallet's account");
  const provider = new BrowserProvider(wallet);
  const ask = (method: string, ...params: unknown[]): Promise<unknown> => wallet.request({ method, params });
  const signStatement: ClientSigner["signStatement"] = (type, value, domain) => {
    const text = JSON.stringify(typedDataJson(type, domain, value));
    const digest = digestOf(domain, bytesToHex(type.hash(value)));
    return checked(address, digest, () => ask("eth_signTypedData_v4", address, text));
  };
  return {
    address,
    signState: (state, domain) => signStatement(channelStateType, state, domain),
    signStatement,
    signText: (text) => {
      const bytes = Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0"));
      return checked(address, personalDigest(text), () => ask("personal_sign", `0x${bytes.join("")}`, address));
    },
    ethers: () => new JsonRpcSigner(provider, address),
  };
}

/**
 * What a wallet answered, in the one form that the contract takes. It is recovered here: a signature of another account,
 * or over something else, must be found before it counts.
 * @throws SignatureRefused
 */
async function checked(signer: Address, digest: Hash, sign: () => Promise<unknown>): Promise<Signature> {
  const given = await refusable(sign);
  const signature = withUsualV(String(given).toLowerCase());
  let recovered: Address;
  try {
    recovered = recoverAddress(digest, signature);
  } catch (error) {
    throw clientError("SignatureRefused", { reason: `its answer is no signature: ${messageOf(error)}` }, error);
  }
  if (recovered === signer) return signature;
  throw clientError("SignatureRefused", { reason: `it signed as ${recovered}, or something else than it was shown` });
}

/** Some wallets, of hardware above all, give v as 0 or 1. */
function withUsualV(signature: string): Signature {
  const usual = { "00": "1b", "01": "1c" }[signature.slice(-2)];
  const isLong = signature.length === "0x".length + 2 * 65;
  return (isLong && usual !== undefined ? signature.slice(0, -2) + usual : signature) as Signature;
}

async function refusable(ask: () => Promise<unknown>): Promise<unknown> {
  try {
    return await ask();
  } catch (error) {
    if (hasCode(error)) throw error;
    throw clientError("SignatureRefused", { reason: reasonOf(error) }, error);
  }
}

/** Wallets throw plain objects as well as errors. */
function reasonOf(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === "string" ? message : String(error);
}
