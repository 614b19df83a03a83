import {
  bestBalance,
  proveThread,
  threadSum,
  type Address,
  type Hash,
  type Thread,
  type ThreadEvidenceContext,
} from "../../../protocol";
import { payoutGasLimit } from "../../../protocol/chain/payout-gas";
import { isFinalOnChain, type ThreadRecord, type ThreadView } from "../../../protocol/chain/thread-record";
import type { Clock } from "../../clock";
import type { Log } from "../../log";
import type { EndedLeg } from "../../store/ended-session-store";
import type { Store } from "../../store/store";
import type { ThreadOnChain, ThreadRow } from "../../store/thread-store";
import type { Channels } from "../channels";
import type { Lanes } from "../lanes";
import type { Outgoing, OutgoingRequest } from "../outgoing";
import type { Pushes } from "../pushes";
import { draftClosing } from "../threads/hub-closing";
import { evidenceOf, wireThread } from "../threads/view";
import { CALL_GAS, settleThreadCall } from "./calls";
import { placesOf, type LegPlace } from "./leg-places";
import { showingOf, type Showing } from "../../../protocol/chain/thread-showing";
import type { Worth } from "./worth";

export interface ThreadDisputesDeps {
  readonly store: Store;
  readonly channels: Channels;
  readonly lanes: Lanes;
  readonly pushes: Pushes;
  readonly outgoing: Outgoing;
  readonly worth: Worth;
  readonly clock: Clock;
  readonly log: Log;
  readonly channelManager: Address;
  readonly evidence: ThreadEvidenceContext;
  /** What the chain says of a thread: at head, and, as deep as this hub asks, whether that is final. */
  readonly readThread: (hash: Hash, thread: Thread) => Promise<ThreadView>;
}

/** So many threads are looked at in one go, of each kind. */
const BATCH = 16;

/** And those in so many exiting channels, each of which may have 64. */
const EXITING_BATCH = 2;

/**
 * What the hub does about threads that the contract has to decide: it shows its evidence where that changes anything,
 * tells both parties, and ends both legs by the one outcome. Source: docs/protocol.md "Exits off chain".
 */
export class ThreadDisputes {
  readonly #deps: ThreadDisputesDeps;
  #lastDisputed: Hash | undefined;
  #lastLeg: EndedLeg | undefined;
  #lastExiting: Address | undefined;

  constructor(deps: ThreadDisputesDeps) {
    this.#deps = deps;
  }

  /** Looks at one thread: what the chain has of it, what the hub can add, what is to be paid. */
  async look(hash: Hash): Promise<void> {
    const { store, readThread } = this.#deps;
    const row = await store.threads.load(hash);
    if (row?.sigReceiver === undefined || row.senderLeg === "none") return; // not between two channels of this hub
    const { head, final } = await readThread(hash, row.thread);
    await this.#note(row, head);
    const places = await placesOf(row, this.#deps);
    if (final === undefined) return this.#show(row, head, places);
    for (const place of places) await this.#end(row, place, final.balanceReceiver);
  }

  /** Threads with a leg in a channel that exits. */
  async lookAtThreadsOf(user: Address): Promise<void> {
    for (const { hash } of await this.#deps.store.threads.openIn(user)) await this.look(hash);
  }

  /** Threads that are paid out of a session that has ended. */
  async lookAtEnded(user: Address, session: bigint): Promise<void> {
    const ended = await this.#deps.store.endedSessions.load(user, session);
    for (const hash of ended?.threads ?? []) await this.look(hash);
  }

  /** Looks at some of all threads that the contract has to decide about, so that nothing depends on one event. */
  async lookAround(): Promise<void> {
    for (const hash of await this.#nextHashes()) {
      await this.look(hash).catch((error: unknown) => this.#deps.log.error(`thread ${hash} waits`, error));
    }
  }

  async #nextHashes(): Promise<ReadonlySet<Hash>> {
    const { threads, endedSessions, channels } = this.#deps.store;
    const disputed = await threads.disputed(this.#lastDisputed, BATCH);
    const legs = await endedSessions.openLegs(this.#lastLeg, BATCH);
    const users = await channels.exiting(this.#lastExiting, EXITING_BATCH);
    this.#lastDisputed = disputed.length < BATCH ? undefined : disputed.at(-1);
    this.#lastLeg = legs.length < BATCH ? undefined : legs.at(-1);
    this.#lastExiting = users.length < EXITING_BATCH ? undefined : users.at(-1);
    const found = new Set([...disputed, ...legs.map(({ hash }) => hash)]);
    for (const user of users) for (const { hash } of await threads.openIn(user)) found.add(hash);
    return found;
  }

  /** What the chain has of it is known to both parties at once. */
  async #note({ hash, thread, record: known, ...rest }: ThreadRow, head: ThreadRecord | undefined): Promise<void> {
    if (head === undefined || isSame(known, head)) return;
    const { store, pushes, log } = this.#deps;
    const { balanceReceiver, nonce, deadline, resolved } = head;
    const record = { balanceReceiver, nonce, deadline, resolved };
    log.warn(`thread ${hash} stands at ${balanceReceiver} on chain, until ${deadline}`);
    await store.database.write((tx) => {
      store.threads.note(tx, hash, { record });
      const event = { kind: "thread", thread: wireThread({ ...rest, hash, thread, record }) } as const;
      for (const user of [thread.sender, thread.receiver]) pushes.keep(tx, user, event);
    });
    for (const user of [thread.sender, thread.receiver]) pushes.flush(user);
  }

  /** Early, because no deadline moves; only what changes what stands; and only where it is worth the gas. */
  async #show(row: ThreadRow, head: ThreadRecord | undefined, places: readonly [LegPlace, LegPlace]): Promise<void> {
    const { clock, evidence, channelManager } = this.#deps;
    if (!mustBeShown(row, head, places)) return;
    const nowSeconds = BigInt(Math.floor(clock.now() / 1000));
    if (head !== undefined && isFinalOnChain(row.thread, head, nowSeconds)) return; // and soon deep enough
    const showing = showingOf(evidenceOf(row), head, evidence, nowSeconds);
    if (showing === undefined || !this.#isWorthShowing(row, showing, places)) return;
    const { data, name, gasLimit } = showing;
    await this.#send({
      ...{ id: `thread:${row.hash}:${name}`, to: channelManager, data, valueWei: 0n, kind: "dispute" },
      ...(gasLimit === undefined ? {} : { gasLimit }),
      ...(head === undefined ? {} : { deadlineSeconds: Number(head.deadline) }),
    });
  }

  /** The terms alone open a record for what the hub gets back by it; better evidence, for whom it is better. */
  #isWorthShowing(row: ThreadRow, { name, change }: Showing, places: readonly [LegPlace, LegPlace]): boolean {
    const { worth, evidence } = this.#deps;
    const { thread } = row;
    if (change === undefined) return true;
    if (name !== "terms") return worth.isWorth([[thread.asset, change]], CALL_GAS);
    const best = bestBalance(evidenceOf(row), evidence);
    const [sender, receiver] = places.map(({ place }) => place !== "gone");
    const hub = (sender === true ? best : 0n) + (receiver === true ? threadSum(thread) - best : 0n);
    return worth.isWorth([[thread.asset, hub]], CALL_GAS + payoutGasLimit({ assets: [thread] }));
  }

  /** The one outcome ends a leg: on chain where its session has ended, by an update where its channel goes on. */
  async #end(row: ThreadRow, { user, place, unpaid }: LegPlace, outcome: bigint): Promise<void> {
    for (const leg of unpaid) await this.#settleLeg(row, leg, outcome);
    if (place === "live") await this.#closeLeg(row, user, outcome);
  }

