import {
  checkOffChainTerms,
  checkSignature,
  hashThread,
  hashThreadUpdate,
  hubError,
  parseThreadUpdate,
  protocolError,
  threadSum,
  ZERO_ADDRESS,
  type Address,
  type ChannelState,
  type Domain,
  type Hash,
  type PureApps,
  type Signature,
  type SignedUpdate,
  type Thread,
  type ThreadEvidence,
  type UpdateOf,
  type WireSync,
  type WireThreadProposal,
} from "../../../protocol";
import type { ThreadView } from "../../../protocol/chain/thread-record";
import type { Clock } from "../../clock";
import type { AssetConfig } from "../../config";
import type { HubSigner } from "../../signer/hub-signer";
import type { Store } from "../../store/store";
import type { ThreadNote, ThreadRow } from "../../store/thread-store";
import { balancesOf, type Channel } from "../channel";
import { asBusy, type Channels, type ShownThreads } from "../channels";
import type { Collateral } from "../collateral";
import type { Lanes } from "../lanes";
import type { Pushes } from "../pushes";
import { betterEvidence } from "./better-evidence";
import { ThreadClosing } from "./closing";
import { Meetings } from "./meetings";
import { PartyError, signBothLegs } from "./both-legs";
import { ThreadOpening } from "./opening";
import { shownThreads } from "./shown";
import { legOf, otherParty, wireThread } from "./view";

export interface ThreadsDeps {
  readonly store: Store;
  readonly channels: Channels;
  readonly collateral: Collateral;
  readonly lanes: Lanes;
  readonly pushes: Pushes;
  readonly signer: HubSigner;
  readonly domain: Domain;
  readonly clock: Clock;
  readonly assets: ReadonlyMap<Address, AssetConfig>;
  readonly challengePeriodSeconds: bigint;
  /** How long the party that comes first waits for the other one. */
  readonly meetingMs: number;
  /** Prebuilt apps of this chain, whose outcomes the hub computes itself. */
  readonly apps: PureApps;
  /** What the chain says of a thread: at head, and, as deep as this hub asks, whether that is final. */
  readonly readThread: (hash: Hash, thread: Thread) => Promise<ThreadView>;
  readonly hasCode: (address: Address) => Promise<boolean>;
}

/** Terms that a sender has offered and that are not open yet, at most. */
const MAX_OFFERED = 64;

type PartyUpdate = UpdateOf<"OpenThread"> | UpdateOf<"CloseThread">;

/**
 * Threads between two users: the hub stands between the legs and is never the one who decides. It signs neither leg of an
 * opening before it has both, and closes the receiver's before the sender's. Source: docs/protocol.md "Threads".
 */
export class Threads {
  readonly #deps: ThreadsDeps;
  readonly #meetings: Meetings;
  readonly #opening: ThreadOpening;
  readonly #closing: ThreadClosing;

  constructor(deps: ThreadsDeps) {
    this.#deps = deps;
    this.#meetings = new Meetings(deps.meetingMs);
    this.#opening = new ThreadOpening(deps);
    this.#closing = new ThreadClosing(deps);
  }

  /** A thread of this party. @throws ThreadUnknown */
  async find(hash: Hash, party: Address): Promise<ThreadRow> {
    const row = await this.#deps.store.threads.load(hash);
    if (row?.thread.sender !== party && row?.thread.receiver !== party) throw hubError("ThreadUnknown", { hash });
    return row;
  }

  list(user: Address, limit: number): Promise<readonly ThreadRow[]> {
    return this.#deps.store.threads.of(user, limit);
  }

  /**
   * Keeps terms that their sender has signed, and tells the receiver. Again with the same terms: what became of them.
   * @throws InvalidThread, InvalidSignature, AssetUnknown, AmountTooSmall, BalanceTooLow, ThreadLimit
   */
  async propose(sender: Address, thread: Thread, sigSender: Signature): Promise<ThreadRow> {
    const { lanes, store } = this.#deps;
    if (thread.sender !== sender) throw hubError("NotYours", { user: thread.sender });
    const hash = hashThread(thread);
    const known = await store.threads.load(hash);
    if (known !== undefined) return known;
    await this.#requireTerms(thread, hash, sigSender);
    return lanes.run([sender], async () => {
      await this.#requireFunded(thread);
      const createdAtMs = this.#deps.clock.now();
      const legs = { senderLeg: "none", receiverLeg: "none" } as const;
      const row: ThreadRow = { hash, thread, sigSender, status: "proposed", ...legs, createdAtMs };
      await this.#write([thread.receiver], row, (tx) => store.threads.insert(tx, row));
      return row;
    });
  }

