import {
  addressOfPrivateKey,
  bytesToHex,
  hashlockOf,
  hexToBytes,
  signedAppState,
  signOutcome,
  threadSum,
  type Address,
  type Domain,
  type Hash,
  type Hex,
  type PureApps,
} from "../../protocol";
import { clientError } from "../errors";
import { provenOf, standingOf, type OwnThread } from "./own-thread";
import type { Resolutions } from "./resolutions";
import { requireRole } from "./standing";
import type { ThreadWish } from "./terms";
import type { Threads } from "./threads";

export interface AppDeps {
  readonly threads: Pick<Threads, "open" | "get" | "update" | "close">;
  readonly resolutions: Resolutions;
  readonly user: Address;
  readonly apps: PureApps;
  /** Of the ChannelManager. */
  readonly domain: Domain;
  readonly randomBytes: (count: number) => Uint8Array;
}

export interface AppWish extends ThreadWish {
  readonly app: { readonly address: Address; readonly appState: Hex };
}

type PaymentWish = Pick<ThreadWish, "to" | "asset" | "amount" | "expiry">;

/** Programs on threads: a thread with an app is one that a contract can decide. */
export class Apps {
  readonly #deps: AppDeps;

  constructor(deps: AppDeps) {
    this.#deps = deps;
  }

  /** @throws see `Threads.open` */
  install(wish: AppWish): Promise<OwnThread> {
    return this.#deps.threads.open(wish);
  }

  /** Both sign a new state of the app. @throws see `Updates.propose` */
  async update(hash: Hash, appState: Hex, balanceReceiver?: bigint): Promise<OwnThread> {
    const { threads } = this.#deps;
    const balance = balanceReceiver ?? standingOf(threads.get(hash)).balanceReceiver;
    await threads.update(hash, { balanceReceiver: balance, appState });
    return threads.get(hash);
  }

  /** Shows the app what decides it, off chain. @returns What the receiver gets. @throws AppFailed, AppStateUnknown */
  resolve(hash: Hash, resolver: Hex, appState?: Hex): Promise<bigint> {
    return this.#deps.resolutions.resolve(hash, resolver, appState);
  }

  /**
   * Ends an app's thread off chain by what it has decided, or by what both have agreed to if it has not.
   * @throws see `Threads.close`; ThreadUpdateRefused where the other party does not stand by the app's word
   */
  async uninstall(hash: Hash): Promise<OwnThread> {
    const { threads } = this.#deps;
    const own = threads.get(hash);
    const outcome = provenOf(own);
    const isAgreed = outcome === standingOf(own).balanceReceiver;
    // Without an app state no resolver can undo at the contract what both sign now.
    if (own.thread.updatable && !isAgreed) await threads.update(hash, { balanceReceiver: outcome, appState: null });
    return threads.close(hash);
  }

  // ---------------------------------------------------------------------------------------------- prebuilt payments

  /** Pays whoever of the two knows the preimage: the receiver once it does, otherwise it comes back. */
  payHashlocked(wish: PaymentWish, hashlock: Hash): Promise<OwnThread> {
    return this.install({ ...wish, app: { address: this.#app("hashlock"), appState: hashlock } });
  }

  /** Takes a hashlocked payment. @param preimage 32 bytes @throws AppFailed, WrongThreadRole */
  async claimHashlocked(hash: Hash, preimage: Hex): Promise<OwnThread> {
    requireRole(this.#deps.threads.get(hash), this.#deps.user, "receiver");
    await this.resolve(hash, preimage, hashlockOf(preimage));
    return this.uninstall(hash);
  }

  /**
   * Pays a known receiver as soon as it has the secret: a link that needs no trust in the hub.
   * @returns The secret, to be treated like the money itself.
   */
  async createThreadLink(wish: PaymentWish): Promise<{ readonly secret: Hex; readonly own: OwnThread }> {
    const secret = bytesToHex(this.#deps.randomBytes(32));
    const arbiter = addressOfPrivateKey(hexToBytes(secret));
    const app = { address: this.#app("signed"), appState: signedAppState(arbiter) };
    return { secret, own: await this.install({ ...wish, app }) };
  }

  /** Takes what a link over a thread holds. @throws AppFailed for another secret, WrongThreadRole */
  async redeemThreadLink(hash: Hash, secret: Hex): Promise<OwnThread> {
    const { threads, user, domain } = this.#deps;
    const own = threads.get(hash);
    requireRole(own, user, "receiver");
    const key = hexToBytes(secret);
    const resolver = signOutcome(own.thread, threadSum(own.thread), key, domain);
    await this.resolve(hash, resolver, signedAppState(addressOfPrivateKey(key)));
    return this.uninstall(hash);
  }

  #app(name: keyof PureApps): Address {
    const address = this.#deps.apps[name];
    if (address === undefined) throw clientError("NotConfigured", { what: `the ${name} app` });
    return address;
  }
}
