import {
  advance,
  formatState,
  formatUpdate,
  hashState,
  rowOf,
  ZERO_ADDRESS,
  type Address,
  type ArgsByReason,
  type ChannelState,
  type Domain,
  type Reason,
  type Signature,
  type SignedUpdate,
  type Update,
  type WirePurchase,
  type WireSync,
} from "../../protocol";
import { CodedError } from "../../protocol/coded-error";
import type { ChainClient, ClientView } from "../chain";
import { clientError, hasCode } from "../errors";
import type { HubConnection } from "../hub-connection";
import type { ClientSigner } from "../signer";
import type { ClientStore } from "../store";
import type { Events } from "./events";
import {
  baseOf,
  formatRecord,
  newestOf,
  newRecord,
  ownNonceAbove,
  parseRecord,
  type ChannelRecord,
  type Issued,
  type Purpose,
  type WithdrawalWish,
} from "./record";
import { parseDoubleSigned, reconcile, type ReconcileContext } from "./reconcile";

export interface EngineDeps {
  readonly store: ClientStore;
  readonly signer: ClientSigner;
  readonly hubAddress: Address;
  readonly domain: Domain;
  readonly assets: ReadonlySet<Address>;
  readonly hub: HubConnection;
  readonly chain: ChainClient;
  readonly events: Events;
  readonly challengePeriodSeconds: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: (line: string) => void;
  /** How long an unknown answer is asked for again before the caller hears of it. */
  readonly patienceMs: number;
}

/** One step that the user signs first. */
export type Step = { readonly [Name in Reason]: { readonly reason: Name; readonly args: ArgsByReason[Name] } }[Reason];

const RECORD_KEY = "channel";
const INCIDENT_PREFIX = "incident:";

/** Collisions with the hub in a row before the caller hears of it; the hub gives way long before. */
const MAX_COLLISIONS = 20;
const MAX_VIEW_AGE_SECONDS = 600;
const RETRY_MS = 300;

/** Accepts what the hub signed and voids what it refused: a payment of nothing. */
const EMPTY_PAYMENT: Step = {
  reason: "Payment",
  args: { recipient: "hub", asset: ZERO_ADDRESS, amount: 0n, payments: [] },
};

/**
 * The user's half of a channel: one step at a time, on disk before it is sent. Source: docs/protocol.md "Channel updates".
 */
export class Engine {
  readonly #deps: EngineDeps;
  #record: ChannelRecord;
  #view: ClientView;
  #queue: Promise<unknown> = Promise.resolve();
  #pushed: WireSync | undefined;
  #nonceFloor = 0n;
  #answered: WirePurchase | undefined;
  #isWaiting = false;
  #isStopped = false;

  private constructor(deps: EngineDeps, record: ChannelRecord, view: ClientView) {
    this.#deps = deps;
    this.#record = record;
    this.#view = view;
  }

  /** Opens the record, or begins one. Needs the chain, not the hub. */
  static async open(deps: EngineDeps): Promise<Engine> {
    const view = await deps.chain.view(deps.signer.address, [...deps.assets]);
    const stored = await deps.store.get(RECORD_KEY);
    const device = BigInt(Math.floor(deps.random() * 65_536));
    const record = stored === undefined ? newRecord(deps.signer.address, view.session, device) : parseRecord(stored);
    const engine = new Engine(deps, record, view);
    if (stored === undefined) await engine.#save(record);
    await engine.refreshView();
    return engine;
  }

  get record(): ChannelRecord {
    return this.#record;
  }

  get view(): ClientView {
    return this.#view;
  }

  get domain(): Domain {
    return this.#deps.domain;
  }

