import { HDNodeWallet, Wallet, type Provider, type Signer } from "ethers";
import {
  channelStateType,
  digestOf,
  hashState,
  parseAddress,
  recoverAddress,
  signDigest,
  typedDataOf,
  addressOfPrivateKey,
  hexToBytes,
  type Address,
  type ChannelState,
  type Domain,
  type Signature,
} from "../protocol";
import { clientError } from "./errors";

/** The user's key, wherever it is. */
export interface ClientSigner {
  readonly address: Address;
  /** EIP-712, in the contract's domain. The engine keeps one state per nonce; nobody else may call this. */
  signState(state: ChannelState, domain: Domain): Promise<Signature>;
  /** EIP-191 over a text. */
  signText(text: string): Promise<Signature>;
  /** For transactions; absent where the key only signs. */
  readonly ethers?: (provider: Provider) => Signer;
}

/** Where the key is. */
export type SignerOptions =
  { readonly privateKey: string } | { readonly mnemonic: string } | { readonly signer: Signer };

/** @throws NoSigner */
export async function openSigner(options: SignerOptions): Promise<ClientSigner> {
  if ("privateKey" in options) return keySigner(options.privateKey);
  if ("mnemonic" in options) return keySigner(HDNodeWallet.fromPhrase(options.mnemonic).privateKey);
  if ("signer" in options) return walletSigner(options.signer);
  throw clientError("NoSigner", {});
}

/** A key in this process signs by itself, about ten times as fast as through ethers. */
function keySigner(privateKey: string): ClientSigner {
  const wallet = new Wallet(privateKey);
  const key = hexToBytes(privateKey.toLowerCase());
  return {
    address: addressOfPrivateKey(key),
    signState: (state, domain) => Promise.resolve(signDigest(digestOf(domain, hashState(state)), key)),
    signText: async (text) => (await wallet.signMessage(text)) as Signature,
    ethers: (provider) => wallet.connect(provider),
  };
}

/** Any ethers signer, a wallet in a browser included (`new BrowserProvider(window.ethereum).getSigner()`). */
async function walletSigner(signer: Signer): Promise<ClientSigner> {
  const address = parseAddress(await signer.getAddress());
  return {
    address,
    signState: async (state, domain) => {
      const { types, message } = typedDataOf(channelStateType, domain, state);
      const mutable = Object.fromEntries(Object.entries(types).map(([name, fields]) => [name, [...fields]]));
      const signature = (await signer.signTypedData({ ...domain }, mutable, message)).toLowerCase() as Signature;
      recoverAddress(digestOf(domain, hashState(state)), signature); // some wallets answer with an unusual v
      return signature;
    },
    signText: async (text) => (await signer.signMessage(text)).toLowerCase() as Signature,
    ethers: (provider) => (signer.provider === null ? signer.connect(provider) : signer),
  };
}
