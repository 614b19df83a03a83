import {
  advance,
  formatState,
  formatUpdate,
  hashState,
  hubError,
  isProtocolError,
  next,
  protocolError,
  type Address,
  type ArgsByReason,
  type ChannelState,
  type Domain,
  type Hash,
  type Signature,
  type SignedUpdate,
  type Side,
  type Update,
  type UpdateContext,
  type WireSync,
} from "../../protocol";
import { CodedError } from "../../protocol/coded-error";
import type { Clock } from "../clock";
import type { HubSigner } from "../signer/hub-signer";
import type { DoubleSigned } from "../store/channel-store";
import { ConflictError, type Transaction } from "../store/database";
import type { Store } from "../store/store";
import {
  balancesOf,
  baseOf,
  loadChannel,
  MAX_UNCOUNTERSIGNED,
  newChannel,
  newestOf,
  type Channel,
  type Pending,
} from "./channel";
import { countersign, draftCountersigned, draftOfHub, requireUserSignature, type Draft } from "./drafts";
import type { Incidents } from "./incidents";
import type { Lanes } from "./lanes";
import type { Pushes } from "./pushes";

export interface ChannelsDeps {
  readonly store: Store;
  readonly signer: HubSigner;
  readonly domain: Domain;
  /** Assets that this hub serves. */
  readonly assets: ReadonlySet<Address>;
  readonly lanes: Lanes;
  readonly pushes: Pushes;
  readonly incidents: Incidents;
  readonly clock: Clock;
  /** @throws ViewTooOld */
  readonly requireFreshView: () => void;
  /** The database was put back to an older copy at some time. */
  readonly isRestored: boolean;
}

/** Channels in memory at a time; the rest is on disk. */
const CACHED_CHANNELS = 10_000;

/** After a restore, nonces go on this far above everything that anybody has shown. */
const NONCES_AFTER_RESTORE = 1_000n;

/** The threads that are open in a state which its user shows: their hashes, and what is to be kept of them. */
export interface ShownThreads {
  readonly hashes: readonly Hash[];
  readonly write: (tx: Transaction) => void;
}

type HubReason = "Deposit" | "Payment" | "Withdrawal" | "CloseThread";

/**
 * The channels of the hub: what both sides sign next, and nothing about why. Every method that takes a `Channel` expects
 * its lane to be held (`lanes`) since it was loaded.
 * Order of every step: check → draft → sign (its nonce on disk first) → commit → memory → push.
 */
export class Channels {
  readonly #deps: ChannelsDeps;
  readonly #cache = new Map<Address, Channel>();

  constructor(deps: ChannelsDeps) {
    this.#deps = deps;
  }

  /** The channel, or an untouched one. */
  async load(user: Address): Promise<Channel> {
    const known = this.#cache.get(user);
    if (known !== undefined) return known;
    const { signer, store, isRestored } = this.#deps;
    const found =
      (await loadChannel(store.channels, user)) ?? newChannel(user, 0n, isRestored && signer.last(user) !== undefined);
    this.#remember(found);
    return found;
  }

