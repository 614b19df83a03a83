import { hashAppState, proveThread, protocolError, type Hash, type ThreadEvidence } from "../../protocol";
import type { ThreadRecord } from "../../protocol/chain/thread-record";
import type { ClientView, Sent } from "../chain";
import { clientError, hasCode, messageOf } from "../errors";
import { bestEvidence, isPaid, nextMove, type Move, type Situation } from "./next-move";
import { threadEvidenceOf, type OwnThread } from "./own-thread";
import { threadsOfRoot } from "./thread-set";
import type { ThreadWorks } from "./thread-works";

export interface DisputeDeps {
  readonly works: ThreadWorks;
  readonly view: () => Promise<ClientView>;
  /** Signs the end that the contract has decided in a channel that goes on. */
  readonly close: (hash: Hash, balanceReceiver: bigint) => Promise<unknown>;
  /** This side shows better evidence by itself. */
  readonly defends: boolean;
  /** This side has its legs paid out by itself. */
  readonly settles: boolean;
  readonly log: (line: string) => void;
}

/** Blocks in one question for events: what public nodes answer. */
const EVENT_BLOCKS = 2_000;

/** Threads at the contract, by this side's own node and key. None of it needs the hub. */
export class ThreadDisputes {
  readonly #deps: DisputeDeps;
  #lastHead = -1;

  constructor(deps: DisputeDeps) {
    this.#deps = deps;
  }

  /**
   * Shows the contract the best that this side has, or opens the record with the terms.
   * @throws ThreadUnknown, ThreadNotReady, ThreadIsFinal, NothingBetter, the contract's error by its name
   */
  async challenge(hash: Hash): Promise<Sent> {
    const own = this.#deps.works.book.get(hash);
    const view = await this.#deps.view();
    const record = await this.#read(own, view);
    const situation = this.#situation(own, record, view);
    const move = bestEvidence(own, record, situation);
    if (move === undefined) throw clientError("NothingBetter", { threadHash: hash });
    return this.#show(own, move);
  }

  /** Has the own leg of a final thread paid out of its ended session. @throws ThreadNotFinal, SessionNotEnded, … */
  async settle(hash: Hash): Promise<Sent> {
    const { book, chain, user } = this.#deps.works;
    const { session = 0n, thread } = book.get(hash);
    const sent = await chain.settle(user, session, thread, await this.#proofOf(hash, session));
    await sent.wait();
    await this.look(true);
    return sent;
  }

  /** Does whatever there is to do about this user's threads at the newest block. Never fails: what is wrong is logged. */
  async look(isForced = false): Promise<void> {
    const view = await this.#deps.view();
    if (!isForced && view.headNumber === this.#lastHead) return;
    this.#lastHead = view.headNumber;
    for (const { hash } of this.#deps.works.book.all().filter(({ leg }) => leg === "open")) {
      await this.#lookAt(hash, view).catch((error: unknown) => {
        this.#deps.log(`thread ${hash} on chain: ${messageOf(error)}`);
      });
    }
  }

