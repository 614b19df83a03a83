import {
  checkSignature,
  checkThread,
  parseThread,
  type Signature,
  type ThreadContext,
  type WireThread,
} from "../../protocol";
import { messageOf } from "../errors";
import { newOwnThread, type OwnThread } from "./own-thread";
import { parsePeerEvidence, parsePeerMessage, type PeerMessage } from "./peer-message";
import type { Resolutions } from "./resolutions";
import type { Streaming, ThreadParts } from "./streaming";
import type { Updates } from "./updates";

export interface IntakeDeps extends ThreadParts {
  readonly streaming: Streaming;
  readonly updates: Updates;
  readonly resolutions: Resolutions;
  readonly context: ThreadContext;
  readonly log: (line: string) => void;
}

/** Takes what others say of threads, from a link or by way of the hub. Everything is verified; nothing is believed. */
export class Intake {
  readonly #deps: IntakeDeps;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  /** A text from a link. Never fails: what is wrong with it is logged. */
  async text(text: string): Promise<void> {
    try {
      await this.message(parsePeerMessage(text));
    } catch (error) {
      this.#deps.log(`a message of the other party was not taken: ${messageOf(error)}`);
    }
  }

  /** @throws ThreadUnknown, and what is wrong with the message */
  async message({ threadHash, payment, update, resolution, proposal }: PeerMessage): Promise<void> {
    const { book, streaming, updates, resolutions } = this.#deps;
    const own = book.get(threadHash);
    if (payment !== undefined) await streaming.receive(own, payment);
    if (update !== undefined) await updates.receiveUpdate(threadHash, update);
    if (resolution !== undefined) await resolutions.receive(threadHash, resolution);
    if (proposal !== undefined) await updates.receiveProposal(threadHash, proposal);
  }

  /**
   * A thread as the hub shows it: terms that were not known, the other party's signature under them, newer evidence.
   * @returns What is known of it now.
   * @throws InvalidThread, InvalidSignature
   */
  async row(row: WireThread): Promise<OwnThread> {
    const own = await this.#terms(row);
    const evidence = parsePeerEvidence(row);
    await this.message({ threadHash: own.hash, ...evidence });
    return this.#deps.book.get(own.hash);
  }

  async #terms(row: WireThread): Promise<OwnThread> {
    const { book, domain, context } = this.#deps;
    const fresh = newOwnThread(parseThread(row.thread));
    const { hash, thread } = fresh;
    const known = book.find(hash) ?? fresh;
    const wrong = checkThread(thread, context);
    if (wrong !== undefined) throw wrong;
    const check = (party: OwnThread["thread"]["sender"], signature: string | undefined): Signature | undefined => {
      if (signature === undefined) return undefined;
      const given = signature.toLowerCase() as Signature;
      const problem = checkSignature(party, hash, given, domain);
      if (problem !== undefined) throw problem;
      return given;
    };
    const sigSender = known.sigSender ?? check(thread.sender, row.sigSender);
    const sigReceiver = known.sigReceiver ?? check(thread.receiver, row.sigReceiver);
    const isNews = sigSender !== known.sigSender || sigReceiver !== known.sigReceiver;
    if (!isNews && book.find(hash) !== undefined) return known;
    await book.save({
      ...known,
      ...(sigSender === undefined ? {} : { sigSender }),
      ...(sigReceiver === undefined ? {} : { sigReceiver }),
    });
    return book.get(hash);
  }
}
