import {
  formatThread,
  hubError,
  rowOf,
  threadType,
  ZERO_ADDRESS,
  type Address,
  type ChannelEvent,
  type ChannelState,
  type Hash,
  type OpenThreadArgs,
  type CloseThreadArgs,
  type SignedThreadPayment,
  type SignedThreadUpdate,
  type Thread,
  type WireThread,
  type WireThreadNote,
} from "../../protocol";
import { clientError, hasCode, messageOf } from "../errors";
import type { HubConnection } from "../hub-connection";
import type { Schedule } from "../schedule";
import { Answers } from "./answers";
import { bestProof } from "./best-proof";
import { isSender, newOwnThread, threadEvidenceOf, type OwnThread } from "./own-thread";
import type { PeerLink } from "./peer-link";
import { formatPeerEvidence, parseProposal } from "./peer-message";
import { requireOpen } from "./standing";
import { termsOf, type TermsPolicy, type ThreadWish } from "./terms";
import type { ThreadWorks } from "./thread-works";
import type { UpdateWish } from "./update-rules";

/** The engine's part in threads: this side's leg, in the state of its channel. */
export interface LegEngine {
  readonly threads: readonly Hash[];
  readonly state: ChannelState;
  openThread(args: Omit<OpenThreadArgs, "others">): Promise<ChannelState>;
  closeThread(args: Omit<CloseThreadArgs, "others">, evidence?: WireThreadNote): Promise<ChannelState>;
  level(): Promise<void>;
}

export interface ThreadsDeps {
  readonly works: ThreadWorks;
  readonly engine: LegEngine;
  readonly hub: Pick<HubConnection, "call">;
  readonly policy: TermsPolicy;
  /** 32 bytes, random. */
  readonly salt: () => Hash;
  /** Unix ms. */
  readonly now: () => number;
  readonly schedule: Schedule;
  readonly sleep: (ms: number) => Promise<void>;
  /** How long the other party is waited for, ms. */
  readonly answerMs: number;
  readonly log: (line: string) => void;
}

type ThreadEvent = Extract<ChannelEvent, { readonly kind: "thread" }>;

/** Tries of a step that needs both parties at the hub at once. */
const MEETINGS = 3;
const COLLATERAL_MS = 20_000;
/** All open threads of a channel, and more. */
const MOST_ROWS = 200;
const STEP_MS = 250;

/** One user's threads: opening and closing them through the hub, paying and agreeing on them without it. */
export class Threads {
  readonly #deps: ThreadsDeps;
  readonly #accepted: Answers<Hash, OwnThread>;
  readonly #closed: Answers<Hash, OwnThread>;
  readonly #running = new Set<Promise<unknown>>();
  readonly #busy = new Map<Hash, Promise<unknown>>();

  constructor(deps: ThreadsDeps) {
    this.#deps = deps;
    this.#accepted = new Answers(deps.schedule);
    this.#closed = new Answers(deps.schedule);
  }

