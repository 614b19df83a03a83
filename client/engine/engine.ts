import {
  advance,
  formatState,
  formatUpdate,
  hashState,
  hashThread,
  hubError,
  parseUpdate,
  ZERO_ADDRESS,
  type Address,
  type ArgsByReason,
  type ChannelState,
  type CloseThreadArgs,
  type Domain,
  type Hash,
  type OpenThreadArgs,
  type Reason,
  type Signature,
  type SignedUpdate,
  type Update,
  type WirePurchase,
  type WireSync,
  type WireThreadEvidence,
  type WireThreadNote,
  type WireUpdate,
} from "../../protocol";
import { CodedError } from "../../protocol/coded-error";
import type { ChainClient, ClientView } from "../chain";
import { clientError, hasCode, messageOf } from "../errors";
import type { HubConnection } from "../hub-connection";
import type { ClientSigner } from "../signer";
import type { ClientStore } from "../store";
import type { Events } from "./events";
import { Incidents } from "./incidents";
import {
  baseOf,
  formatRecord,
  hasWish,
  inSession,
  isListOf,
  newestOf,
  newestThreads,
  newRecord,
  ownNonceAbove,
  parseRecord,
  withDoubleSigned,
  withoutWish,
  withWish,
  type ChannelRecord,
  type Issued,
  type Purpose,
  type WithdrawalWish,
} from "./record";
import { reconcile, type ReconcileContext, type Reconciled } from "./reconcile";

export interface EngineDeps {
  readonly store: ClientStore;
  readonly signer: ClientSigner;
  readonly hubAddress: Address;
  readonly domain: Domain;
  readonly assets: ReadonlySet<Address>;
  readonly hub: Pick<HubConnection, "call">;
  readonly chain: Pick<ChainClient, "view">;
  readonly events: Events;
  readonly threads: ThreadJudge;
  readonly challengePeriodSeconds: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: (line: string) => void;
  /** How long an unknown answer is asked for again before the caller hears of it. */
  readonly patienceMs: number;
}

/** What this side can prove of the threads that the hub wants to close. */
export interface ThreadJudge {
  /** Fetches what is missing to judge: from the chain, or from the hub what this side's own signature proves. */
  prepare(closings: readonly CloseThreadArgs[]): Promise<void>;
  /** Why a thread of this side does not end so; nothing where it does. */
  refusal(closing: CloseThreadArgs): string | undefined;
  /** Everything that this side can prove of threads, for a hub that has forgotten them. Unknown ones are left out. */
  evidenceOf(hashes: readonly Hash[]): readonly WireThreadEvidence[];
}

/** The judge of a client that has no threads. */
export const NO_THREADS: ThreadJudge = {
  prepare: () => Promise.resolve(),
  refusal: () => "this side has no such thread",
  evidenceOf: () => [],
};

/** One step that the user signs first. */
export type Step = { readonly [Name in Reason]: { readonly reason: Name; readonly args: StepArgs<Name> } }[Reason];

/** Which other threads are open is known when it is signed. */
type StepArgs<Name extends Reason> = Name extends "OpenThread" | "CloseThread"
  ? Omit<ArgsByReason[Name], "others">
  : ArgsByReason[Name];

