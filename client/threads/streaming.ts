import {
  protocolError,
  threadPaymentType,
  threadSum,
  verifyThreadPayment,
  type Domain,
  type Hash,
  type SignedThreadPayment,
} from "../../protocol";
import type { Events } from "../engine/events";
import type { ClientSigner } from "../signer";
import type { Outbox } from "./outbox";
import { isLive, isStream, requireLive, requireRole } from "./standing";
import type { ThreadBook } from "./thread-book";
import { paidOf, peerOf, type OwnThread } from "./own-thread";
import type { Turns } from "./turns";

export interface ThreadParts {
  readonly book: ThreadBook;
  readonly signer: ClientSigner;
  readonly domain: Domain;
  readonly outbox: Outbox;
  readonly turns: Turns<Hash>;
  readonly events: Events;
}

/** `amount` base units more through a thread. */
export interface Part {
  readonly hash: Hash;
  readonly amount: bigint;
}

/** One-way payments: the sender alone signs, and a payment can only raise what the receiver gets (A-1, N-7). */
export class Streaming {
  readonly #parts: ThreadParts;

  constructor(parts: ThreadParts) {
    this.#parts = parts;
  }

  /**
   * Pays `amount` more through a thread. Resolves when the payment is on disk and handed over, to the link or to the hub.
   * @param amount In the asset's base units.
   * @throws ThreadUnknown, ThreadNotOpen, ThreadDisputed, WrongThreadRole, PaymentNotAllowed, ZeroAmount, BalanceAboveSum
   */
  async pay(hash: Hash, amount: bigint): Promise<SignedThreadPayment> {
    const { book, outbox, signer } = this.#parts;
    let onDisk: Promise<void> = Promise.resolve();
    const payment = await this.#parts.turns.take(hash, async () => {
      const signed = await this.#sign(this.#payable(hash, amount), amount);
      onDisk = book.note(hash, { payment: signed });
      onDisk.catch(() => undefined); // awaited below, in the caller's time
      return signed;
    });
    await onDisk;
    await outbox.deliver(peerOf(book.get(hash), signer.address), { threadHash: hash, payment });
    return payment;
  }

  /**
   * Pays through several threads at once: all payments and `text` of them come to disk in one step, or none.
   * @returns The payment of each part; of several parts of one thread each holds those before it.
   * @throws see `pay`; nothing is paid then
   */
  async payAll(
    parts: readonly Part[],
    name: string,
    text: (signed: readonly SignedThreadPayment[]) => string,
  ): Promise<readonly SignedThreadPayment[]> {
    const { book } = this.#parts;
    const hashes = [...new Set(parts.map(({ hash }) => hash))].sort();
    const signed = await this.#inTurns(hashes, async () => {
      const all = await this.#signAll(parts);
      const kept = [...newestOf(all)].map(([hash, payment]) => book.note(hash, { payment }));
      await Promise.all([...kept, book.keep(name, text(all))]);
      return all;
    });
    for (const hash of hashes) await this.showNewest(hash);
    return signed;
  }

  /** Hands the newest payment over, again perhaps. Of a thread that has ended there is nothing to say. */
  async showNewest(hash: Hash): Promise<void> {
    const { book, outbox, signer } = this.#parts;
    const own = book.get(hash);
    const { leg, payment } = own;
    if (leg !== "open" || payment === undefined) return;
    await outbox.deliver(peerOf(own, signer.address), { threadHash: hash, payment });
  }

  /**
   * Takes a payment that the sender made: verified, and on disk when it resolves. One that is not higher is no news, and
   * nobody hears of one that comes when the leg is closed or closing: it may be worth nothing.
   * @throws PaymentNotAllowed, ThreadHashMismatch, InvalidSignature, BalanceAboveSum
   */
  async receive(own: OwnThread, signed: SignedThreadPayment): Promise<void> {
    const { book, domain } = this.#parts;
    const { payment, sigSender } = signed;
    const standing = paidOf(own);
    if (payment.balanceReceiver <= standing || own.leg === "closed" || own.leg === "settled") return;
    const wrong = verifyThreadPayment(own.thread, payment, sigSender, domain, standing);
    if (wrong !== undefined) throw wrong;
    await book.note(own.hash, { payment: signed });
    if (isLive(own)) this.#tell(own, payment.balanceReceiver, standing);
  }

  /** The leg is open now: what came before this side knew that counts from here on. */
  opened(own: OwnThread): void {
    const { balanceReceiver } = own.thread;
    const isReceiver = own.thread.receiver === this.#parts.signer.address;
    if (isReceiver && paidOf(own) > balanceReceiver) this.#tell(own, paidOf(own), balanceReceiver);
  }

  #tell({ hash }: OwnThread, balanceReceiver: bigint, before: bigint): void {
    const amount = balanceReceiver - before;
    this.#parts.events.emit("threadPayment", { threadHash: hash, balanceReceiver, amount });
  }

  /** In one order for everybody, so that two of them never wait for each other. */
  #inTurns<T>([first, ...others]: readonly Hash[], work: () => Promise<T>): Promise<T> {
    return first === undefined ? work() : this.#parts.turns.take(first, () => this.#inTurns(others, work));
  }

  async #signAll(parts: readonly Part[]): Promise<readonly SignedThreadPayment[]> {
    const totals = new Map<Hash, bigint>();
    const targets = parts.map(({ hash, amount }) => {
      if (amount <= 0n) throw protocolError("ZeroAmount", {});
      const total = (totals.get(hash) ?? 0n) + amount;
      totals.set(hash, total);
      return { record: this.#payable(hash, total), total };
    });
    return Promise.all(targets.map(({ record, total }) => this.#sign(record, total)));
  }

  #payable(hash: Hash, amount: bigint): OwnThread {
    const { book, signer } = this.#parts;
    const record = book.get(hash);
    requireRole(record, signer.address, "sender");
    if (!isStream(record)) throw protocolError("PaymentNotAllowed", { threadHash: hash });
    requireLive(record);
    if (amount <= 0n) throw protocolError("ZeroAmount", {});
    const [sum, given] = [threadSum(record.thread), paidOf(record) + amount];
    if (given > sum) throw protocolError("BalanceAboveSum", { sum, given });
    return record;
  }

  async #sign(record: OwnThread, amount: bigint): Promise<SignedThreadPayment> {
    const { signer, domain } = this.#parts;
    const payment = { threadHash: record.hash, balanceReceiver: paidOf(record) + amount };
    return { payment, sigSender: await signer.signStatement(threadPaymentType, payment, domain) };
  }
}

/** Of several payments of one thread the last one holds the others. */
function newestOf(signed: readonly SignedThreadPayment[]): ReadonlyMap<Hash, SignedThreadPayment> {
  return new Map(signed.map((each) => [each.payment.threadHash, each]));
}
