import {
  hashThreadUpdate,
  protocolError,
  threadSum,
  threadUpdateType,
  verifyThreadUpdate,
  type Hash,
  type Hex,
  type SignedThreadUpdate,
} from "../../protocol";
import type { Schedule } from "../schedule";
import type { Proposal } from "./peer-message";
import { requireLive } from "./standing";
import type { ThreadParts } from "./streaming";
import { peerOf, standingOf, type OwnThread } from "./own-thread";
import {
  contentOf,
  highestNonce,
  isOwed,
  offerOf,
  problemOf,
  type UpdatePolicy,
  type UpdateWish,
} from "./update-rules";
import { WaitingUpdates, type UpdateContent } from "./waiting-updates";

export interface UpdateDeps extends ThreadParts {
  readonly policy: UpdatePolicy;
  readonly schedule: Schedule;
  /** How long a proposal waits for the other party, ms. */
  readonly answerMs: number;
  readonly log: (line: string) => void;
}

/**
 * Updates that both parties of an updatable thread sign. Each signs one update per nonce, ever. If both propose at one
 * nonce the lower address gives way, and the other proposes again above. A refusal is a proposal too: what stands, signed
 * at a higher nonce, so that what was refused can never count.
 */
export class Updates {
  readonly #deps: UpdateDeps;
  readonly #waiting: WaitingUpdates;

  constructor(deps: UpdateDeps) {
    this.#deps = deps;
    this.#waiting = new WaitingUpdates(deps.schedule, deps.answerMs);
  }

