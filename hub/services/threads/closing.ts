import {
  bestBalance,
  hubError,
  type Address,
  type SignedUpdate,
  type ThreadEvidenceContext,
  type WireSync,
} from "../../../protocol";
import type { ThreadNote, ThreadRow } from "../../store/thread-store";
import type { Channel } from "../channel";
import { asBusy } from "../channels";
import type { Draft } from "../drafts";
import { betterEvidence } from "./better-evidence";
import { draftClosing } from "./hub-closing";
import type { ThreadsDeps } from "./threads";
import { evidenceOf, wireThread } from "./view";

/** So many legs are closed in one go. */
const BATCH = 64;

/**
 * Takes threads out of channels, the receiver's leg first: what the hub pays there it can prove to the sender's side, so
 * that over both its net is never below zero. Source: docs/protocol.md "Threads".
 */
export class ThreadClosing {
  readonly #deps: ThreadsDeps;

  constructor(deps: ThreadsDeps) {
    this.#deps = deps;
  }

  /**
   * Whether the contract has decided, for ever, and so.
   * @throws ThreadDisputed while it has not, ThreadOutcomeUnproven for another outcome
   */
  async isDecidedByChain({ hash, thread }: ThreadRow, given: bigint): Promise<boolean> {
    const { head, final } = await this.#deps.readThread(hash, thread);
    if (head === undefined) return false;
    if (final === undefined) throw hubError("ThreadDisputed", { hash, deadline: head.deadline });
    const proven = final.balanceReceiver;
    if (given !== proven) throw hubError("ThreadOutcomeUnproven", { hash, proven, given });
    return true;
  }

  /** One leg alone, by what the contract has decided for both. */
  alone(row: ThreadRow, party: Address, update: SignedUpdate, outcome: bigint): Promise<WireSync> {
    const { lanes, channels } = this.#deps;
    return lanes.run([party], async () => {
      const draft = await channels.draftOfUser(await channels.load(party), [update]);
      return this.#commit(row, party, [draft], { outcome });
    });
  }

  /** The receiver's leg, and with it the sender's, if its channel takes it now. */
  receiver(row: ThreadRow, update: SignedUpdate, outcome: bigint, given: ThreadNote): Promise<WireSync> {
    const { lanes, channels } = this.#deps;
    const { sender, receiver } = row.thread;
    return lanes.run([sender, receiver], async () => {
      const better = betterEvidence(row, given, this.#context());
      const proven = bestBalance(evidenceOf({ ...row, ...better }), this.#context());
      if (outcome > proven) throw hubError("ThreadOutcomeUnproven", { hash: row.hash, proven, given: outcome });
      const own = await channels.draftOfUser(await channels.load(receiver), [update]);
      const others = draftClosing(channels, row, await channels.load(sender), outcome);
      return this.#commit(row, receiver, others === undefined ? [own] : [own, others], { ...better, outcome });
    });
  }

  /** The hub signs first where a sender's channel could not take the closing with the receiver's. */
  async finish(): Promise<void> {
    const { lanes, channels, store } = this.#deps;
    for (const { hash, thread, status } of await store.threads.unfinished(BATCH)) {
      if (status !== "receiverClosed") continue;
      await lanes.run([thread.sender], async () => {
        const row = await store.threads.load(hash);
        if (row?.status !== "receiverClosed" || row.outcome === undefined) return;
        const draft = draftClosing(channels, row, await channels.load(thread.sender), row.outcome);
        if (draft !== undefined) await channels.commit([draft]);
      });
    }
  }

  async #commit(row: ThreadRow, party: Address, drafts: readonly Draft[], note: ThreadNote): Promise<WireSync> {
    const { channels, lanes, pushes, store } = this.#deps;
    const { sender, receiver } = row.thread;
    const told = party === sender ? receiver : sender;
    const committed = await channels
      .commit(drafts, (tx) => {
        store.threads.note(tx, row.hash, note);
        pushes.keep(tx, told, { kind: "thread", thread: wireThread({ ...row, ...note }) });
      })
      .catch((error: unknown) => {
        throw asBusy(error, party);
      });
    lanes.endPrecedence(party);
    pushes.flush(told);
    return channels.sync(committed.get(party) as Channel);
  }

  #context(): ThreadEvidenceContext {
    const { domain, challengePeriodSeconds, apps } = this.#deps;
    return { domain, challengePeriodSeconds, apps };
  }
}