  async #lookAt(hash: Hash, view: ClientView): Promise<void> {
    const { book } = this.#deps.works;
    const record = await this.#read(book.get(hash), view);
    const own = book.get(hash);
    const situation = this.#situation(own, record, view);
    if (record !== undefined && situation.session === "ended" && isPaid(own, record, situation.user)) {
      await this.#noteSettled(own);
      return;
    }
    const move = nextMove(own, situation);
    if (move !== undefined) await this.#make(own, move);
  }

  async #make(own: OwnThread, move: Move): Promise<void> {
    const { defends, settles } = this.#deps;
    if (move === "close") await this.#close(own);
    else if (move === "settle") await (settles ? this.#paid(own) : undefined);
    else if (defends) await (await this.#show(own, move)).wait();
  }

  /** Only what no reorganisation takes back, at this side's depth. */
  async #close({ hash, thread }: OwnThread): Promise<void> {
    const { final } = await this.#deps.works.chain.viewOf(hash, thread);
    if (final !== undefined) await this.#deps.close(hash, final.balanceReceiver);
  }

  async #paid({ hash, session = 0n, thread }: OwnThread): Promise<void> {
    const { chain, user } = this.#deps.works;
    try {
      await (await chain.settle(user, session, thread, await this.#proofOf(hash, session))).wait();
    } catch (error) {
      if (!hasCode(error, "LegAlreadyPaid")) throw error;
    }
    await this.#noteSettled(this.#deps.works.book.get(hash));
  }

  /** Once no reorganisation takes the payout back, at this side's depth; until then every look asks again. */
  async #noteSettled(own: OwnThread): Promise<void> {
    const { book, chain, events, user } = this.#deps.works;
    const { final } = await chain.viewOf(own.hash, own.thread);
    if (final === undefined || !isPaid(own, final, user)) return;
    await book.note(own.hash, { leg: "settled", outcome: final.balanceReceiver });
    events.emit("thread", book.get(own.hash));
  }

  #show(own: OwnThread, move: Move): Promise<Sent> {
    const { chain } = this.#deps.works;
    const evidence = this.#evidenceOf(own);
    const { payment, update, resolution } = evidence;
    if (move === "payment" && payment !== undefined) return chain.challengeWithPayment(evidence, payment);
    if (move === "update" && update !== undefined) return chain.challengeWithUpdate(evidence, update);
    if (move === "resolve" && resolution !== undefined) return chain.resolve({ ...evidence, resolution });
    return chain.challenge(evidence);
  }

  #evidenceOf(own: OwnThread): ThreadEvidence {
    const evidence = threadEvidenceOf(own);
    if (evidence === undefined) throw clientError("ThreadNotOpen", { threadHash: own.hash, leg: own.leg });
    return evidence;
  }

  /** The record at head; what an app was shown there is learned, because it may unlock another thread. */
  async #read(own: OwnThread, { headNumber }: ClientView): Promise<ThreadRecord | undefined> {
    const { book, chain, events } = this.#deps.works;
    const record = await chain.recordOf(own.hash);
    if (record === undefined) await this.#forget(own);
    if (record === undefined || isSame(record, own.onChain)) return record;
    await book.note(own.hash, { onChain: record });
    events.emit("thread", book.get(own.hash));
    events.emit("dispute", { event: "Thread", nonce: record.nonce, deadline: record.deadline });
    if (record.resolved && own.resolution === undefined) await this.#learn(own, record, headNumber);
    return record;
  }

  /** A reorganisation has taken the record away: the thread goes on as if nobody had shown it. */
  async #forget({ onChain, ...own }: OwnThread): Promise<void> {
    if (onChain === undefined) return;
    const { book, events } = this.#deps.works;
    await book.save(own);
    events.emit("thread", own);
  }

  async #learn(own: OwnThread, record: ThreadRecord, headNumber: number): Promise<void> {
    const { chain, resolutions } = this.#deps.works;
    const appState = Object.values(own.appStates).find((state) => hashAppState(state) === own.thread.appStateHash);
    if (appState === undefined) return;
    for (let from = headNumber; from > -EVENT_BLOCKS; from -= EVENT_BLOCKS) {
      const resolvers = await chain.resolversOf(own.hash, Math.max(0, from - EVENT_BLOCKS + 1), Math.max(0, from));
      for (const resolver of resolvers)
        await resolutions.receive(own.hash, { appState, resolver, nonce: record.nonce });
      if (resolvers.length > 0) return;
    }
  }

  #situation(own: OwnThread, record: ThreadRecord | undefined, view: ClientView): Situation {
    const { user, context } = this.#deps.works;
    const isEnded = own.session !== undefined && own.session < view.session;
    return {
      ...{ user, record, challengePeriodSeconds: context.challengePeriodSeconds },
      nowSeconds: BigInt(view.headTimestamp),
      session: isEnded ? "ended" : view.exit === undefined ? "open" : "exiting",
    };
  }

  async #proofOf(hash: Hash, session: bigint): Promise<readonly Hash[]> {
    const { book, chain, user } = this.#deps.works;
    const threadRoot = await chain.threadRootOf(user, session);
    const inSession = book.all().filter((own) => own.session === session);
    const hashesOf = (...legs: readonly OwnThread["leg"][]): readonly Hash[] =>
      inSession.filter(({ leg }) => legs.includes(leg)).map((own) => own.hash);
    const threads = threadsOfRoot(threadRoot, hashesOf("open", "settled"), hashesOf("closed", "none"));
    if (threads === undefined) throw protocolError("ThreadNotInRoot", { threadHash: hash, threadRoot });
    return proveThread(threads, hash);
  }
}

function isSame(a: ThreadRecord, b: ThreadRecord | undefined): boolean {
  return b !== undefined && (Object.keys(a) as (keyof ThreadRecord)[]).every((name) => a[name] === b[name]);
}