  /** What the user must have to come level. Marks everything in it as seen, on disk, first. */
  async sync(channel: Channel, after = 0n): Promise<WireSync> {
    const delivered = await this.#deliver(channel);
    return this.syncOf(delivered, await this.#historyAfter(delivered, after));
  }

  /** The sync of a channel whose waiting updates are all marked as delivered. */
  syncOf(channel: Channel, history: readonly SignedUpdate[] = []): WireSync {
    const { session, doubleSigned, threads, exit } = channel;
    const waiting = channel.pending.map(({ update }) => update);
    return {
      session: session.toString(),
      ...(doubleSigned === undefined
        ? {}
        : { doubleSigned: { ...doubleSigned, state: formatState(doubleSigned.state) } }),
      ...(threads.length === 0 ? {} : { threads: [...threads] }),
      updates: [...history, ...waiting].map(formatUpdate),
      nonceFloor: this.nonceFloor(channel).toString(),
      ...(exit === undefined ? {} : { exit: { nonce: exit.nonce.toString(), deadline: exit.deadline.toString() } }),
      ...(channel.needsProof ? { mustProve: true } : {}),
    };
  }

  /** The highest nonce that the hub has seen or signed here. */
  nonceFloor(channel: Channel): bigint {
    const { nonce } = newestOf(channel);
    const signed = this.#deps.signer.last(channel.user)?.nonce ?? 0n;
    return signed > nonce ? signed : nonce;
  }

  /**
   * Takes updates that the user signed first, in order, for the hub to countersign.
   * @throws OutOfSync with `details.sync`, what `check` returns, InvalidSignature, AssetUnknown, and what
   * `requireSignable` throws.
   */
  async draftOfUser(channel: Channel, updates: readonly SignedUpdate[]): Promise<Draft> {
    this.#requireSignable(channel);
    if (channel.needsProof) throw await this.outOfSync(channel, hubError("MustSyncFirst", {}));
    let state = newestOf(channel);
    for (const update of updates) {
      this.#requireKnownAssets(update);
      state = await this.#advanceOfUser(channel, state, update);
      requireUserSignature(channel, update, state, this.#deps.domain);
    }
    return draftCountersigned(channel, updates, state);
  }

  /**
   * Makes the next update of the hub.
   * @throws ReceiverBusy, what `check` returns, and what `requireSignable` throws.
   */
  draftOfHub<Reason extends HubReason>(channel: Channel, reason: Reason, args: ArgsByReason[Reason]): Draft {
    this.#requireSignable(channel);
    if (channel.needsProof) throw hubError("ReceiverBusy", { payee: channel.user });
    const isDelivered = this.#deps.pushes.isConnected(channel.user);
    const nonce = this.nonceFloor(channel) + 1n;
    const folded = foldInto(channel, reason, args);
    const previousState = folded === undefined ? newestOf(channel) : stateBefore(channel);
    const previous = hashState(previousState);
    const update = { reason, args: folded?.args ?? args, nonce, previous } as Update;
    if (folded === undefined && channel.pending.length >= MAX_UNCOUNTERSIGNED) {
      throw hubError("ReceiverBusy", { payee: channel.user });
    }
    const state = advance(previousState, update, this.#context(channel, "hub", nonce - 1n));
    return draftOfHub(channel, update, state, isDelivered, folded?.replaced);
  }

  /**
   * Signs drafts and commits them with whatever else belongs to the same step: all of it or nothing. Then tells the
   * users, who see nothing that is not on disk.
   * @returns The channels as they are now.
   * @throws ConflictError if the database refuses.
   */
  async commit(
    drafts: readonly Draft[],
    also: (tx: Transaction, after: ReadonlyMap<Address, Channel>) => void = () => undefined,
  ): Promise<ReadonlyMap<Address, Channel>> {
    const { signer, store, pushes } = this.#deps;
    const signatures = drafts.length === 0 ? [] : await signer.signStates(drafts);
    const channels = new Map<Address, Channel>();
    for (const { user } of drafts) channels.set(user, await this.load(user));
    const steps = drafts.map((draft, i) => {
      const before = channels.get(draft.user) as Channel;
      const sigHub = signatures[i] as Signature;
      const after = draft.after(before, sigHub);
      channels.set(draft.user, after);
      return { draft, before, after, sigHub };
    });
    await store.database.write((tx) => {
      for (const { draft, before, after, sigHub } of steps) {
        draft.write(tx, store.channels, before, sigHub);
        this.#endLegs(tx, before, after);
      }
      also(tx, channels);
    });
    if (drafts.length > 0) signer.noteCommitted();
    for (const channel of channels.values()) this.#adopt(channel);
    for (const { user, isCountersignature } of drafts) {
      if (!isCountersignature && pushes.isConnected(user)) this.tell(channels.get(user) as Channel);
    }
    return channels;
  }

  /** Pushes what waits for a connected user. */
  tell(channel: Channel): void {
    if (channel.pending.some(({ isDelivered }) => !isDelivered)) return; // it was not there; it will ask
    this.#deps.pushes.tell(channel.user, { kind: "sync", sync: this.syncOf(channel) });
  }

  /** Stores what both have signed now that the user countersigned. @throws InvalidSignature */
  async acceptCountersignature(
    channel: Channel,
    update: SignedUpdate,
    also: (tx: Transaction, after: Channel) => void,
  ): Promise<Channel> {
    const { store, domain, signer } = this.#deps;
    const sigUser = update.sigUser ?? "0x";
    const after = countersign(channel, update.nonce, sigUser, domain);
    await store.database.write((tx) => {
      store.channels.countersign(tx, channel.user, channel.session, update.nonce, sigUser);
      store.channels.save(tx, after);
      this.#endLegs(tx, channel, after);
      also(tx, after);
    });
    signer.noteCommitted();
    return this.#adopt(after);
  }

  /**
   * Takes over a state that both signed and the hub had forgotten, or hears from the user that there is none. From here on
   * nonces are far above everything that anybody has shown, in the signer's own record too.
   */
  async adoptShown(channel: Channel, shown: DoubleSigned | undefined, open: ShownThreads): Promise<Channel> {
    const { store, signer } = this.#deps;
    const base = shown === undefined || shown.state.nonce <= baseOf(channel).nonce ? undefined : shown;
    const pending = base === undefined ? channel.pending : [];
    const after: Channel = { ...channel, needsProof: false, version: channel.version + 1n, pending };
    const adopted = base === undefined ? after : { ...after, doubleSigned: base, threads: open.hashes };
    const floor = this.nonceFloor(adopted);
    await signer.raise(channel.user, floor + NONCES_AFTER_RESTORE);
    await store.database.write((tx) => {
      if (base !== undefined) store.channels.deleteAfter(tx, channel.user, channel.session, base.state.nonce);
      if (base !== undefined) open.write(tx);
      store.channels.save(tx, adopted);
    });
    return this.#adopt(adopted);
  }

  /** Stores a change of what is known about the channel (chain, exit, proof), which needs no signature. */
  async save(channel: Channel, also: (tx: Transaction) => void = () => undefined): Promise<Channel> {
    const after = { ...channel, version: channel.version + 1n };
    await this.#deps.store.database.write((tx) => {
      this.#deps.store.channels.save(tx, after);
      also(tx);
    });
    return this.#adopt(after);
  }

  /** The hub's balance that the next payment or reclaim may use: what refunds could still need is not among it. */
  async available(channel: Channel, asset: Address): Promise<bigint> {
    const { hub } = balancesOf(channel, asset);
    const reserved = await this.#deps.store.payments.reservedIn(channel.user, channel.session, asset);
    return hub > reserved ? hub - reserved : 0n;
  }

  /** A conflict that the user can mend by coming level: the error carries the sync. */
  async outOfSync(channel: Channel, cause: CodedError): Promise<CodedError> {
    this.#deps.lanes.giveUserPrecedence(channel.user);
    const sync = await this.sync(channel);
    return new CodedError(cause.code, cause.message, { ...cause.details, sync }, cause);
  }

  /** A thread that is in no state of both any more has ended in this channel, whoever signed that first. */
  #endLegs(tx: Transaction, before: Channel, after: Channel): void {
    for (const hash of before.threads) {
      if (!after.threads.includes(hash)) this.#deps.store.threads.endLeg(tx, hash, after.user, "closed");
    }
  }

