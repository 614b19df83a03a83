import type { Address, Hash } from "../../protocol";
import { formatPeerMessage, type PeerMessage } from "./peer-message";
import type { PeerLink } from "./peer-link";

/** Where messages go for which no link was given: the hub keeps the newest evidence of each kind and passes it on. */
export interface Mailbox {
  /** @throws what the hub says */
  post(message: PeerMessage): Promise<void>;
}

/** The ways from this side to the other parties of its threads. */
export class Outbox {
  readonly #mailbox: Mailbox;
  readonly #links = new Map<Address, PeerLink>();
  /** Payments that wait for the hub, and what they wait for. */
  readonly #posts = new Map<Hash, Posting>();
  readonly #running = new Map<Hash, Promise<unknown>>();

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
  }

  /** What goes to this party takes the link from now on. @returns What takes it off again; it does not close the link. */
  attach(peer: Address, link: PeerLink): () => void {
    this.#links.set(peer, link);
    return () => {
      if (this.#links.get(peer) === link) this.#links.delete(peer);
    };
  }

  /** Hands a message over: to the link, or else to the hub. Of payments that wait for the hub only the newest is posted. */
  async deliver(peer: Address, message: PeerMessage): Promise<void> {
    const link = this.#links.get(peer);
    if (link !== undefined) return link.send(formatPeerMessage(message));
    if (message.payment === undefined) return this.#mailbox.post(message);
    return this.#postNewest(message);
  }

  #postNewest(message: PeerMessage): Promise<void> {
    const posting = this.#posts.get(message.threadHash);
    if (posting !== undefined) {
      posting.message = message;
      return posting.done;
    }
    const running = this.#running.get(message.threadHash) ?? Promise.resolve();
    const next: Posting = { message, done: running.then(() => this.#post(message.threadHash)) };
    this.#posts.set(message.threadHash, next);
    this.#running.set(
      message.threadHash,
      next.done.catch(() => undefined),
    );
    return next.done;
  }

  #post(threadHash: Hash): Promise<void> {
    const posting = this.#posts.get(threadHash);
    this.#posts.delete(threadHash);
    return posting === undefined ? Promise.resolve() : this.#mailbox.post(posting.message);
  }
}

/** A payment that waits for the one before it to be posted. */
interface Posting {
  message: PeerMessage;
  readonly done: Promise<void>;
}
