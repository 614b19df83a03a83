import type { Provider } from "ethers";
import { proveThread, threadRoot, ZERO_HASH, type Address, type ThreadEvidenceContext } from "../../protocol";
import { readHead, type Head } from "../../protocol/chain/channel-view";
import { isFinalOnChain, readThreadRecord, type ThreadRecord } from "../../protocol/chain/thread-record";
import { showingOf } from "../../protocol/chain/thread-showing";
import { ChannelManager__factory, type ChannelManager } from "../../typechain-types";
import { challengeCall, settleCall, settleThreadCall, settleUnsignedCall, showCall } from "../chain/calls";
import { markEvents } from "../chain/event-scan";
import type { Sender } from "../chain/sender";
import type { Clock } from "../clock";
import type { Log } from "../log";
import type { GuardedChannel, GuardedThread, TowerStore } from "../store/tower-store";

export interface PatrolDeps {
  readonly provider: Provider;
  readonly channelManager: Address;
  readonly store: TowerStore;
  readonly sender: Pick<Sender, "want" | "step">;
  readonly evidence: ThreadEvidenceContext;
  readonly startBlock: number;
  readonly confirmations: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Where a channel stands. */
interface Standing {
  readonly session: bigint;
  readonly exitNonce: bigint;
  /** Unix seconds; 0 while open. */
  readonly exitDeadline: bigint;
}

/** The channel at the newest block, and as deep as counts as over. */
interface Views {
  readonly head: Head;
  readonly deepNumber: number;
  readonly now: Standing;
  readonly deep: Standing | undefined;
}

/** So many channels without any event are looked at in each pass: nothing depends on an event alone. */
const ROUND = 20;

/**
 * What the tower does on chain, in passes. A pass derives everything from the file and the newest block, so that it does
 * not matter where the one before it was cut off.
 */
export class Patrol {
  readonly #deps: PatrolDeps;
  readonly #manager: ChannelManager;
  #lastLooked = "";
  /** Unix ms, and the chain's time, of the last pass that went through. */
  #lastPass: { readonly atMs: number; readonly headNumber: number } | undefined;

  constructor(deps: PatrolDeps) {
    this.#deps = deps;
    this.#manager = ChannelManager__factory.connect(deps.channelManager, deps.provider);
  }

  get lastPass(): { readonly atMs: number; readonly headNumber: number } | undefined {
    return this.#lastPass;
  }

  /** @throws what the node throws; the next pass does what this one could not */
  async pass(): Promise<void> {
    const { provider, store, sender, startBlock, clock, log } = this.#deps;
    const head = await readHead(provider);
    await markEvents(this.#deps, head.number, startBlock);
    for (const user of new Set([...store.active(), ...this.#round()])) {
      await this.#look(user, head).catch((error: unknown) => log.error(`${user} waits`, error));
    }
    await sender.step(BigInt(head.timestamp));
    store.write(() => store.pruneCalls(1_000));
    this.#lastPass = { atMs: clock.now(), headNumber: head.number };
  }

  #round(): readonly Address[] {
    const users = this.#deps.store.users(this.#lastLooked, ROUND);
    this.#lastLooked = users.length < ROUND ? "" : (users.at(-1) ?? "");
    return users;
  }

  async #look(user: Address, head: Head): Promise<void> {
    const { store, confirmations } = this.#deps;
    const channel = store.channel(user);
    if (channel === undefined) {
      store.write(() => store.setActive(user, false));
      return;
    }
    const deepNumber = Math.max(0, head.number - confirmations + 1);
    const now = await this.#read(user, head.number);
    const deep = deepNumber === head.number ? now : await this.#read(user, deepNumber).catch(() => undefined);
    const views = { head, deepNumber, now, deep };
    let isBusy = deep?.session !== now.session || deep.exitDeadline !== 0n || now.exitDeadline !== 0n;
    this.#answerExit(channel, views);
    for (const session of store.sessionsWithThreads(user)) {
      if (await this.#lookAtThreads(channel, session, views)) isBusy = true;
    }
    store.write(() => store.setActive(user, isBusy));
  }

  async #read(user: Address, blockTag: number): Promise<Standing> {
    const { session, exitNonce, exitDeadline } = await this.#manager.channelOf(user, { blockTag });
    return { session, exitNonce, exitDeadline };
  }

  /** Strictly newer or not at all: an equal state would only cost gas. */
  #answerExit(channel: GuardedChannel, { now: standing, head }: Views): void {
    const { sender } = this.#deps;
    const { state } = channel;
    const { session, exitNonce, exitDeadline } = standing;
    if (exitDeadline === 0n || session !== state.session) return;
    this.#alarm(state.user, `an exit of session ${session} runs until ${exitDeadline} (Unix s)`);
    if (BigInt(head.timestamp) < exitDeadline) {
      if (exitNonce < state.nonce) sender.want(challengeCall(channel, exitDeadline));
    } else {
      if (exitNonce === state.nonce) sender.want(settleCall(channel));
      if (exitNonce === 0n) sender.want(settleUnsignedCall(state));
      if (exitNonce < state.nonce)
        this.#alarm(state.user, `session ${session} ended at ${exitNonce}: the challenge came too late`);
    }
    if (exitNonce > state.nonce) {
      this.#alarm(state.user, `the exit stands at nonce ${exitNonce}, which is newer than what was registered`);
    }
  }