  /** @throws ChannelIsExiting, ViewTooOld */
  #requireSignable(channel: Channel): void {
    const { user, exit } = channel;
    if (exit !== undefined) throw hubError("ChannelIsExiting", { user, deadline: exit.deadline });
    this.#deps.requireFreshView();
  }

  async #advanceOfUser(channel: Channel, state: ChannelState, update: SignedUpdate): Promise<ChannelState> {
    try {
      return advance(state, update, this.#context(channel, "user", this.#floorFor(channel, state, update)));
    } catch (error) {
      if (isProtocolError(error, "OutOfSync") || isProtocolError(error, "NonceTooLow")) {
        throw await this.outOfSync(channel, error);
      }
      if (isProtocolError(error, "WrongAuthor")) await this.#deps.incidents.report("wrong-author", channel.user, error);
      throw error;
    }
  }

  /** What was signed and then cut off by a crash may be signed again, word for word. */
  #floorFor(channel: Channel, state: ChannelState, update: Update): bigint {
    const last = this.#deps.signer.last(channel.user);
    if (last === undefined) return 0n;
    if (last.nonce !== update.nonce) return last.nonce;
    try {
      return last.hash === hashState(next(state, update)) ? last.nonce - 1n : last.nonce;
    } catch {
      return last.nonce; // there is no such state; `advance` says why
    }
  }

  #context(channel: Channel, author: Side, nonceFloor: bigint): UpdateContext {
    const { domain, signer, clock } = this.#deps;
    const { session, ledgers } = channel;
    const nowSeconds = BigInt(Math.floor(clock.now() / 1000));
    return { domain, hub: signer.address, session, ledgers, author, nonceFloor, nowSeconds };
  }

  #requireKnownAssets({ reason, args }: SignedUpdate): void {
    const assets =
      reason === "Exchange"
        ? [args.sellAsset, args.buyAsset]
        : "thread" in args
          ? [args.thread.asset]
          : "asset" in args
            ? [args.asset]
            : [];
    for (const asset of assets) if (!this.#deps.assets.has(asset)) throw hubError("AssetUnknown", { asset });
  }

  async #historyAfter(channel: Channel, after: bigint): Promise<readonly SignedUpdate[]> {
    const base = baseOf(channel).nonce;
    if (after === 0n || after >= base) return [];
    const rows = await this.#deps.store.channels.updatesAfter(
      channel.user,
      channel.session,
      after,
      MAX_UNCOUNTERSIGNED,
    );
    return rows.map(({ update }) => update).filter(({ nonce }) => nonce <= base);
  }

  async #deliver(channel: Channel): Promise<Channel> {
    if (channel.pending.every(({ isDelivered }) => isDelivered)) return channel;
    const { store } = this.#deps;
    await store.database.write((tx) => store.channels.markDelivered(tx, channel.user, channel.session));
    return this.#adopt({ ...channel, pending: channel.pending.map((each) => ({ ...each, isDelivered: true })) });
  }

  #adopt(channel: Channel): Channel {
    this.#cache.delete(channel.user);
    this.#remember(channel);
    return channel;
  }

  /** The oldest goes first: a map keeps the order of insertion. */
  #remember(channel: Channel): void {
    this.#cache.set(channel.user, channel);
    if (this.#cache.size <= CACHED_CHANNELS) return;
    const oldest = this.#cache.keys().next();
    if (oldest.done !== true) this.#cache.delete(oldest.value);
  }
}

/** Payments that wait for a user who is away become one update, as long as the user cannot have seen the one before. */
function foldInto(
  channel: Channel,
  reason: HubReason,
  args: ArgsByReason[HubReason],
): { readonly replaced: Pending; readonly args: ArgsByReason["Payment"] } | undefined {
  const last = channel.pending.at(-1);
  if (reason !== "Payment" || last === undefined || last.isDelivered || last.update.reason !== "Payment")
    return undefined;
  const [old, added] = [last.update.args, args as ArgsByReason["Payment"]];
  const payments = [...old.payments, ...added.payments];
  if (old.asset !== added.asset || payments.length > MAX_UNCOUNTERSIGNED) return undefined;
  return { replaced: last, args: { ...added, amount: old.amount + added.amount, payments } };
}

function stateBefore(channel: Channel): ChannelState {
  return channel.pending.at(-2)?.state ?? baseOf(channel);
}

/** A refused write that lost a race is a moment's matter, not a bug. */
export function asBusy(error: unknown, user: Address): Error {
  if (error instanceof ConflictError) return hubError("ChannelBusy", { user }, error);
  return error instanceof Error
    ? error
    : protocolError("InvalidValue", { path: "error", expected: "an error", given: error });
}
