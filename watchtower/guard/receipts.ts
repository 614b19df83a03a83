import type { Wallet } from "ethers";
import {
  digestOf,
  formatStruct,
  hashWatchReceipt,
  hashWatchThreadReceipt,
  threadReceiptOf,
  watchReceiptType,
  watchThreadReceiptType,
  type Address,
  type Domain,
  type Signature,
  type WatchReceipt,
  type WatchThreadReceipt,
  type WireWatchReceipts,
} from "../../protocol";
import type { GuardedChannel, GuardedThread } from "../store/tower-store";

/** Signs what a tower answers for. */
export interface ReceiptSigner {
  readonly tower: Address;
  readonly domain: Domain;
  signState(receipt: WatchReceipt): Signature;
  signThread(receipt: WatchThreadReceipt): Signature;
}

export function receiptSigner(wallet: Wallet, tower: Address, domain: Domain): ReceiptSigner {
  const sign = (digest: string): Signature => wallet.signingKey.sign(digest).serialized as Signature;
  return {
    ...{ tower, domain },
    signState: (receipt) => sign(digestOf(domain, hashWatchReceipt(receipt))),
    signThread: (receipt) => sign(digestOf(domain, hashWatchThreadReceipt(receipt))),
  };
}

export function receiptOf(
  tower: Address,
  { state, stateHash, receivedAt }: Pick<GuardedChannel, "state" | "stateHash" | "receivedAt">,
): WatchReceipt {
  const { user, session, nonce } = state;
  return { tower, user, session, nonce, stateHash, receivedAt };
}

/** Everything that the tower has promised about a user's newest state, as anybody can verify it. */
export function wireReceipts(
  { tower, domain }: ReceiptSigner,
  channel: GuardedChannel,
  threads: readonly GuardedThread[],
): WireWatchReceipts {
  return {
    domain: { ...domain, name: "Watchtower", version: "1", chainId: Number(domain.chainId) },
    receipt: formatStruct(watchReceiptType, receiptOf(tower, channel)),
    signature: channel.sigReceipt,
    threads: threads.map(({ user, evidence, receivedAt, sigReceipt }) => ({
      receipt: formatStruct(watchThreadReceiptType, threadReceiptOf(tower, user, evidence, receivedAt)),
      signature: sigReceipt,
    })),
  };
}
