import {
  hashAppState,
  parseAddress,
  ZERO_ADDRESS,
  ZERO_HASH,
  type Address,
  type Hash,
  type Hex,
  type Thread,
} from "../../protocol";

/** What a thread is to be like. Amounts in base units. */
export interface ThreadWish {
  /** The receiver. */
  readonly to: string;
  readonly asset: Address;
  /** This side's stake: what it can pay at most. */
  readonly amount: bigint;
  /** The other party's stake, default 0. */
  readonly balanceReceiver?: bigint;
  /** Both sign every step, and money may go either way. Default: this side alone pays, and only more. */
  readonly updatable?: boolean;
  /** Unix seconds; default a day from now. Until then, and one challenge period, better evidence counts. */
  readonly expiry?: bigint;
  /** The contract that decides, with what it decides about. */
  readonly app?: { readonly address: Address; readonly appState: Hex };
}

const DEFAULT_SECONDS = 86_400n;

/** The terms that a sender signs. @param salt Random: makes two threads of the same terms two threads. */
export function termsOf(wish: ThreadWish, sender: Address, salt: Hash, nowSeconds: bigint): Thread {
  const { app } = wish;
  return {
    salt,
    sender,
    receiver: parseAddress(wish.to, "to"),
    asset: wish.asset,
    balanceSender: wish.amount,
    balanceReceiver: wish.balanceReceiver ?? 0n,
    updatable: wish.updatable ?? false,
    expiry: wish.expiry ?? nowSeconds + DEFAULT_SECONDS,
    app: app?.address ?? ZERO_ADDRESS,
    appStateHash: app === undefined ? ZERO_HASH : hashAppState(app.appState),
  };
}

/** Decides whether to take terms that somebody offers to this side as the receiver. */
export type TermsPolicy = (thread: Thread) => boolean | Promise<boolean>;

/** Takes what costs nothing: no stake of its own, and nothing that could only be ended together. */
export const acceptsGifts: TermsPolicy = ({ balanceReceiver, updatable }) => balanceReceiver === 0n && !updatable;
