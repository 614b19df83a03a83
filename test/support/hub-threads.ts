import {
  digestOf,
  formatSignedThreadPayment,
  formatThread,
  formatUpdate,
  hashThread,
  hashThreadPayment,
  hashThreadUpdate,
  signDigest,
  ZERO_ADDRESS,
  ZERO_HASH,
  type Hash,
  type Signature,
  type SignedThreadPayment,
  type SignedThreadUpdate,
  type SignedUpdate,
  type Thread,
  type WireSync,
  type WireThreadNote,
} from "../../protocol";
import { newestThreads } from "../../hub/services/channel";
import type { HubScene, HubUser } from "./hub-scene";

let salts = 0n;

/** Terms between two users: by default a stream of 100 wei that expires in an hour. */
export function termsOf(scene: HubScene, sender: HubUser, receiver: HubUser, overrides: Partial<Thread> = {}): Thread {
  salts += 1n;
  const nowSeconds = BigInt(Math.floor(scene.services.clock.now() / 1000));
  return {
    salt: `0x${salts.toString(16).padStart(64, "0")}`,
    ...{ sender: sender.address, receiver: receiver.address, asset: ZERO_ADDRESS },
    ...{ balanceSender: 100n, balanceReceiver: 0n, updatable: false, expiry: nowSeconds + 3_600n },
    ...{ app: ZERO_ADDRESS, appStateHash: ZERO_HASH },
    ...overrides,
  };
}

/** A thread as its two parties sign it; a test spoils what it is about. */
export class ThreadOfUsers {
  readonly hash: Hash;
  readonly #scene: HubScene;

  constructor(
    scene: HubScene,
    readonly sender: HubUser,
    readonly receiver: HubUser,
    readonly thread: Thread,
  ) {
    this.#scene = scene;
    this.hash = hashThread(thread);
  }

  get params(): { readonly params: { readonly hash: Hash } } {
    return { params: { hash: this.hash } };
  }

  signBy(user: HubUser, structHash: Hash): Signature {
    return signDigest(digestOf(this.#scene.services.domain, structHash), user.key);
  }

  async propose(): Promise<void> {
    const body = { thread: formatThread(this.thread), sigSender: this.signBy(this.sender, this.hash) };
    await this.sender.ask("proposeThread", { body });
  }

  async accept(): Promise<void> {
    await this.receiver.ask("acceptThread", {
      ...this.params,
      body: { sigReceiver: this.signBy(this.receiver, this.hash) },
    });
  }

  async opening(user: HubUser): Promise<SignedUpdate> {
    const open = newestThreads(await this.#scene.services.channels.load(user.address));
    const [sigSender, sigReceiver] = [this.signBy(this.sender, this.hash), this.signBy(this.receiver, this.hash)];
    const args = { thread: this.thread, sigSender, sigReceiver, others: open };
    const [update] = await user.steps({ reason: "OpenThread", args });
    return update as SignedUpdate;
  }

  async openBy(user: HubUser): Promise<WireSync> {
    return user.ask("openThread", { ...this.params, body: { update: formatUpdate(await this.opening(user)) } });
  }

  /** From nothing to open in both channels. */
  async open(): Promise<this> {
    await this.propose();
    await this.accept();
    await Promise.all([this.openBy(this.sender), this.openBy(this.receiver)]);
    return this;
  }

  payment(balanceReceiver: bigint): SignedThreadPayment {
    const payment = { threadHash: this.hash, balanceReceiver };
    return { payment, sigSender: this.signBy(this.sender, hashThreadPayment(payment)) };
  }

  update(nonce: bigint, balanceReceiver: bigint, appStateHash: Hash = this.thread.appStateHash): SignedThreadUpdate {
    const update = { threadHash: this.hash, nonce, balanceReceiver, appStateHash };
    const updateHash = hashThreadUpdate(update);
    return {
      update,
      sigSender: this.signBy(this.sender, updateHash),
      sigReceiver: this.signBy(this.receiver, updateHash),
    };
  }

  async closing(user: HubUser, balanceReceiver: bigint): Promise<SignedUpdate> {
    const open = newestThreads(await this.#scene.services.channels.load(user.address));
    const args = { thread: this.thread, balanceReceiver, others: open.filter((each) => each !== this.hash) };
    const [update] = await user.steps({ reason: "CloseThread", args });
    return update as SignedUpdate;
  }

  async closeBy(user: HubUser, balanceReceiver: bigint, evidence?: WireThreadNote): Promise<WireSync> {
    const update = formatUpdate(await this.closing(user, balanceReceiver));
    const body = { update, ...(evidence === undefined ? {} : { evidence }) };
    return user.ask("closeThread", { ...this.params, body });
  }
}

export function paymentNote(payment: SignedThreadPayment): WireThreadNote {
  return { payment: formatSignedThreadPayment(payment) };
}
