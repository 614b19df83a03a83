import {
  formatThreadEvidence,
  hashThread,
  type Address,
  type CloseThreadArgs,
  type Hash,
  type WireThreadEvidence,
} from "../../protocol";
import type { ThreadView } from "../../protocol/chain/thread-record";
import type { ThreadJudge } from "../engine/engine";
import { messageOf } from "../errors";
import type { HubConnection } from "../hub-connection";
import type { Intake } from "./intake";
import { provenOf, type OwnThread } from "./own-thread";
import type { ThreadBook } from "./thread-book";
import type { ThreadChain } from "./thread-chain";

export interface JudgeDeps {
  readonly book: ThreadBook;
  readonly intake: Intake;
  readonly hub: Pick<HubConnection, "call">;
  readonly chain: Pick<ThreadChain, "viewOf">;
  readonly user: Address;
  readonly log: (line: string) => void;
}

/**
 * Says whether the hub may close a thread of this side. A sender's leg closes at what the sender has signed or an app has
 * decided, no higher; everything else needs the contract's final word.
 */
export class Judge implements ThreadJudge {
  readonly #deps: JudgeDeps;
  /** What the chain said when the closing came; newer than what the book has noted. */
  readonly #views = new Map<Hash, ThreadView>();

  constructor(deps: JudgeDeps) {
    this.#deps = deps;
  }

  /** The hub's evidence, where this side's own is not enough, and what the chain says. Silence decides nothing. */
  async prepare(closings: readonly CloseThreadArgs[]): Promise<void> {
    for (const closing of closings) {
      const hash = hashThread(closing.thread);
      this.#views.delete(hash);
      if (this.refusal(closing) === undefined) continue;
      await this.#ask(hash).catch((error: unknown) => this.#note(hash, error));
      const view = this.#deps.chain.viewOf(hash, closing.thread);
      await view.then((seen) => this.#views.set(hash, seen)).catch((error: unknown) => this.#note(hash, error));
    }
  }

  refusal({ thread, balanceReceiver }: CloseThreadArgs): string | undefined {
    const { book, user } = this.#deps;
    const hash = hashThread(thread);
    const own = book.find(hash);
    if (own === undefined) return "this side does not know the thread";
    const view = this.#views.get(hash);
    if (view?.final !== undefined) return this.#byChain(view.final.balanceReceiver, balanceReceiver);
    const isShown = view === undefined ? own.onChain !== undefined : view.head !== undefined;
    if (isShown) return "the contract has not decided for ever yet";
    if (thread.updatable) return "both parties sign the end of an updatable thread";
    if (thread.sender !== user) return "the receiver closes its leg itself";
    return this.#bySignature(own, balanceReceiver);
  }

  evidenceOf(hashes: readonly Hash[]): readonly WireThreadEvidence[] {
    return hashes.flatMap((hash) => this.#deps.book.evidenceOf(hash) ?? []).map(formatThreadEvidence);
  }

  #byChain(decided: bigint, given: bigint): string | undefined {
    return given === decided ? undefined : `the contract has decided ${decided}, not ${given}`;
  }

  #bySignature(own: OwnThread, given: bigint): string | undefined {
    const proven = provenOf(own);
    return given <= proven ? undefined : `only ${proven} of ${given} are proven`;
  }

  async #ask(hash: Hash): Promise<void> {
    const { thread } = await this.#deps.hub.call("getThread", { params: { hash } });
    await this.#deps.intake.row(thread);
  }

  #note(hash: Hash, error: unknown): void {
    this.#deps.log(`what proves the end of thread ${hash} could not be read: ${messageOf(error)}`);
  }
}