  /** The newest state, the hub's credits included. */
  get state(): ChannelState {
    return newestOf(this.#record);
  }

  /** Something that the hub signed waits for the chain: come level again after the next block. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Waits for what runs. */
  async idle(): Promise<void> {
    await this.#queue.catch(() => undefined);
  }

  /** Reads the chain; begins the next session when the last one was settled. */
  async refreshView(): Promise<ClientView> {
    const { chain, signer, assets, events } = this.#deps;
    const view = await chain.view(signer.address, [...assets]);
    const known = this.#view;
    this.#view = view;
    if (view.exit !== undefined && (view.exit.nonce !== known.exit?.nonce || known.exit === undefined)) {
      events.emit("dispute", { event: "Exit", nonce: view.exit.nonce, deadline: view.exit.deadline });
    }
    if (view.session > this.#record.session) await this.#beginSession(view.session);
    return view;
  }

  /** Comes level with the hub: takes what it may, countersigns, shows what the hub forgot, resends what is unanswered. */
  level(): Promise<void> {
    return this.#enqueue(() => this.#level());
  }

  /** A sync that the hub pushed. Of several that wait only the last one is looked at. */
  pushed(sync: WireSync): void {
    const isFirst = this.#pushed === undefined;
    this.#pushed = sync;
    if (!isFirst) return;
    void this.#enqueue(async () => {
      const latest = this.#pushed;
      this.#pushed = undefined;
      if (latest === undefined) return;
      // A push may have been made before the newest step was: only a fresh answer says that the hub is behind.
      const nonce = BigInt((latest.doubleSigned?.state as { nonce?: string } | undefined)?.nonce ?? 0);
      await (nonce < baseOf(this.#record).nonce ? this.#level() : this.#take(latest));
    }).catch((error: unknown) => this.#deps.log(`a push could not be taken: ${messageOf(error)}`));
  }

  /** Signs steps on top of the newest state and has the hub countersign them by `update`. @returns The state. */
  async propose(steps: readonly Step[]): Promise<ChannelState> {
    return this.#enqueue(async () => {
      await this.#settleIssued();
      return this.#propose(() => steps, { kind: "update" });
    });
  }

  /**
   * Pays for a purchase. A refusal is reported only once the signed payment is void.
   * @throws the hub's refusal; AnswerUnknown after `patienceMs`, the purchase then being resumed at the next start.
   */
  async purchase(
    request: Extract<Purpose, { kind: "purchase" }>["request"],
    steps: readonly Step[],
  ): Promise<WirePurchase> {
    return this.#enqueue(async () => {
      await this.#settleIssued();
      this.#answered = undefined;
      await this.#propose(() => steps, { kind: "purchase", request });
      const answered = this.#answered as WirePurchase | undefined;
      return answered ?? this.#deps.hub.call("getPurchase", { params: { id: request.id } });
    });
  }

  /** Remembers what its caller wants to withdraw, asks the hub, and countersigns exactly that. */
  async withdraw(wish: WithdrawalWish, ask: () => Promise<WireSync>): Promise<ChannelState> {
    return this.#enqueue(async () => {
      await this.#settleIssued();
      await this.#save({ ...this.#record, wish });
      const before = newestOf(this.#record);
      await this.#take(await ask());
      const { now, sleep, patienceMs } = this.#deps;
      const giveUpAt = now() + patienceMs;
      while (!withdrew(before, baseOf(this.#record))) {
        if (!this.#isWaiting || now() >= giveUpAt) {
          throw clientError("HubIncident", { reason: "it did not sign the withdrawal that was asked for" });
        }
        await sleep(RETRY_MS);
        await this.#level();
      }
      const { wish: _, ...rest } = this.#record;
      await this.#save(rest);
      return baseOf(this.#record);
    });
  }

  async incidents(): Promise<readonly string[]> {
    return (await this.#deps.store.list(INCIDENT_PREFIX)).map(([, value]) => value);
  }

  async #level(): Promise<void> {
    const { hub, signer } = this.#deps;
    const lastChanTx = baseOf(this.#record).nonce.toString();
    const sync = await hub.call("sync", { params: { user: signer.address }, query: { lastChanTx } });
    await this.#take(sync);
    await this.#settleIssued();
  }

  /** Verifies a sync, takes over what it may, and answers it. */
  async #take(sync: WireSync): Promise<void> {
    let given = sync;
    for (let round = 0; round < MAX_COLLISIONS; round++) {
      const result = await this.#reconcile(given);
      if (result.incident !== undefined) await this.#report(result.incident);
      if (result.waits) return;
      if (result.mustShow || given.mustProve === true) {
        given = await this.#show();
        continue;
      }
      if (this.#record.pending.length === 0 || !this.#canSign()) return;
      const answer = await this.#acknowledge();
      if (answer === undefined) return;
      given = answer;
      if (result.incident !== undefined) return;
    }
  }

  async #reconcile(sync: WireSync): Promise<ReturnType<typeof reconcile>> {
    let result = reconcile(this.#record, sync, this.#context());
    if (result.waits) {
      await this.refreshView();
      result = reconcile(this.#record, sync, this.#context());
    }
    this.#isWaiting = result.waits;
    const floor = BigInt(sync.nonceFloor);
    this.#nonceFloor = floor > this.#nonceFloor ? floor : this.#nonceFloor;
    const before = this.#record;
    if (result.record !== before) await this.#save(result.record);
    this.#announce(before, result.verified);
    return result;
  }

  /** The hub knows less than both have signed, or was restored: it is shown the newest. */
  async #show(): Promise<WireSync> {
    const { hub, signer } = this.#deps;
    const { doubleSigned } = this.#record;
    const shown =
      doubleSigned === undefined ? {} : { doubleSigned: { ...doubleSigned, state: formatState(doubleSigned.state) } };
    return hub.call("update", { params: { user: signer.address }, body: { updates: [], ...shown } });
  }

  /**
   * Signs what the hub has signed: the newest waiting update, if its nonce is above everything this side ever signed;
   * otherwise an empty payment on top.
   */
  async #acknowledge(): Promise<WireSync | undefined> {
    const { hub, signer, domain } = this.#deps;
    const newest = this.#record.pending.at(-1);
    if (newest === undefined) return undefined;
    const state = newestOf(this.#record);
    if (state.nonce <= this.#record.highestSigned) {
      await this.#propose(() => [EMPTY_PAYMENT], { kind: "update" });
      return undefined;
    }
    const sigUser = await signer.signState(state, domain);
    const updates = [{ ...newest, sigUser }];
    await this.#issue({ updates, state, sigUser, purpose: { kind: "update" } });
    return hub.call("update", { params: { user: signer.address }, body: { updates: updates.map(formatUpdate) } });
  }

  /** Whatever was signed before and never answered is asked for again, word for word, until it is in or void. */
  async #settleIssued(): Promise<void> {
    const last = this.#record.issued.at(-1);
    if (last === undefined) return;
    try {
      await this.#send(last);
    } catch (error) {
      if (hasCode(error, "AnswerUnknown", "HubUnreachable", "Stopped")) throw error;
      await this.#afterRefusal(error);
    }
  }

  async #propose(make: () => readonly Step[], purpose: Purpose): Promise<ChannelState> {
    this.#requireSignable();
    for (let collisions = 0; ; collisions++) {
      const issued = await this.#sign(make(), purpose);
      try {
        return await this.#sendPatiently(issued);
      } catch (error) {
        const isIn = this.#isAccepted(issued);
        if (isIn) return issued.state;
        if (!hasCode(error)) throw error;
        if (isUnknown(error)) throw error;
        const sync = syncOf(error);
        if (sync !== undefined && collisions < MAX_COLLISIONS) {
          await this.#takeForRebase(sync);
          if (this.#isAccepted(issued)) return issued.state;
          continue;
        }
        if (purpose.kind === "purchase" || issued.updates.length > 0) await this.#void(issued);
        if (this.#isAccepted(issued)) return issued.state;
        throw error;
      }
    }
  }

  /** After a collision: take what the hub signed, but do not sign it; the rebased update does. */
  async #takeForRebase(sync: WireSync): Promise<void> {
    const result = await this.#reconcile(sync);
    if (result.incident !== undefined) {
      await this.#report(result.incident);
      throw clientError("HubIncident", { reason: result.incident.message });
    }
    if (result.mustShow || sync.mustProve === true) await this.#take(sync);
    if (result.waits) await this.#deps.sleep(RETRY_MS);
  }

  /** What was refused must not count later: something above it is signed by both, without it. */
  async #void(refused: Issued): Promise<void> {
    const isEmpty = refused.updates.every(({ reason, args }) => reason === "Payment" && args.amount === 0n);
    if (isEmpty) return;
    await this.#propose(() => [EMPTY_PAYMENT], { kind: "update" });
  }

  async #afterRefusal(error: unknown): Promise<void> {
    const sync = syncOf(error);
    if (sync !== undefined) await this.#takeForRebase(sync);
    if (this.#record.issued.length > 0) await this.#propose(() => [EMPTY_PAYMENT], { kind: "update" });
  }

  /** Signs steps one on another; on disk before anybody sees them. */
  async #sign(steps: readonly Step[], purpose: Purpose): Promise<Issued> {
    const { signer, domain } = this.#deps;
    let state = newestOf(this.#record);
    let nonce = this.#nonceFloor;
    const updates: SignedUpdate[] = [];
    let sigUser: Signature = "0x";
    for (const { reason, args } of steps) {
      nonce = ownNonceAbove(this.#record, nonce, state.nonce);
      const update = { reason, args, nonce, previous: hashState(state) } as Update;
      state = advance(state, update, { ...this.#context(), author: "user", nonceFloor: this.#record.highestSigned });
      sigUser = await signer.signState(state, domain);
      updates.push({ ...update, sigUser });
    }
    const issued = { updates, state, sigUser, purpose };
    await this.#issue(issued);
    return issued;
  }

  async #issue(issued: Issued): Promise<void> {
    const { nonce } = issued.state;
    const highestSigned = nonce > this.#record.highestSigned ? nonce : this.#record.highestSigned;
    const others = this.#record.issued.filter(({ state }) => state.nonce !== nonce);
    await this.#save({ ...this.#record, issued: [...others, issued], highestSigned });
  }

  /** The same bytes again, until there is an answer or patience ends. */
  async #sendPatiently(issued: Issued): Promise<ChannelState> {
    const { now, sleep, patienceMs } = this.#deps;
    const giveUpAt = now() + patienceMs;
    for (;;) {
      try {
        return await this.#send(issued);
      } catch (error) {
        if (!isUnknown(error) || this.#isStopped || now() >= giveUpAt) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  /** @returns The state, now signed by both. */
  async #send(issued: Issued): Promise<ChannelState> {
    const { hub, signer } = this.#deps;
    const updates = issued.updates.map(formatUpdate);
    const { purpose } = issued;
    if (purpose.kind === "purchase") {
      const answer = await hub.call("purchase", { body: { ...purpose.request, updates } });
      if (answer.doubleSigned === undefined)
        throw clientError("AnswerUnknown", { operation: "purchase", reason: "no state" });
      this.#answered = answer;
      return this.#accept(issued, answer.doubleSigned);
    }
    const sync = await hub.call("update", { params: { user: signer.address }, body: { updates } });
    if (sync.doubleSigned !== undefined && !this.#isAccepted(issued)) return this.#accept(issued, sync.doubleSigned);
    return issued.state;
  }

  /** The hub's answer must hold what was signed, or something both signed on top of it. */
  async #accept(issued: Issued, wire: NonNullable<WireSync["doubleSigned"]>): Promise<ChannelState> {
    const shown = parseDoubleSigned(wire);
    if (hashState(shown.state) !== hashState(issued.state)) {
      const { hub, signer } = this.#deps;
      await this.#reconcile(await hub.call("sync", { params: { user: signer.address }, query: {} }));
      if (this.#isAccepted(issued) || baseOf(this.#record).nonce >= issued.state.nonce) return issued.state;
      throw clientError("AnswerUnknown", { operation: "update", reason: "the hub answered with another state" });
    }
    const sync: WireSync = {
      session: this.#record.session.toString(),
      doubleSigned: wire,
      updates: [],
      nonceFloor: this.#nonceFloor.toString(),
    };
    const result = await this.#reconcile(sync);
    if (result.incident !== undefined) throw clientError("HubIncident", { reason: result.incident.message });
    return issued.state;
  }

  #isAccepted({ state }: Issued): boolean {
    const signed = this.#record.doubleSigned;
    return signed !== undefined && hashState(signed.state) === hashState(state);
  }

  /** @throws Stopped, ChannelIsExiting's sentence of the protocol, ViewTooOld */
  #requireSignable(): void {
    if (this.#isStopped) throw clientError("Stopped", {});
    if (this.#canSign()) return;
    const { exit } = this.#view;
    const reason = exit === undefined ? "the newest block that this side sees is too old" : "the channel is exiting";
    throw new CodedError(
      exit === undefined ? "ViewTooOld" : "ChannelIsExiting",
      `Nothing is signed now: ${reason}. Why: who signs while blind or while a session is paid out can lose. ` +
        "What to do: wait for the chain; after a settlement the channel goes on by itself.",
      {},
    );
  }

  /** H-20: not while an exit runs, not while blind. */
  #canSign(): boolean {
    const { challengePeriodSeconds, now } = this.#deps;
    const limit = Math.min(MAX_VIEW_AGE_SECONDS, Math.floor(challengePeriodSeconds / 8));
    const age = Math.floor(now() / 1000) - this.#view.headTimestamp;
    return this.#view.exit === undefined && this.#view.session === this.#record.session && age <= limit;
  }

  #context(): ReconcileContext {
    const { domain, hubAddress, assets, now } = this.#deps;
    const { session, ledgers } = this.#view;
    return { domain, hub: hubAddress, session, ledgers, assets, nowSeconds: BigInt(Math.floor(now() / 1000)) };
  }

  async #beginSession(session: bigint): Promise<void> {
    const { doubleSigned: _, wish: __, ...rest } = this.#record;
    await this.#save({ ...rest, session, pending: [], issued: [] });
    this.#deps.events.emit("onStateChange", { state: baseOf(this.#record), isDoubleSigned: true });
  }

  async #save(record: ChannelRecord): Promise<void> {
    await this.#deps.store.write({ [RECORD_KEY]: formatRecord(record) });
    this.#record = record;
  }

  async #report(incident: CodedError): Promise<void> {
    const { store, events, now, log } = this.#deps;
    log(`incident: ${incident.message}`);
    const details = JSON.stringify({ code: incident.code, message: incident.message, atMs: now() });
    await store.write({ [`${INCIDENT_PREFIX}${String(now()).padStart(15, "0")}`]: details });
    events.emit("incident", incident);
  }

  #announce(before: ChannelRecord, verified: readonly SignedUpdate[]): void {
    const { events } = this.#deps;
    for (const update of verified) {
      if (update.reason === "Deposit") events.emit("deposit", update);
      if (update.reason === "Withdrawal") events.emit("withdrawal", update);
    }
    const [was, is] = [newestOf(before), newestOf(this.#record)];
    if (hashState(was) === hashState(is)) return;
    events.emit("onStateChange", { state: is, isDoubleSigned: this.#record.pending.length === 0 });
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.catch(() => undefined).then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

/** Whether any withdrawn counter is higher than it was. */
function withdrew(before: ChannelState, after: ChannelState): boolean {
  return after.assets.some(({ asset, withdrawnHub, withdrawnUser }) => {
    const row = rowOf(before, asset);
    return withdrawnHub > row.withdrawnHub || withdrawnUser > row.withdrawnUser;
  });
}

function isUnknown(error: unknown): boolean {
  return hasCode(error, "AnswerUnknown", "HubUnreachable", "Stopping", "InternalError");
}

function syncOf(error: unknown): WireSync | undefined {
  if (!(error instanceof CodedError)) return undefined;
  return (error.details as { readonly sync?: WireSync }).sync;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