  /** The receiver has signed the terms. @throws ThreadUnknown, ThreadNotReady, InvalidSignature */
  async accept(receiver: Address, hash: Hash, sigReceiver: Signature): Promise<ThreadRow> {
    const { lanes, store, domain } = this.#deps;
    return lanes.run([receiver], async () => {
      const row = await this.find(hash, receiver);
      if (row.thread.receiver !== receiver) throw hubError("NotYours", { user: row.thread.receiver });
      if (row.sigReceiver !== undefined) return row;
      if (row.status !== "proposed") throw hubError("ThreadNotReady", { hash, status: row.status, needed: "proposed" });
      const wrong = checkSignature(receiver, hash, sigReceiver, domain);
      if (wrong) throw wrong;
      const after: ThreadRow = { ...row, sigReceiver, status: "accepted" };
      await this.#write([row.thread.sender], after, (tx) => store.threads.accept(tx, hash, sigReceiver));
      return after;
    });
  }

  /** Gives up what was not opened. @throws ThreadUnknown, ThreadNotReady */
  async decline(party: Address, hash: Hash): Promise<ThreadRow> {
    const { lanes, store } = this.#deps;
    const { thread } = await this.find(hash, party);
    return lanes.run([thread.sender, thread.receiver], async () => {
      const row = await this.find(hash, party);
      if (row.status === "void") return row;
      if (row.senderLeg !== "none") {
        throw hubError("ThreadNotReady", { hash, status: row.status, needed: "proposed or accepted" });
      }
      const after: ThreadRow = { ...row, status: "void" };
      await this.#write([otherParty(row, party)], after, (tx) => store.threads.void(tx, hash));
      return after;
    });
  }

  /**
   * A party's signed leg. Answered once the other party's is here too and both channels have the leaf.
   * @throws ThreadUnknown, ThreadNotReady, ThreadNotJoined, InsufficientCollateral, and what `draftOfUser` throws
   */
  async open(party: Address, hash: Hash, update: SignedUpdate): Promise<WireSync> {
    const row = await this.find(hash, party);
    requireAbout(update, "OpenThread", hash);
    if (legOf(row, party) === "open") return this.#syncOf(party); // a retry
    await this.#opening.require(row);
    return this.#meet("open", row, party, update);
  }

  /**
   * A party's signed closing: the receiver's on evidence, either one's by the chain's final record, and of an updatable
   * thread both at once.
   * @throws ThreadUnknown, ThreadNotReady, ThreadDisputed, ThreadReceiverFirst, ThreadOutcomeUnproven, ThreadNotJoined,
   * what is wrong with the evidence, and what `draftOfUser` throws
   */
  async close(party: Address, hash: Hash, update: SignedUpdate, given: ThreadNote): Promise<WireSync> {
    const row = await this.find(hash, party);
    const { balanceReceiver } = requireAbout(update, "CloseThread", hash);
    const leg = legOf(row, party);
    if (leg === "closed" || leg === "settled") return this.#syncOf(party); // a retry
    if (leg !== "open") throw hubError("ThreadNotReady", { hash, status: row.status, needed: "open" });
    if (await this.#closing.isDecidedByChain(row, balanceReceiver)) {
      return this.#closing.alone(row, party, update, balanceReceiver);
    }
    if (row.thread.updatable) return this.#meet("close", row, party, update);
    if (party === row.thread.sender) throw hubError("ThreadReceiverFirst", { hash });
    return this.#closing.receiver(row, update, balanceReceiver, given);
  }