  get #user(): Address {
    return this.#deps.works.signer.address;
  }

  list(): readonly OwnThread[] {
    return this.#deps.works.book.all();
  }

  /** @throws ThreadUnknown */
  get(hash: Hash): OwnThread {
    return this.#deps.works.book.get(hash);
  }

  /**
   * Opens a thread from this side to somebody else through the hub. Resolves when both legs are open.
   * @throws InvalidThread, BalanceTooLow, AmountTooSmall, ThreadDeclined, ThreadLimit, ThreadNotJoined, TimedOut
   */
  async open(wish: ThreadWish): Promise<OwnThread> {
    const { works, now, salt } = this.#deps;
    const nowSeconds = BigInt(Math.floor(now() / 1000));
    const thread = termsOf(wish, this.#user, salt(), nowSeconds);
    const wrong = works.check(thread);
    if (wrong !== undefined) throw wrong;
    const sigSender = await works.signer.signStatement(threadType, thread, works.domain);
    const own = { ...newOwnThread(thread, wish.app?.appState), sigSender };
    await works.book.save(own);
    await this.#proposed(own);
    return this.#join(own.hash);
  }

  /** Raises what the receiver of a thread gets. @throws see `Streaming.pay` */
  pay(hash: Hash, amount: bigint): Promise<SignedThreadPayment> {
    return this.#deps.works.streaming.pay(hash, amount);
  }

  /** Agrees on something new with the other party of an updatable thread. @throws see `Updates.propose` */
  update(hash: Hash, wish: UpdateWish): Promise<SignedThreadUpdate> {
    return this.#deps.works.updates.propose(hash, wish);
  }

  /**
   * Closes a thread. As the receiver: now, at the best that this side can prove. As the sender: asks the receiver, and
   * waits. An updatable thread: both at once, at what both have signed last.
   * @throws ThreadNotOpen, ThreadDisputed, ThreadNotJoined, TimedOut: the contract can decide then, see `challenge`
   */
  async close(hash: Hash): Promise<OwnThread> {
    const own = this.get(hash);
    if (own.leg === "closed" || own.leg === "settled") return own;
    requireOpen(own);
    if (own.thread.updatable || !isSender(own, this.#user)) return this.#closeOwn(hash);
    const what = `the closing of thread ${hash} by its receiver`;
    const closed = this.#closed.wait(hash, what, this.#deps.answerMs);
    await this.#showNewest(own);
    await this.#deps.hub.call("requestThreadClose", { params: { hash }, body: undefined });
    return closed;
  }

  /** What goes to this party takes the link from now on, and what comes by it is heard. @returns What ends that */
  connect(peer: Address, link: PeerLink): () => void {
    const { intake, outbox } = this.#deps.works;
    link.onMessage((text) => this.#keep(intake.text(text)));
    return outbox.attach(peer, link);
  }

  /** What the hub tells of a thread. Never fails: what is wrong is logged. */
  heard(event: ThreadEvent): void {
    this.#keep(this.#hear(event).catch((error: unknown) => this.#note(event.thread.hash, error)));
  }

  /** Whatever was missed: everything that the hub still has for this side. */
  async catchUp(): Promise<void> {
    const { hub } = this.#deps;
    const { threads } = await hub.call("listThreads", { params: { user: this.#user }, query: { limit: MOST_ROWS } });
    for (const row of threads) {
      if (row.status === "closed" || row.status === "void") continue;
      await this.#take(row).catch((error: unknown) => this.#note(row.hash, error));
    }
    await this.align();
  }

  /** Takes over from the channel's newest state which legs are open. */
  async align(): Promise<void> {
    const { works, engine } = this.#deps;
    for (const own of await works.book.align(engine.state.session, engine.threads)) {
      works.events.emit("thread", own);
      if (own.leg === "open") works.streaming.opened(own);
      else this.#closed.hear(own.hash, own);
    }
  }

  /** Waits for what runs. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
    await this.#deps.works.book.idle();
  }

  // ------------------------------------------------------------------------------------------------------- opening

  async #proposed({ hash, thread, sigSender = "0x" }: OwnThread): Promise<void> {
    const { hub, answerMs } = this.#deps;
    const accepted = this.#accepted.wait(hash, `the other party's signature of the terms of thread ${hash}`, answerMs);
    const { thread: row } = await hub.call("proposeThread", { body: { thread: formatThread(thread), sigSender } });
    await this.#take(row);
    try {
      await accepted;
    } catch (error) {
      if (hasCode(error, "TimedOut")) await this.#giveUp(hash);
      throw error;
    }
  }

  /** Terms that nobody has answered must not be opened later, when their sender counts on them no more. */
  async #giveUp(hash: Hash): Promise<void> {
    const given = this.#deps.hub.call("declineThread", { params: { hash }, body: undefined });
    await given.catch((error: unknown) => this.#note(hash, error));
  }

  /** Signs this side's leg, together with the other party. */
  async #join(hash: Hash): Promise<OwnThread> {
    const { engine, works, now } = this.#deps;
    const { thread, sigSender, sigReceiver } = this.get(hash);
    if (sigSender === undefined || sigReceiver === undefined) {
      throw hubError("ThreadNotReady", { hash, status: "proposed", needed: "accepted" });
    }
    // Whoever holds the terms could have shown them: payments on top of a record that is final would be worth nothing.
    const record = await works.chain.recordOf(hash);
    if (record !== undefined) throw hubError("ThreadDisputed", { hash, deadline: record.deadline });
    const giveUpAt = now() + COLLATERAL_MS;
    await this.#collateral(thread, giveUpAt);
    await this.#together(hash, () => engine.openThread({ thread, sigSender, sigReceiver }), giveUpAt);
    await this.align();
    return works.book.get(hash);
  }

  /** In this side's channel the hub stakes what the other party does; it brings that if it has to. */
  async #collateral(thread: Thread, giveUpAt: number): Promise<void> {
    const { engine, hub, now, sleep } = this.#deps;
    const { asset, sender, balanceSender, balanceReceiver } = thread;
    const needed = sender === this.#user ? balanceReceiver : balanceSender;
    const isThere = (): boolean => rowOf(engine.state, asset).balanceHub >= needed;
    if (isThere()) return;
    const body = { asset, amount: needed.toString() };
    await hub.call("requestCollateralization", { params: { user: this.#user }, body });
    while (!isThere() && now() < giveUpAt) {
      await sleep(STEP_MS);
      await engine.level();
    }
  }

  /** Once more where the other party was late, or where the hub has to bring collateral first. */
  async #together(hash: Hash, step: () => Promise<unknown>, giveUpAt: number): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await step();
        return;
      } catch (error) {
        const isLate = hasCode(error, "ThreadNotJoined") && tries < MEETINGS;
        const isPoor = hasCode(error, "InsufficientCollateral") && this.#deps.now() < giveUpAt;
        if (!isLate && !isPoor) throw error;
        this.#deps.log(`thread ${hash} again: ${messageOf(error)}`);
        await this.#deps.sleep(STEP_MS);
      }
    }
  }

  // ------------------------------------------------------------------------------------------------------- closing

  /** What goes by a link may come after the hub's word; what was paid is in that. */
  async #showNewest({ hash, payment }: OwnThread): Promise<void> {
    if (payment === undefined) return;
    const body = formatPeerEvidence({ payment });
    await this.#deps.hub.call("showThreadEvidence", { params: { hash }, body });
  }

  /** One closing at a time: the caller's and the other party's wish are one. */
  #closeOwn(hash: Hash): Promise<OwnThread> {
    return this.#once(hash, async () => {
      const { engine, works } = this.#deps;
      const { outcome, isForHub } = bestProof(this.get(hash), works.context);
      if (!isForHub) throw clientError("ThreadNeedsChain", { threadHash: hash, outcome });
      await this.#ended(hash, outcome, (own) => {
        const evidence = threadEvidenceOf(own);
        const note = evidence && formatPeerEvidence(evidence);
        return engine.closeThread({ thread: own.thread, balanceReceiver: outcome }, note);
      });
      return this.get(hash);
    });
  }

  /** While its end is being signed nothing more counts on a thread. Void again, it goes on. */
  async #ended(hash: Hash, outcome: bigint, sign: (own: OwnThread) => Promise<unknown>): Promise<void> {
    const { book } = this.#deps.works;
    const saved = book.note(hash, { isEnding: true });
    const own = this.get(hash);
    await saved;
    try {
      await sign(own);
    } catch (error) {
      if (hasCode(error, "ThreadNotJoined", "ThreadReceiverFirst", "ThreadOutcomeUnproven", "ThreadDisputed")) {
        await book.note(hash, { isEnding: false });
      }
      throw error;
    }
    await book.note(hash, { outcome });
    await this.align();
  }

  /** What the contract has decided for ever may be signed by either side alone. */
  async closeDecided(hash: Hash, balanceReceiver: bigint): Promise<OwnThread> {
    return this.#once(hash, async () => {
      const { engine } = this.#deps;
      await this.#ended(hash, balanceReceiver, ({ thread }) => engine.closeThread({ thread, balanceReceiver }));
      return this.get(hash);
    });
  }

  // ------------------------------------------------------------------------------------------------------- hearing

  async #hear({ thread: row, wants, proposal }: ThreadEvent): Promise<void> {
    const own = await this.#take(row);
    if (proposal !== undefined) await this.#deps.works.updates.receiveProposal(own.hash, parseProposal(proposal));
    if (wants === "open") await this.#meetOpening(own);
    if (wants === "close") await this.#meetClosing(own);
    if (row.status === "closed" || row.status === "receiverClosed") await this.#deps.engine.level();
    if (row.status === "closed") await this.align();
  }

  async #take(row: WireThread): Promise<OwnThread> {
    const { works } = this.#deps;
    const own = await works.intake.row(row);
    const { hash } = own;
    if (row.status === "void") this.#accepted.fail(hash, clientError("ThreadDeclined", { threadHash: hash }));
    if (row.status === "accepted") this.#accepted.hear(hash, own);
    if (row.status === "proposed" && own.thread.receiver === this.#user) await this.#answerTerms(own);
    return works.book.get(hash);
  }

  /** As the receiver: signs terms or declines them. Signing binds nobody before a channel has the leaf. */
  async #answerTerms({ hash, thread }: OwnThread): Promise<void> {
    const { works, hub, policy } = this.#deps;
    if (!(await policy(thread))) {
      await hub.call("declineThread", { params: { hash }, body: undefined });
      return;
    }
    const sigReceiver = await works.signer.signStatement(threadType, thread, works.domain);
    await works.book.note(hash, { sigReceiver });
    await hub.call("acceptThread", { params: { hash }, body: { sigReceiver } });
  }

  /** The receiver has signed the terms already; the sender only where it is opening the thread itself. */
  async #meetOpening(own: OwnThread): Promise<void> {
    if (own.leg !== "none" || isSender(own, this.#user)) return;
    await this.#once(own.hash, () => this.#join(own.hash));
  }

  async #meetClosing(own: OwnThread): Promise<void> {
    if (own.leg !== "open" || (!own.thread.updatable && isSender(own, this.#user))) return;
    if (this.#isUndecided(own)) this.#deps.log(`thread ${own.hash} stays open: what decides it may still come`);
    else await this.#closeOwn(own.hash);
  }

  /** A conditional payment that others want closed before its time is not given up, whoever asks. */
  #isUndecided({ thread, resolved }: OwnThread): boolean {
    const isConditional = thread.app !== ZERO_ADDRESS && !thread.updatable;
    return isConditional && resolved === undefined && BigInt(Math.floor(this.#deps.now() / 1000)) <= thread.expiry;
  }

  #once(hash: Hash, work: () => Promise<OwnThread>): Promise<OwnThread> {
    const running = this.#busy.get(hash) as Promise<OwnThread> | undefined;
    if (running !== undefined) return running;
    const begun = work().finally(() => this.#busy.delete(hash));
    this.#busy.set(hash, begun);
    return begun;
  }

  #keep(work: Promise<unknown>): void {
    const done = work.catch(() => undefined).finally(() => this.#running.delete(done));
    this.#running.add(done);
  }

  #note(hash: string, error: unknown): void {
    this.#deps.log(`thread ${hash}: ${messageOf(error)}`);
  }
}
