import { reclaimPayouts, type Address, type Ledger } from "../../../protocol";
import type { ChainEvent } from "../../../protocol/chain/events";
import type { Clock } from "../../clock";
import type { Transaction } from "../../store/database";
import type { EndedPayout } from "../../store/ended-session-store";
import type { Store } from "../../store/store";
import type { ChainView } from "../chain-sync";
import type { Channel } from "../channel";
import type { Channels } from "../channels";
import type { Incidents } from "../incidents";
import type { Lanes } from "../lanes";
import type { Outgoing, OutgoingRequest } from "../outgoing";
import type { Pushes } from "../pushes";
import { reclaimCall } from "./calls";
import { threadsOfRoot } from "./history";
import { moveUncountersigned } from "./uncountersigned";
import type { Worth } from "./worth";

export interface SessionEndsDeps {
  readonly store: Store;
  readonly channels: Channels;
  readonly lanes: Lanes;
  readonly pushes: Pushes;
  readonly incidents: Incidents;
  readonly outgoing: Outgoing;
  readonly worth: Worth;
  readonly clock: Clock;
  readonly channelManager: Address;
  readonly assets: ReadonlySet<Address>;
  readonly readView: (user: Address) => Promise<ChainView>;
  /** Counters of an asset in a session that has ended: what nobody has reclaimed. */
  readonly readLedger: (user: Address, session: bigint, asset: Address) => Promise<Ledger>;
}

type SettledEvent = Extract<ChainEvent, { readonly name: "Settled" }>;

/** The contract paid something out of an ended session. */
export type PayoutEvent = Extract<ChainEvent, { readonly name: "AssetSettled" | "Reclaimed" | "ThreadSettled" }>;

/** What follows once a settlement is as deep as the hub asks. Source: docs/protocol.md "Exits off chain". */
export class SessionEnds {
  readonly #deps: SessionEndsDeps;

  constructor(deps: SessionEndsDeps) {
    this.#deps = deps;
  }

  /**
   * The next session begins. What the hub had credited and the user had not countersigned was not part of what was
   * settled: the user gets it custodially.
   */
  async settled(event: SettledEvent): Promise<void> {
    const { channels, lanes, pushes, readView, outgoing } = this.#deps;
    const { user, session, nonce } = event;
    await lanes.run([user], async () => {
      const channel = await channels.load(user);
      if (channel.session !== session) return;
      const view = await readView(user);
      const unsettled = channel.pending.filter(({ update }) => update.nonce > nonce);
      const owed = await moveUncountersigned(channel, unsettled, `${user}:${session}`, this.#deps);
      const [reclaims, end] = [await this.#reclaims(user, session), await this.#endOf(channel, event)];
      await channels.save(nextSession(channel, view), (tx) => {
        owed(tx);
        end(tx);
        for (const reclaim of reclaims) outgoing.enqueue(tx, reclaim);
        pushes.keep(tx, user, { kind: "dispute", event: "Settled", nonce: nonce.toString(), deadline: "0" });
      });
    });
    outgoing.wake();
    pushes.flush(user);
  }

  /** Books what the contract paid. */
  async paid(event: PayoutEvent): Promise<void> {
    const { store } = this.#deps;
    const row = event.name === "ThreadSettled" ? await store.threads.load(event.threadHash) : undefined;
    await store.database.write((tx) => {
      store.endedSessions.book(tx, payoutOf(event));
      if (event.name !== "ThreadSettled") return;
      const { user, session, threadHash } = event;
      store.endedSessions.payLeg(tx, { user, session, hash: threadHash });
      if (row === undefined) return;
      const isSender = user === row.thread.sender;
      const [leg, of] = isSender ? [row.senderLeg, row.senderSession] : [row.receiverLeg, row.receiverSession];
      if (leg === "open" && of === session) store.threads.endLeg(tx, threadHash, user, "settled");
    });
  }

  /** A reorganisation took a payout back. */
  async unpaid(event: PayoutEvent): Promise<void> {
    const { store } = this.#deps;
    await store.database.write((tx) => store.endedSessions.unbook(tx, payoutOf(event)));
  }

  /** Assets that the settled state did not name, where the hub's part is worth the gas. */
  async #reclaims(user: Address, session: bigint): Promise<readonly OutgoingRequest[]> {
    const { assets, readLedger, worth, channelManager } = this.#deps;
    const calls: OutgoingRequest[] = [];
    for (const asset of assets) {
      const { amountHub } = reclaimPayouts(await readLedger(user, session, asset));
      const call = reclaimCall(channelManager, user, session, asset);
      if (worth.isWorth([[asset, amountHub]], call.gasLimit ?? 0n)) calls.push(call);
    }
    return calls;
  }

  /** Books the session, and which threads are to be paid out of it. */
  async #endOf(channel: Channel, { session, nonce, threadRoot }: SettledEvent): Promise<(tx: Transaction) => void> {
    const { store, clock, incidents } = this.#deps;
    const { user } = channel;
    const known = await threadsOfRoot(store.channels, channel, nonce, threadRoot);
    if (known === undefined) {
      await incidents.report(
        "threads-unknown",
        user,
        new Error(`no threads that are known give the root ${threadRoot}`),
      );
    }
    const threads = known ?? [];
    const open = await store.threads.openIn(user);
    const gone = known === undefined ? [] : open.filter(({ hash }) => !threads.includes(hash));
    return (tx) => {
      store.endedSessions.end(tx, { user, session, nonce, threadRoot, threads, endedAtMs: clock.now() });
      for (const { hash } of gone) store.threads.endLeg(tx, hash, user, "settled"); // the settled state is without it
    };
  }
}

function nextSession(channel: Channel, { session, ledgers, exit }: ChainView): Channel {
  const { user, needsProof, version } = channel;
  const isCurrent = session === channel.session + 1n;
  return {
    ...{ user, session: channel.session + 1n, threads: [], pending: [], needsProof, version },
    ledgers: isCurrent ? ledgers : new Map(),
    ...(isCurrent && exit !== undefined ? { exit } : {}),
  };
}

export function isPayout(event: ChainEvent): event is PayoutEvent {
  return event.name in KINDS;
}

const KINDS = { AssetSettled: "settled", Reclaimed: "reclaimed", ThreadSettled: "thread" } as const;

function payoutOf(event: PayoutEvent): EndedPayout {
  const { name, user, session, asset, amountUser, amountHub, transactionHash } = event;
  const thread = name === "ThreadSettled" ? { thread: event.threadHash } : {};
  return { ...{ user, session, asset, kind: KINDS[name] }, ...thread, amountUser, amountHub, transactionHash };
}
