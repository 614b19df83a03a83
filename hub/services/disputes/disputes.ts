import type { Address } from "../../../protocol";
import type { ChainEvent } from "../../../protocol/chain/events";
import type { Clock } from "../../clock";
import type { Log } from "../../log";
import type { Exit } from "../../store/channel-store";
import type { Transaction } from "../../store/database";
import type { Store } from "../../store/store";
import type { ThreadRow } from "../../store/thread-store";
import type { ChainView } from "../chain-sync";
import type { Channel } from "../channel";
import type { Channels } from "../channels";
import type { Lanes } from "../lanes";
import type { Outgoing, OutgoingRequest } from "../outgoing";
import type { Pushes } from "../pushes";
import { otherParty, wireThread } from "../threads/view";
import { CALL_GAS, challengeCall, idOf, settleCall } from "./calls";
import { PastStates } from "./history";
import { lossesBetween } from "./losses";
import { adoptShown, isWorthSettling, standingOf } from "./standing";
import type { Worth } from "./worth";

export interface DisputesDeps {
  readonly store: Store;
  readonly channels: Channels;
  readonly lanes: Lanes;
  readonly pushes: Pushes;
  readonly outgoing: Outgoing;
  readonly worth: Worth;
  readonly clock: Clock;
  readonly log: Log;
  readonly channelManager: Address;
  readonly readView: (user: Address) => Promise<ChainView>;
}

export type ExitEvent = Extract<ChainEvent, { readonly name: "ExitStarted" | "ExitChallenged" }>;

/** Running exits that are weighed again in one go. */
const EXITS_AT_A_TIME = 16;

/**
 * What the hub does about exits, whoever started them: it tells whom they concern, shows a newer state where that is worth
 * it, and settles after the window. Source: docs/protocol.md "Exits off chain".
 */
export class Disputes {
  readonly #deps: DisputesDeps;
  readonly #past: PastStates;
  #lastWeighed: Address | undefined;

  constructor(deps: DisputesDeps) {
    this.#deps = deps;
    this.#past = new PastStates(deps.store.channels);
  }

  /** At first sight: nothing is signed in the channel any more; its user and the parties of its threads are told. */
  async exitSeen({ user, name, nonce, sigUser, deadline }: ExitEvent): Promise<void> {
    const { lanes, channels, readView, store, pushes, log, outgoing } = this.#deps;
    const told = await lanes.run([user], async () => {
      const view = await readView(user);
      const before = await channels.load(user);
      const known = adoptShown(before, nonce, sigUser);
      const { exit } = view;
      if (view.session !== known.session || exit === undefined) return [];
      const channel = { ...known, ledgers: view.ledgers, exit };
      const answer = await this.#answerTo(channel, exit);
      log.warn(`exit of ${user} with nonce ${exit.nonce}${answer === undefined ? "" : ": a newer state is shown"}`);
      const threads = await store.threads.openIn(user);
      await channels.save(channel, (tx) => {
        for (const hash of before.threads) {
          if (!channel.threads.includes(hash)) store.threads.endLeg(tx, hash, user, "closed"); // by what the user shows
        }
        if (answer !== undefined) outgoing.enqueue(tx, answer);
        const about = { event: name, nonce: exit.nonce.toString(), deadline: deadline.toString() };
        pushes.keep(tx, user, { kind: "dispute", ...about });
        for (const row of threads) this.#tellParty(tx, row, user);
      });
      return [user, ...threads.map((row) => otherParty(row, user))];
    });
    outgoing.wake();
    for (const each of new Set(told)) pushes.flush(each);
  }

  /** Weighs running exits again: fees fall, and what the hub holds changes when a user shows it something. */
  async answerRunning(): Promise<void> {
    const { store, channels, lanes } = this.#deps;
    const users = await store.channels.exiting(this.#lastWeighed, EXITS_AT_A_TIME);
    this.#lastWeighed = users.length < EXITS_AT_A_TIME ? undefined : users.at(-1);
    for (const user of users) {
      await lanes.run([user], async () => {
        const channel = await channels.load(user);
        const { exit, doubleSigned } = channel;
        if (exit === undefined || doubleSigned === undefined) return;
        if (await this.#isKnown(idOf("challenge", doubleSigned.state))) return;
        const answer = await this.#answerTo(channel, exit);
        if (answer !== undefined) await this.#send(answer);
      });
    }
  }

  /** Settles exits whose window has passed, so that every channel goes on whoever is asleep. */
  async settleDue(): Promise<void> {
    const { store, clock, channels, channelManager, worth } = this.#deps;
    for (const user of await store.channels.exitsDue(BigInt(Math.floor(clock.now() / 1000)))) {
      const channel = await channels.load(user);
      const { session, exit } = channel;
      if (exit === undefined || (await this.#isKnown(idOf("settle", { user, session, nonce: exit.nonce })))) continue;
      const standing = await standingOf(this.#past, channel);
      if (standing === undefined || !isWorthSettling(standing, channel.ledgers, worth)) continue;
      await this.#send(settleCall(channelManager, standing));
    }
  }

  /**
   * Only with something strictly newer: a challenge with the same state would revert (H-10). And only where silence costs
   * the user anything, or the hub more than the gas (B-9).
   */
  async #answerTo(channel: Channel, exit: Exit): Promise<OutgoingRequest | undefined> {
    const { clock, worth, channelManager } = this.#deps;
    const { doubleSigned, ledgers } = channel;
    if (doubleSigned === undefined || doubleSigned.state.nonce <= exit.nonce) return undefined;
    if (BigInt(Math.floor(clock.now() / 1000)) >= exit.deadline) return undefined;
    const answer = challengeCall(channelManager, doubleSigned, exit.deadline);
    const standing = await this.#past.at(channel, exit.nonce);
    if (standing === undefined) return answer; // what cannot be weighed is answered
    const { hub, isUserHurt } = lossesBetween(standing.state, doubleSigned.state, ledgers);
    return isUserHurt || worth.isWorth(hub, CALL_GAS) ? answer : undefined;
  }

  /** The receiver of a thread should close by its evidence while its own channel still takes it. */
  #tellParty(tx: Transaction, row: ThreadRow, exiting: Address): void {
    const event = { kind: "thread", thread: wireThread(row) } as const;
    const wants = exiting === row.thread.sender ? ({ wants: "close" } as const) : {};
    this.#deps.pushes.keep(tx, otherParty(row, exiting), { ...event, ...wants });
  }

  async #isKnown(id: string): Promise<boolean> {
    return (await this.#deps.store.transactions.find(id)) !== undefined;
  }

  async #send(request: OutgoingRequest): Promise<void> {
    const { store, outgoing } = this.#deps;
    await store.database.write((tx) => outgoing.enqueue(tx, request));
    outgoing.wake();
  }
}