  /**
   * Resolves when both have signed.
   * @throws ThreadUnknown, ThreadNotOpen, ThreadDisputed, UpdateNotAllowed, BalanceAboveSum, ThreadUpdateRefused,
   * ThreadUpdateOvertaken, TimedOut (the other party may still sign it)
   */
  async propose(hash: Hash, wish: UpdateWish): Promise<SignedThreadUpdate> {
    const { answer } = await this.#deps.turns.take(hash, async () => {
      const record = this.#updatable(hash);
      const content = contentOf(record, wish);
      const proposal = await this.#sign(record, content, wish.appState ?? undefined);
      const answer = this.#waiting.wait(hash, proposal.update.nonce, content, standingOf(record));
      await this.#offer(record, proposal);
      return { answer };
    });
    return answer;
  }

  /** Takes what the other party proposes: signs it, refuses it, or gives way. @throws what is wrong with it */
  receiveProposal(hash: Hash, proposal: Proposal): Promise<void> {
    return this.#deps.turns.take(hash, async () => {
      const { book, signer, domain } = this.#deps;
      const record = book.get(hash);
      const wrong = problemOf(record, proposal, { user: signer.address, domain });
      if (wrong !== undefined) throw wrong;
      const { nonce } = proposal.update;
      const own = record.ownUpdate?.update.nonce ?? 0n;
      if (nonce <= standingOf(record).nonce) return this.#show(record);
      return own >= nonce ? this.#collide(record, proposal) : this.#decide(record, proposal);
    });
  }

  /** Takes an update that both have signed. One that is not newer is no news. @throws what `verifyThreadUpdate` returns */
  receiveUpdate(hash: Hash, signed: SignedThreadUpdate): Promise<void> {
    return this.#deps.turns.take(hash, async () => {
      const { book, domain } = this.#deps;
      const record = book.get(hash);
      const { update, sigSender, sigReceiver } = signed;
      const standing = standingOf(record).nonce;
      if (update.nonce <= standing) return;
      const wrong = verifyThreadUpdate(record.thread, update, sigSender, sigReceiver, domain, standing);
      if (wrong !== undefined) throw wrong;
      await this.#agreed(record, signed);
    });
  }

  #updatable(hash: Hash): OwnThread {
    const record = this.#deps.book.get(hash);
    if (!record.thread.updatable) throw protocolError("UpdateNotAllowed", { threadHash: hash });
    requireLive(record);
    return record;
  }

  /** The other party has not seen what this side signed at this nonce or above. */
  async #collide(record: OwnThread, proposal: Proposal): Promise<void> {
    const { address } = this.#deps.signer;
    const { ownUpdate, hash } = record;
    if (ownUpdate === undefined) return;
    const { update: own, signature } = ownUpdate;
    if (hashThreadUpdate(own) === hashThreadUpdate(proposal.update)) return this.#complete(record, proposal);
    const isAhead = own.nonce > proposal.update.nonce;
    // The one who gives way shows what the other has to go above.
    if (isAhead || address < peerOf(record, address)) return this.#offer(record, { update: own, signature });
    const again = await this.#sign(record, own);
    this.#waiting.moved(hash, own.nonce, again.update.nonce);
    await this.#offer(record, again);
  }

  async #decide(record: OwnThread, proposal: Proposal): Promise<void> {
    requireLive(record);
    if (await this.#accepts(record, proposal)) return this.#complete(record, proposal);
    const refusal = await this.#sign(record, standingOf(record), undefined, proposal.update.nonce);
    await this.#show(record); // what stands here may be news to the other party
    await this.#offer(record, refusal);
  }

  async #accepts(record: OwnThread, proposal: Proposal): Promise<boolean> {
    const { signer, policy, log } = this.#deps;
    if (isOwed(record, proposal.update)) return true;
    try {
      return await policy(offerOf(record, proposal, signer.address));
    } catch (error) {
      log(`the policy for updates of thread ${record.hash} failed, which refuses this one: ${String(error)}`);
      return false;
    }
  }

  /** Signs what the other party has signed. */
  async #complete(record: OwnThread, { update, signature, appState }: Proposal): Promise<void> {
    const { book, signer, domain } = this.#deps;
    const { hash, thread } = record;
    const own = await signer.signStatement(threadUpdateType, update, domain);
    const [sigSender, sigReceiver] = thread.sender === signer.address ? [own, signature] : [signature, own];
    const appStates = withState(record, update.appStateHash, appState);
    await this.#agreed(
      { ...record, appStates, ownUpdate: { update, signature: own } },
      { update, sigSender, sigReceiver },
    );
    await this.#show(book.get(hash));
  }

  /** What an app was shown of the state before says nothing of this one. */
  async #agreed(before: OwnThread, update: SignedThreadUpdate): Promise<void> {
    const { book, events } = this.#deps;
    const own = withoutResolution({ ...before, update });
    await book.save(own);
    events.emit("thread", own);
    this.#waiting.agreed(own.hash, update);
  }

  /** Signs above everything that this side has signed or was shown; on disk before anybody sees it. */
  async #sign(record: OwnThread, content: UpdateContent, appState?: Hex, above = 0n): Promise<Proposal> {
    const { book, signer, domain } = this.#deps;
    const { hash, thread } = record;
    const { balanceReceiver, appStateHash } = content;
    const sum = threadSum(thread);
    if (balanceReceiver > sum) throw protocolError("BalanceAboveSum", { sum, given: balanceReceiver });
    const highest = highestNonce(record);
    const nonce = (highest > above ? highest : above) + 1n;
    const update = { threadHash: hash, nonce, balanceReceiver, appStateHash };
    const signature = await signer.signStatement(threadUpdateType, update, domain);
    await book.note(hash, { ownUpdate: { update, signature }, appStates: withState(record, appStateHash, appState) });
    return { update, signature };
  }

  async #offer({ hash }: OwnThread, { update, signature }: Proposal): Promise<void> {
    const { outbox, signer, book } = this.#deps;
    const record = book.get(hash);
    const appState = record.appStates[update.appStateHash];
    const proposal = { update, signature, ...(appState === undefined ? {} : { appState }) };
    await outbox.deliver(peerOf(record, signer.address), { threadHash: hash, proposal });
  }

  /** The newest that both have signed, for the other party. */
  async #show(record: OwnThread): Promise<void> {
    const { hash, update } = record;
    if (update === undefined) return;
    await this.#deps.outbox.deliver(peerOf(record, this.#deps.signer.address), { threadHash: hash, update });
  }
}

function withState(record: OwnThread, hash: Hash, appState: Hex | undefined): Readonly<Record<Hash, Hex>> {
  return appState === undefined ? record.appStates : { ...record.appStates, [hash]: appState };
}

function withoutResolution(own: OwnThread): OwnThread {
  const entries = Object.entries(own).filter(([name]) => name !== "resolution" && name !== "resolved");
  return Object.fromEntries(entries) as unknown as OwnThread;
}
