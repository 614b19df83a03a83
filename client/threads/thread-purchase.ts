import {
  parseAddress,
  parseHash,
  paymentIdOf,
  threadSum,
  type Address,
  type Hash,
  type Signature,
  type SignedThreadPayment,
  type WirePayment,
} from "../../protocol";
import { clientError } from "../errors";
import { isLive, isStream } from "./standing";
import type { ThreadBook } from "./thread-book";
import { paidOf, type OwnThread } from "./own-thread";
import type { Part, Streaming } from "./streaming";

/** A payment through a thread, as `buy` tells of it. The sender's signature is its receipt. */
export interface ThreadPaid extends Omit<WirePayment, "type"> {
  readonly type: "PT_THREAD";
  readonly threadHash: Hash;
  /** What the receiver has got through the thread with it, decimal. */
  readonly balanceReceiver: string;
  readonly sigSender: Signature;
}

export interface ThreadPaymentRequest {
  readonly recipient: Address;
  readonly asset: Address;
  readonly amount: bigint;
  /** Which thread; default: the one to the recipient with the most room. */
  readonly thread?: Hash;
  readonly meta?: Readonly<Record<string, string>>;
}

/** Purchases whose payments all go through threads. All or none, and once per id. */
export class ThreadPurchases {
  readonly #book: ThreadBook;
  readonly #streaming: Streaming;
  readonly #user: Address;
  readonly #now: () => number;

  constructor(book: ThreadBook, streaming: Streaming, user: Address, now: () => number) {
    this.#book = book;
    this.#streaming = streaming;
    this.#user = user;
    this.#now = now;
  }

  /** @throws ThreadRoomTooSmall, and what `Streaming.pay` throws; nothing is paid then */
  async buy(id: string, requests: readonly ThreadPaymentRequest[]): Promise<readonly ThreadPaid[]> {
    const name = `purchase:${id}`;
    const known = await this.#book.kept(name);
    if (known !== undefined) return this.#again(JSON.parse(known) as readonly ThreadPaid[]);
    let paid: readonly ThreadPaid[] = [];
    await this.#streaming.payAll(this.#choose(requests), name, (signed) => {
      paid = requests.map((request, i) => this.#describe(id, i, request, signed[i]));
      return JSON.stringify(paid);
    });
    return paid;
  }

  /** It is on disk, but perhaps nobody was told. */
  async #again(paid: readonly ThreadPaid[]): Promise<readonly ThreadPaid[]> {
    for (const hash of new Set(paid.map(({ threadHash }) => threadHash))) await this.#streaming.showNewest(hash);
    return paid;
  }

  /** A thread for each payment, with room for those before it too. */
  #choose(requests: readonly ThreadPaymentRequest[]): readonly Part[] {
    const taken = new Map<Hash, bigint>();
    return requests.map((request) => {
      const roomOf = (own: OwnThread): bigint => threadSum(own.thread) - paidOf(own) - (taken.get(own.hash) ?? 0n);
      const [best] = this.#candidates(request).sort((a, b) => (roomOf(a) > roomOf(b) ? -1 : 1));
      const available = best === undefined ? 0n : roomOf(best);
      const { recipient, asset, amount: needed } = request;
      if (best === undefined || available < needed) {
        throw clientError("ThreadRoomTooSmall", { recipient, asset, needed, available });
      }
      taken.set(best.hash, (taken.get(best.hash) ?? 0n) + needed);
      return { hash: best.hash, amount: needed };
    });
  }

  #candidates({ recipient, asset, thread }: ThreadPaymentRequest): OwnThread[] {
    return this.#book.all().filter((own) => {
      const { sender, receiver, asset: of } = own.thread;
      const isWay = sender === this.#user && receiver === recipient && of === asset && isStream(own);
      return isWay && isLive(own) && (thread === undefined || thread === own.hash);
    });
  }

  #describe(
    id: string,
    i: number,
    { recipient, asset, amount, meta }: ThreadPaymentRequest,
    signed: SignedThreadPayment | undefined,
  ): ThreadPaid {
    if (signed === undefined) throw new Error("every payment has a signature");
    const { payment, sigSender } = signed;
    return {
      ...{ type: "PT_THREAD", status: "forwarded", purchaseId: id, paymentId: paymentIdOf(this.#user, id, i) },
      ...{ payer: this.#user, payee: recipient, asset, amount: amount.toString(), createdAtMs: this.#now() },
      ...{ threadHash: payment.threadHash, balanceReceiver: payment.balanceReceiver.toString(), sigSender },
      ...(meta === undefined ? {} : { meta: { ...meta } }),
    };
  }
}

/** @throws InvalidValue */
export function readThreadPayment(
  { recipient, thread, meta }: { recipient?: unknown; thread?: unknown; meta?: ThreadPaymentRequest["meta"] },
  { asset, amount }: { readonly asset: Address; readonly amount: bigint },
  path: string,
): ThreadPaymentRequest {
  return {
    ...{ recipient: parseAddress(recipient, `${path}.recipient`), asset, amount },
    ...(thread === undefined ? {} : { thread: parseHash(thread, `${path}.thread`) }),
    ...(meta === undefined ? {} : { meta }),
  };
}