  /**
   * The threads that are open in a state which a user shows, for a hub that was restored from an older copy. What became
   * of a leg after that copy the hub cannot know: the other party's state says.
   * @throws ThreadNotInRoot if they are not what the state's root is made of, and what is wrong with one of them
   */
  async shownIn(
    channel: Channel,
    state: ChannelState | undefined,
    shown: readonly ThreadEvidence[],
  ): Promise<ShownThreads> {
    return shownThreads(channel, state, shown, this.#deps);
  }

  /** Closes senders' legs that could not be closed with the receivers'. */
  finishClosings(): Promise<void> {
    return this.#closing.finish();
  }

  /**
   * Keeps newer evidence of a party, for the other one and for the hub's own defence.
   * @throws ThreadUnknown, ThreadNotReady, and what is wrong with the evidence
   */
  async show(party: Address, hash: Hash, given: ThreadNote): Promise<ThreadRow> {
    const { lanes, store } = this.#deps;
    return lanes.run([party], async () => {
      const row = await this.find(hash, party);
      const better = betterEvidence(row, given, this.#context());
      if (Object.keys(better).length === 0) return row;
      const after = { ...row, ...better };
      await this.#write([otherParty(row, party)], after, (tx) => store.threads.note(tx, hash, better));
      return after;
    });
  }

  /** Passes a half-signed update on to the other party. @throws ThreadUnknown, InvalidSignature */
  async pass(party: Address, hash: Hash, proposal: WireThreadProposal): Promise<ThreadRow> {
    const { store, pushes, domain } = this.#deps;
    const row = await this.find(hash, party);
    const update = parseThreadUpdate(proposal.update, "body.update");
    const signature = proposal.signature.toLowerCase() as Signature;
    const wrong = checkSignature(party, hashThreadUpdate(update), signature, domain);
    if (wrong) throw wrong;
    const other = otherParty(row, party);
    await store.database.write((tx) => pushes.keep(tx, other, { kind: "thread", thread: wireThread(row), proposal }));
    pushes.flush(other);
    return row;
  }

  /** Asks the other party to close. */
  async requestClose(party: Address, hash: Hash): Promise<ThreadRow> {
    const { store, pushes } = this.#deps;
    const row = await this.find(hash, party);
    if (row.status !== "open") throw hubError("ThreadNotReady", { hash, status: row.status, needed: "open" });
    const other = otherParty(row, party);
    await store.database.write((tx) =>
      pushes.keep(tx, other, { kind: "thread", thread: wireThread(row), wants: "close" }),
    );
    pushes.flush(other);
    return row;
  }

  /** Whoever waits for the other party is told to try again. */
  stop(): void {
    this.#meetings.close();
  }

  /** Whoever comes first waits; whoever comes second signs for both. Each hears of its own mistakes alone. */
  async #meet(kind: "open" | "close", row: ThreadRow, party: Address, update: SignedUpdate): Promise<WireSync> {
    const key = `${kind}:${row.hash}`;
    const other = this.#meetings.take(key, party);
    if (other === undefined) {
      this.#deps.pushes.tell(otherParty(row, party), { kind: "thread", thread: wireThread(row), wants: kind });
      return this.#meetings.wait(key, row.hash, party, update);
    }
    try {
      const [own, others] = [{ user: party, update }, other];
      const syncs = await signBothLegs(kind, row, own, others, this.#deps);
      other.resolve(syncs.get(other.user) as WireSync);
      return syncs.get(party) as WireSync;
    } catch (error) {
      if (!(error instanceof PartyError)) {
        other.reject(error);
        throw error;
      }
      if (error.user === party) {
        this.#meetings.putBack(key, other);
        throw error.reason;
      }
      other.reject(error.reason);
      return this.#meetings.wait(key, row.hash, party, update);
    }
  }

  async #requireTerms(thread: Thread, hash: Hash, sigSender: Signature): Promise<void> {
    const { domain, clock, signer, assets, hasCode } = this.#deps;
    const nowSeconds = BigInt(Math.floor(clock.now() / 1000));
    const wrong =
      checkOffChainTerms(thread, { domain, hub: signer.address, nowSeconds }) ??
      checkSignature(thread.sender, hash, sigSender, domain);
    if (wrong) throw wrong;
    const config = assets.get(thread.asset);
    if (config === undefined) throw hubError("AssetUnknown", { asset: thread.asset });
    const [amount, minimum] = [threadSum(thread), config.minimumPayment];
    if (amount < minimum) throw hubError("AmountTooSmall", { asset: thread.asset, amount, minimum });
    if (thread.app !== ZERO_ADDRESS && !(await hasCode(thread.app))) {
      throw hubError("ThreadLimit", { reason: `there is no contract at its app ${thread.app}` });
    }
  }

  /** Terms cost nothing to sign; only who could open the thread may fill the hub's memory with them. */
  async #requireFunded({ sender, asset, balanceSender }: Thread): Promise<void> {
    const { channels, store } = this.#deps;
    const { user: balance } = balancesOf(await channels.load(sender), asset);
    if (balance < balanceSender) {
      throw protocolError("BalanceTooLow", { side: "user", asset, balance, needed: balanceSender });
    }
    const offered = (await store.threads.of(sender, 200)).filter(
      ({ status, thread }) => thread.sender === sender && (status === "proposed" || status === "accepted"),
    );
    if (offered.length >= MAX_OFFERED) {
      throw hubError("ThreadLimit", { reason: `${MAX_OFFERED} of yours are offered and not open` });
    }
  }

  async #write(
    told: readonly Address[],
    row: ThreadRow,
    write: Parameters<Store["database"]["write"]>[0],
  ): Promise<void> {
    const { store, pushes } = this.#deps;
    await store.database
      .write((tx) => {
        write(tx);
        for (const user of told) pushes.keep(tx, user, { kind: "thread", thread: wireThread(row) });
      })
      .catch((error: unknown) => {
        throw asBusy(error, row.thread.sender);
      });
    for (const user of told) pushes.flush(user);
  }

  async #syncOf(user: Address): Promise<WireSync> {
    const { channels, lanes } = this.#deps;
    return lanes.run([user], async () => channels.sync(await channels.load(user)));
  }

  #context(): Parameters<typeof betterEvidence>[2] {
    const { domain, challengePeriodSeconds, apps } = this.#deps;
    return { domain, challengePeriodSeconds, apps };
  }
}

/** @throws InvalidValue unless the update does this to that thread */
function requireAbout<Reason extends PartyUpdate["reason"]>(
  update: SignedUpdate,
  reason: Reason,
  hash: Hash,
): UpdateOf<Reason>["args"] {
  const isAbout = update.reason === reason && hashThread((update.args as { readonly thread: Thread }).thread) === hash;
  if (isAbout) return update.args as UpdateOf<Reason>["args"];
  throw protocolError("InvalidValue", {
    path: "body.update",
    expected: `${reason} of thread ${hash}`,
    given: update.reason,
  });
}