  /** @returns Whether something is still to happen. */
  async #lookAtThreads(channel: GuardedChannel, session: bigint, views: Views): Promise<boolean> {
    const { user } = channel.state;
    const threads = this.#deps.store.threads(user, session);
    const hasEnded = views.now.session > session;
    if (hasEnded && !(await this.#isRootOf(user, session, threads, views)))
      return this.#forgetOthers(user, session, views);
    const isOurs = !hasEnded && views.now.exitDeadline !== 0n && views.now.exitNonce === channel.state.nonce;
    const open: boolean[] = [];
    for (const thread of threads) open.push(await this.#lookAtThread(thread, threads, views, hasEnded, isOurs));
    if (hasEnded && !open.includes(true)) this.#forget(user, session);
    return open.includes(true);
  }

  /** Whether the session was settled with these threads. */
  async #isRootOf(
    user: Address,
    session: bigint,
    threads: readonly GuardedThread[],
    { head }: Views,
  ): Promise<boolean> {
    const root = await this.#manager.threadRootOf(user, session, { blockTag: head.number });
    return root !== ZERO_HASH && root === threadRoot(threads.map(({ hash }) => hash));
  }

  /** Once nothing can bring the session back, threads that it was not settled with are nobody's business. */
  #forgetOthers(user: Address, session: bigint, { deep }: Views): boolean {
    if (deep === undefined || deep.session <= session) return true;
    this.#alarm(user, `session ${session} was settled with other threads than those that were registered`);
    this.#forget(user, session);
    return false;
  }

  #forget(user: Address, session: bigint): void {
    const { store } = this.#deps;
    store.write(() => store.dropThreads(user, session, []));
  }

  /** @returns Whether something is still to happen about it. */
  async #lookAtThread(
    { user, session, hash, evidence }: GuardedThread,
    all: readonly GuardedThread[],
    { head, deepNumber }: Views,
    hasEnded: boolean,
    isOurExit: boolean,
  ): Promise<boolean> {
    const { provider, channelManager, sender } = this.#deps;
    const { thread } = evidence;
    const record = await readThreadRecord(provider, channelManager, hash, head.number);
    const now = BigInt(head.timestamp);
    if (record !== undefined && isFinalOnChain(thread, record, now)) {
      if (!hasEnded) return false;
      if (isPaid(record, user, thread.sender)) return !(await this.#isPaidAt(hash, user, thread.sender, deepNumber));
      const proof = proveThread(
        all.map((each) => each.hash),
        hash,
      );
      sender.want(settleThreadCall(user, session, hash, thread, proof));
      return true;
    }
    if (record === undefined && !hasEnded && !isOurExit) return false;
    if (record !== undefined) this.#alarm(user, `thread ${hash} is in dispute until ${record.deadline} (Unix s)`);
    const showing = showingOf(evidence, record, this.#deps.evidence, now);
    if (showing !== undefined) sender.want(showCall(hash, showing, record?.deadline));
    return true;
  }

  async #isPaidAt(hash: GuardedThread["hash"], user: Address, sender: Address, blockNumber: number): Promise<boolean> {
    const { provider, channelManager } = this.#deps;
    const record = await readThreadRecord(provider, channelManager, hash, blockNumber);
    return record !== undefined && isPaid(record, user, sender);
  }

  #alarm(user: Address, text: string): void {
    const { store, clock, log } = this.#deps;
    if (store.alarms(user, 20).some((alarm) => alarm.text === text)) return;
    log.warn(`${user}: ${text}`);
    store.write(() => store.alarm({ user, at: BigInt(Math.floor(clock.now() / 1000)), text }));
  }
}

function isPaid({ senderPaid, receiverPaid }: ThreadRecord, user: Address, sender: Address): boolean {
  return user === sender ? senderPaid : receiverPaid;
}