  async #settleLeg({ thread }: ThreadRow, leg: EndedLeg, outcome: bigint): Promise<void> {
    const { store, channelManager, worth } = this.#deps;
    const ended = await store.endedSessions.load(leg.user, leg.session);
    if (ended === undefined) return;
    const call = settleThreadCall(channelManager, leg, thread, proveThread(ended.threads, leg.hash));
    const shares = [outcome, threadSum(thread) - outcome];
    const isWorth = shares.some((share) => worth.isWorth([[thread.asset, share]], call.gasLimit ?? 0n));
    if (isWorth) await this.#send(call);
  }

  async #closeLeg({ hash, thread }: ThreadRow, user: Address, outcome: bigint): Promise<void> {
    const { lanes, channels, store, pushes } = this.#deps;
    await lanes.precedencePassed([user]);
    await lanes.run([user], async () => {
      const row = await store.threads.load(hash);
      if (row === undefined) return;
      const draft = draftClosing(channels, row, await channels.load(user), outcome);
      if (draft === undefined) return;
      const after = { ...row, outcome: row.outcome ?? outcome };
      await channels.commit([draft], (tx) => {
        store.threads.note(tx, hash, { outcome: after.outcome });
        for (const party of [thread.sender, thread.receiver]) {
          pushes.keep(tx, party, { kind: "thread", thread: wireThread(after) });
        }
      });
    });
    for (const party of [thread.sender, thread.receiver]) pushes.flush(party);
  }

  async #send(request: OutgoingRequest): Promise<void> {
    const { store, outgoing } = this.#deps;
    if ((await store.transactions.find(request.id)) !== undefined) return;
    await store.database.write((tx) => outgoing.enqueue(tx, request));
    outgoing.wake();
  }
}

/**
 * Whether the contract has to decide. Before anybody has shown the thread: once a leg is in an ended session; in an exit
 * already where nothing can be agreed off chain any more, so that a receiver whose channel goes on has the window to close
 * its leg at once.
 */
function mustBeShown(
  { thread }: ThreadRow,
  head: ThreadOnChain | undefined,
  [sender, receiver]: readonly [LegPlace, LegPlace],
): boolean {
  const places = [sender.place, receiver.place];
  if (places.every((place) => place === "gone")) return false;
  if (head !== undefined || places.includes("ended")) return true;
  return places.includes("exiting") && (thread.updatable || receiver.place !== "live");
}

function isSame(known: ThreadOnChain | undefined, head: ThreadRecord): boolean {
  return (
    known?.balanceReceiver === head.balanceReceiver &&
    known.nonce === head.nonce &&
    known.deadline === head.deadline &&
    known.resolved === head.resolved
  );
}