/** Collisions with the hub in a row before the caller hears of it; the hub gives way long before. */
const MAX_COLLISIONS = 20;
/** A hub that still does not know what it was shown twice does not want to. */
const MAX_SHOWN = 2;
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
  readonly #incidents: Incidents;
  /** Own updates that turned out to be signed by both, since the last step began. */
  readonly #accepted = new Set<Hash>();
  #record: ChannelRecord;
  #view: ClientView;
  #viewsAsked = 0;
  #viewTaken = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #pushed: WireSync | undefined;
  #nonceFloor = 0n;
  #answered: WirePurchase | undefined;
  #isWaiting = false;
  #isStopped = false;

  private constructor(deps: EngineDeps, record: ChannelRecord, view: ClientView) {
    this.#deps = deps;
    this.#incidents = new Incidents(deps);
    this.#record = record;
    this.#view = view;
  }

  /** Opens the record of this contract and user, or begins one. Needs the chain, not the hub. */
  static async open(deps: EngineDeps): Promise<Engine> {
    const view = await deps.chain.view(deps.signer.address, [...deps.assets]);
    const stored = await deps.store.get(keyOf(deps));
    const device = BigInt(Math.floor(deps.random() * 65_536));
    const record = stored === undefined ? newRecord(deps.signer.address, view.session, device) : parseRecord(stored);
    const engine = new Engine(deps, record, view);
    if (stored === undefined) await engine.#save(record);
    if (view.session > record.session) await engine.#beginSession(view.session);
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

  /** Something is not signed by both yet: come level again after the next block. */
  get isWaiting(): boolean {
    return this.#isWaiting || this.#record.pending.length > 0 || this.#record.issued.length > 0;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Waits for what runs. */
  async idle(): Promise<void> {
    await this.#queue.catch(() => undefined);
  }

  /** Reads the chain; begins the next session, in its turn, when the last one was settled. */
  async refreshView(): Promise<ClientView> {
    const view = await this.#look();
    if (view.session > this.#record.session) await this.#enqueue(() => this.#beginSession(view.session));
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
      if (latest !== undefined && !this.#isStopped) await this.#take(latest, false);
    }).catch((error: unknown) => this.#deps.log(`a push could not be taken: ${messageOf(error)}`));
  }

  /**
   * Signs steps on top of the newest state and has the hub countersign them by `update`. A refusal is reported only once
   * what was signed is void. @returns The state.
   */
  async propose(steps: readonly Step[]): Promise<ChannelState> {
    return this.#enqueue(async () => {
      await this.#settleIssued();
      return this.#propose(steps, { kind: "update" });
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
      this.#answered = undefined;
      await this.#settleIssued();
      if (this.#answerOf(request.id) === undefined) await this.#propose(steps, { kind: "purchase", request });
      return this.#answerOf(request.id) ?? this.#deps.hub.call("getPurchase", { params: { id: request.id } });
    });
  }

  /**
   * Remembers what its caller wants to withdraw, asks the hub, and countersigns exactly that. Once the hub has refused it
   * is forgotten; with an unknown answer it stays, since the hub may have signed it.
   */
  async withdraw(wish: WithdrawalWish, ask: () => Promise<WireSync>): Promise<ChannelState> {
    return this.#enqueue(async () => {
      await this.#settleIssued();
      await this.#requireSignable();
      const isNew = !hasWish(this.#record, wish);
      await this.#save(withWish(this.#record, wish));
      try {
        await this.#withdrawn(wish, ask);
      } catch (error) {
        if (isNew && hasCode(error) && !isTransient(error) && !hasCode(error, "TimedOut")) {
          await this.#save(withoutWish(this.#record, wish));
        }
        throw error;
      }
      return baseOf(this.#record);
    });
  }

  /** Takes over, in its turn, what a backup or the chain has shown. @param change Pure. */
  adopt(change: (record: ChannelRecord) => ChannelRecord): Promise<void> {
    return this.#enqueue(async () => {
      const before = this.#record;
      const after = change(before);
      if (after === before) return;
      await this.#save(after);
      this.#announce(before, []);
    });
  }

  /** Hashes of the threads that are open in the newest state. */
  get threads(): readonly Hash[] {
    return newestThreads(this.#record);
  }

  /**
   * Signs this side's leg of a thread; both have signed it when this resolves, and the other party's leg is open too.
   * @throws ThreadNotJoined if the other party did not come, InsufficientCollateral; nothing is open then
   */
  openThread(args: Omit<OpenThreadArgs, "others">): Promise<ChannelState> {
    const hash = hashThread(args.thread);
    return this.#enqueue(async () => {
      await this.#settleIssued();
      if (this.threads.includes(hash)) return this.state;
      return this.#propose([{ reason: "OpenThread", args }], { kind: "openThread", hash });
    });
  }

  /**
   * Signs the end of this side's leg of a thread. The caller has checked the outcome.
   * @param evidence What proves it to the hub, where it does not know it yet.
   */
  closeThread(args: Omit<CloseThreadArgs, "others">, evidence?: WireThreadNote): Promise<ChannelState> {
    const hash = hashThread(args.thread);
    const purpose = { kind: "closeThread", hash, ...(evidence === undefined ? {} : { evidence }) } as const;
    return this.#enqueue(async () => {
      await this.#settleIssued();
      await this.#requireThreads();
      if (!this.threads.includes(hash)) return this.state;
      return this.#propose([{ reason: "CloseThread", args }], purpose);
    });
  }

  incidents(): Promise<readonly string[]> {
    return this.#incidents.all();
  }

  async #withdrawn(wish: WithdrawalWish, ask: () => Promise<WireSync>): Promise<void> {
    const { now, sleep, patienceMs } = this.#deps;
    const giveUpAt = now() + patienceMs;
    let incident = await this.#take(await ask(), true);
    while (hasWish(this.#record, wish)) {
      if (incident !== undefined) throw clientError("HubIncident", { reason: incident.message }, incident);
      if (now() >= giveUpAt || this.#isStopped) {
        throw clientError("TimedOut", { what: "the signature of the withdrawal", seconds: patienceMs / 1000 });
      }
      // An earlier withdrawal was signed instead, or the chain is not seen to be so far yet.
      if (!this.#isWaiting) incident = await this.#take(await ask(), true);
      else {
        await sleep(RETRY_MS);
        incident = await this.#take(await this.#ask(), true);
      }
    }
  }

  async #level(): Promise<void> {
    if (this.#isStopped) return;
    await this.#take(await this.#ask(), true);
    await this.#settleIssued();
  }

  #ask(): Promise<WireSync> {
    const { hub, signer } = this.#deps;
    const lastChanTx = baseOf(this.#record).nonce.toString();
    return hub.call("sync", { params: { user: signer.address }, query: { lastChanTx } });
  }

  /** Verifies a sync, takes over what it may, and answers it. @returns The incident, if it ended with one. */
  async #take(sync: WireSync, isAnswer: boolean): Promise<CodedError | undefined> {
    let [given, isFresh, shown] = [sync, isAnswer, 0];
    for (let round = 0; round < MAX_COLLISIONS; round++) {
      const { incident, isStale, waits, mustShow } = await this.#reconcile(given, isFresh);
      isFresh = true;
      if (isStale) {
        given = await this.#ask();
      } else if ((mustShow || given.mustProve === true) && shown < MAX_SHOWN) {
        shown++;
        given = await this.#show();
      } else {
        if (incident !== undefined || waits || this.#record.pending.length === 0) return incident;
        if (!(await this.#canSign())) return undefined;
        const answer = await this.#acknowledge();
        if (answer === undefined) return undefined;
        given = answer;
      }
    }
    return undefined;
  }

  async #reconcile(sync: WireSync, isAnswer: boolean): Promise<Reconciled> {
    await this.#prepareClosings(sync);
    const isNews = sync.exit !== undefined && this.#view.exit === undefined;
    if (isNews) await this.#lookAndBegin();
    let result = reconcile(this.#record, sync, this.#context(isAnswer));
    if (result.waits && !isNews) {
      await this.#lookAndBegin();
      result = reconcile(this.#record, sync, this.#context(isAnswer));
    }
    this.#isWaiting = result.waits;
    const floor = BigInt(sync.nonceFloor);
    this.#nonceFloor = floor > this.#nonceFloor ? floor : this.#nonceFloor;
    const before = this.#record;
    if (result.record !== before) await this.#save(result.record);
    for (const { state } of result.accepted) this.#accepted.add(hashState(state));
    this.#announce(before, result.verified);
    if (result.incident !== undefined) await this.#incidents.report(result.incident, sync);
    if (result.mustComplete && (await this.#canSign())) await this.#complete();
    return result;
  }

  async #prepareClosings({ updates }: WireSync): Promise<void> {
    const closings = updates.flatMap((update) => (update.reason === "CloseThread" ? [parseUpdate(update)] : []));
    const args = closings.flatMap((update) => (update.reason === "CloseThread" ? [update.args] : []));
    if (args.length > 0) await this.#deps.threads.prepare(args);
  }

  /** A list that does not fit the state was lost with a store: the hub has it, and the root proves it. */
  async #requireThreads(): Promise<void> {
    if (isListOf(this.threads, this.state)) return;
    await this.#takeForRebase(await this.#ask());
    if (!isListOf(this.threads, this.state)) throw clientError("HubIncident", { reason: "it hides open threads" });
  }

  /** What the hub signed and has forgotten becomes what both have signed, which it can be shown. */
  async #complete(): Promise<void> {
    const { signer, domain } = this.#deps;
    const [newest, state] = [this.#record.pending.at(-1), newestOf(this.#record)];
    if (newest?.sigHub === undefined || state.nonce <= this.#record.highestSigned) return;
    const sigUser = await signer.signState(state, domain);
    await this.#save(withDoubleSigned(this.#record, { state, sigHub: newest.sigHub, sigUser }));
  }

  /** The hub knows less than both have signed, or was restored: it is shown the newest. */
  async #show(): Promise<WireSync> {
    const { hub, signer, threads } = this.#deps;
    const { doubleSigned } = this.#record;
    const shown =
      doubleSigned === undefined ? {} : { doubleSigned: { ...doubleSigned, state: formatState(doubleSigned.state) } };
    const open = [...threads.evidenceOf(this.#record.threads)];
    const body = { updates: [], ...shown, ...(open.length === 0 ? {} : { threads: open }) };
    return hub.call("update", { params: { user: signer.address }, body });
  }

  /**
   * Signs what the hub has signed: the newest waiting update, if its nonce is above everything this side ever signed;
   * otherwise an empty payment on top. @returns What the hub says to it.
   */
  async #acknowledge(): Promise<WireSync | undefined> {
    const { hub, signer, domain } = this.#deps;
    const newest = this.#record.pending.at(-1);
    if (newest === undefined) return undefined;
    const state = newestOf(this.#record);
    // A record that is not complete asks first, and its key may have signed this very nonce elsewhere.
    if (state.nonce <= this.#record.highestSigned || !this.#record.isComplete) {
      await this.#propose([EMPTY_PAYMENT], { kind: "update" });
      return undefined;
    }
    const sigUser = await signer.signState(state, domain);
    const updates = [{ ...newest, sigUser }];
    await this.#issue({ updates, state, sigUser, purpose: { kind: "update" } });
    try {
      return await hub.call("update", {
        params: { user: signer.address },
        body: { updates: updates.map(formatUpdate) },
      });
    } catch (error) {
      const sync = syncOf(error); // the hub has something newer than what was acknowledged
      if (sync === undefined) throw error;
      return sync;
    }
  }

  /** Whatever was signed before and never answered is asked for again, word for word, until it is in or void. */
  async #settleIssued(): Promise<void> {
    this.#accepted.clear();
    const last = this.#record.issued.at(-1);
    if (last === undefined) return;
    try {
      await this.#send(last);
    } catch (error) {
      if (!hasCode(error) || isTransient(error) || hasCode(error, "Stopped")) throw error;
      const sync = syncOf(error);
      if (sync !== undefined) await this.#takeForRebase(sync);
      if (this.#record.issued.length > 0) await this.#propose([EMPTY_PAYMENT], { kind: "update" });
    }
  }

  async #propose(steps: readonly Step[], purpose: Purpose): Promise<ChannelState> {
    await this.#requireSignable();
    const signed: Issued[] = [];
    try {
      await this.#proposeUntilTaken(steps, purpose, signed);
    } catch (error) {
      if (!hasCode(error) || isUnknown(error) || hasCode(error, "Stopped", "HubIncident")) throw error;
      if (!signed.some((each) => this.#isAccepted(each))) {
        await this.#void(signed);
        if (!signed.some((each) => this.#isAccepted(each))) throw error;
      }
    }
    const taken = signed.find((each) => this.#isAccepted(each));
    if (taken !== signed.at(-1)) await this.#void(signed);
    return taken?.state ?? baseOf(this.#record);
  }

  /** Signs again above both whenever the hub was faster. */
  async #proposeUntilTaken(steps: readonly Step[], purpose: Purpose, signed: Issued[]): Promise<void> {
    for (let collisions = 0; ; collisions++) {
      await this.#askFirst();
      const issued = await this.#sign(steps, purpose);
      signed.push(issued);
      try {
        await this.#sendPatiently(issued);
        return;
      } catch (error) {
        const sync = isUnknown(error) ? undefined : syncOf(error);
        if (sync === undefined || collisions >= MAX_COLLISIONS) throw error;
        await this.#takeForRebase(sync);
        if (signed.some((each) => this.#isAccepted(each))) return;
        await this.#requireSignable();
      }
    }
  }

  /** Before anything is signed: a new store asks what its key signed before; what waits for the chain is waited for. */
  async #askFirst(): Promise<void> {
    const { now, sleep, patienceMs } = this.#deps;
    const giveUpAt = now() + patienceMs;
    while (!this.#record.isComplete || this.#isWaiting) {
      await this.#takeForRebase(await this.#ask());
      if (!this.#isWaiting) return;
      if (now() >= giveUpAt || this.#isStopped) {
        const what = "the confirmation of what the hub has credited already";
        throw clientError("TimedOut", { what, seconds: patienceMs / 1000 });
      }
      await sleep(RETRY_MS);
    }
  }

  /** After a collision: take what the hub signed, but do not sign it; the rebased update does. */
  async #takeForRebase(sync: WireSync): Promise<void> {
    const result = await this.#reconcile(sync, true);
    const isShown = result.mustShow || sync.mustProve === true;
    const incident = isShown ? await this.#take(await this.#show(), true) : result.incident;
    if (incident !== undefined) throw clientError("HubIncident", { reason: incident.message }, incident);
  }

  /** What was refused must not count later: something above it is signed by both, without it. */
  async #void(refused: readonly Issued[]): Promise<void> {
    const open = refused.filter((each) => !isEmpty(each) && this.#record.issued.some(({ state }) => is(state, each)));
    if (open.length > 0) await this.#propose([EMPTY_PAYMENT], { kind: "update" });
  }

  /** Signs steps one on another; on disk before anybody sees them. */
  async #sign(steps: readonly Step[], purpose: Purpose): Promise<Issued> {
    const { signer, domain } = this.#deps;
    let state = newestOf(this.#record);
    let nonce = this.#nonceFloor;
    const updates: SignedUpdate[] = [];
    let sigUser: Signature = "0x";
    const context = { ...this.#context(true), author: "user", nonceFloor: this.#record.highestSigned } as const;
    for (const step of steps) {
      nonce = ownNonceAbove(this.#record, nonce, state.nonce);
      const { reason, args } = withOthers(step, this.threads);
      const update = { reason, args, nonce, previous: hashState(state) } as Update;
      state = advance(state, update, context);
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
  async #sendPatiently(issued: Issued): Promise<void> {
    const { now, sleep, patienceMs } = this.#deps;
    const giveUpAt = now() + patienceMs;
    for (;;) {
      try {
        await this.#send(issued);
        return;
      } catch (error) {
        if (!isTransient(error) || this.#isStopped || now() >= giveUpAt) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  /** Resolves when what was signed is in, or can never be. @throws what the hub says; HubIncident */
  async #send(issued: Issued): Promise<void> {
    const { hub, signer } = this.#deps;
    const updates = issued.updates.map(formatUpdate);
    const { purpose } = issued;
    if (purpose.kind === "purchase") {
      const answer = await hub.call("purchase", { body: { ...purpose.request, updates } });
      await this.#requireTaken(issued, this.#syncOfPurchase(answer, issued) ?? (await this.#ask()), true);
      this.#answered = answer;
    } else if (purpose.kind === "openThread" || purpose.kind === "closeThread") {
      const [update] = updates as [WireUpdate];
      const evidence = purpose.kind === "openThread" ? undefined : purpose.evidence;
      const body = { update, ...(evidence === undefined ? {} : { evidence }) };
      const sync = await hub.call(purpose.kind, { params: { hash: purpose.hash }, body });
      await this.#requireTaken(issued, sync, false);
    } else {
      const sync = await hub.call("update", { params: { user: signer.address }, body: { updates } });
      await this.#requireTaken(issued, sync, false);
    }
  }

  /** The hub's answer must hold what was signed, or something both signed on top of it. */
  async #requireTaken(issued: Issued, sync: WireSync, mayBePaidOtherwise: boolean): Promise<void> {
    if (mayBePaidOtherwise && this.#isAccepted(issued)) return;
    const { incident } = await this.#reconcile(sync, true);
    if (this.#isAccepted(issued) || baseOf(this.#record).nonce >= issued.state.nonce) return;
    if (incident !== undefined) throw clientError("HubIncident", { reason: incident.message }, incident);
    // An earlier try with the same id has paid: this one must never count.
    if (mayBePaidOtherwise) return this.#void([issued]);
    throw clientError("HubIncident", { reason: "it answered without what it was sent" });
  }

  /** The answer to a purchase carries the state that both have signed now: as a sync, if it is the one that was sent. */
  #syncOfPurchase({ doubleSigned }: WirePurchase, { state }: Issued): WireSync | undefined {
    if (doubleSigned?.state.nonce !== state.nonce.toString()) return undefined;
    const { session } = this.#record;
    return {
      ...{ session: session.toString(), doubleSigned, updates: [] },
      nonceFloor: this.#nonceFloor.toString(),
    };
  }

  #answerOf(id: string): WirePurchase | undefined {
    return this.#answered?.id === id ? this.#answered : undefined;
  }

  #isAccepted({ state }: Issued): boolean {
    return this.#accepted.has(hashState(state));
  }

  /** @throws Stopped, ViewTooOld, ChannelIsExiting */
  async #requireSignable(): Promise<void> {
    if (this.#isStopped) throw clientError("Stopped", {});
    if (await this.#canSign()) return;
    const { exit } = this.#view;
    if (exit !== undefined) throw hubError("ChannelIsExiting", { user: this.#record.user, deadline: exit.deadline });
    throw hubError("ViewTooOld", { ageSeconds: this.#ageSeconds(), limitSeconds: this.#limitSeconds() });
  }

  /** H-20: not while an exit runs, not while blind. */
  async #canSign(): Promise<boolean> {
    if (!this.#isFresh()) await this.#lookAndBegin().catch((error: unknown) => this.#deps.log(messageOf(error)));
    return this.#isFresh() && this.#view.exit === undefined && this.#view.session === this.#record.session;
  }

  #isFresh(): boolean {
    return this.#ageSeconds() <= this.#limitSeconds();
  }

  #ageSeconds(): number {
    return Math.floor(this.#deps.now() / 1000) - this.#view.headTimestamp;
  }

  #limitSeconds(): number {
    return Math.min(MAX_VIEW_AGE_SECONDS, Math.floor(this.#deps.challengePeriodSeconds / 8));
  }

  #context(isAnswer: boolean): ReconcileContext {
    const { domain, hubAddress, assets, threads, now } = this.#deps;
    const { session, ledgers } = this.#view;
    const nowSeconds = BigInt(Math.floor(now() / 1000));
    const closings = (args: CloseThreadArgs): string | undefined => threads.refusal(args);
    return { domain, hub: hubAddress, session, ledgers, assets, nowSeconds, closings, isAnswer };
  }

  /** Of several looks at once the one that began last counts. */
  async #look(): Promise<ClientView> {
    const { chain, signer, assets, events } = this.#deps;
    const asked = ++this.#viewsAsked;
    const view = await chain.view(signer.address, [...assets]);
    if (asked < this.#viewTaken) return this.#view;
    const known = this.#view;
    [this.#view, this.#viewTaken] = [view, asked];
    if (view.exit !== undefined && view.exit.nonce !== known.exit?.nonce) {
      events.emit("dispute", { event: "Exit", nonce: view.exit.nonce, deadline: view.exit.deadline });
    }
    return view;
  }

  /** Only from within a step: the record is this step's. */
  async #lookAndBegin(): Promise<void> {
    const { session } = await this.#look();
    if (session > this.#record.session) await this.#beginSession(session);
  }

  /** What was known of the last session is kept apart: it is evidence. */
  async #beginSession(session: bigint): Promise<void> {
    const last = this.#record;
    if (session <= last.session) return;
    const record = inSession(last, session);
    const archive = { [`${keyOf(this.#deps)}:session:${last.session}`]: formatRecord(last) };
    await this.#deps.store.write({ ...archive, [keyOf(this.#deps)]: formatRecord(record) });
    this.#record = record;
    this.#isWaiting = false;
    this.#deps.events.emit("onStateChange", { state: baseOf(record), isDoubleSigned: true });
  }

  async #save(record: ChannelRecord): Promise<void> {
    await this.#deps.store.write({ [keyOf(this.#deps)]: formatRecord(record) });
    this.#record = record;
  }

  #announce(before: ChannelRecord, verified: readonly SignedUpdate[]): void {
    const { events } = this.#deps;
    for (const update of verified) {
      if (update.reason === "Deposit") events.emit("deposit", update);
      if (update.reason === "Withdrawal") events.emit("withdrawal", update);
    }
    const [was, is] = [newestOf(before), newestOf(this.#record)];
    const isSame = hashState(was) === hashState(is) && before.pending.length === this.#record.pending.length;
    if (!isSame) events.emit("onStateChange", { state: is, isDoubleSigned: this.#record.pending.length === 0 });
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.catch(() => undefined).then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

/** One store may serve several contracts and keys. */
function keyOf({ domain, signer }: Pick<EngineDeps, "domain" | "signer">): string {
  return `channel:${domain.verifyingContract}:${signer.address}`;
}

function withOthers(step: Step, open: readonly Hash[]): Pick<Update, "reason" | "args"> {
  if (step.reason !== "OpenThread" && step.reason !== "CloseThread") return step;
  const hash = hashThread(step.args.thread);
  const others = open.filter((each) => each !== hash);
  return { reason: step.reason, args: { ...step.args, others } };
}

function isEmpty({ updates }: Issued): boolean {
  return updates.every(({ reason, args }) => reason === "Payment" && args.recipient === "hub" && args.amount === 0n);
}

function is(state: ChannelState, issued: Issued): boolean {
  return hashState(state) === hashState(issued.state);
}

/** The hub may have taken it, or not. */
function isUnknown(error: unknown): boolean {
  return hasCode(error, "AnswerUnknown", "HubUnreachable", "Stopping", "InternalError");
}

/** The same again may go through in a moment. */
function isTransient(error: unknown): boolean {
  return isUnknown(error) || hasCode(error, "ChannelBusy", "TooManyRequests");
}

function syncOf(error: unknown): WireSync | undefined {
  if (!(error instanceof CodedError)) return undefined;
  return (error.details as { readonly sync?: WireSync }).sync;
}
