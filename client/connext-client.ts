import { Wallet } from "ethers";
import {
  amountAtRate,
  bytesToHex,
  channelManagerDomain,
  checkSignature,
  digestOf,
  formatThreadEvidence,
  hashExchangeQuote,
  hashReceipt,
  hashRedeemLink,
  hubError,
  hexToBytes,
  parseAddress,
  parseQuote,
  parseStruct,
  paymentIdOf,
  paymentSchema,
  protocolError,
  receiptType,
  rowOf,
  signDigest,
  threadRoot,
  unsignedState,
  validate,
  ZERO_ADDRESS,
  type Address,
  type ChannelEvent,
  type ChannelState,
  type Evidence,
  type ExchangeArgs,
  type Hash,
  type Signature,
  type SignedThreadPayment,
  type SignedThreadUpdate,
  type ThreadEvidence,
  type WireGuardRequest,
  type WirePayment,
  type WirePaymentRequest,
  type WirePurchase,
} from "../protocol";
import type { CodedError } from "../protocol/coded-error";
import { amountOf, parseAmount, parseAmounts, type Amount, type AmountInput } from "./amounts";
import type { Backup, Backups } from "./backup/backups";
import type { BackupPlace } from "./backup/places";
import type { Restored } from "./backup/restore";
import type { ChainClient, Sent } from "./chain";
import type { Engine, Step } from "./engine/engine";
import type { ClientEvents, Events, Listener } from "./engine/events";
import { baseOf, type DoubleSigned } from "./engine/record";
import { clientError, hasCode } from "./errors";
import { evidenceOf } from "./evidence";
import type { HubFacts } from "./get-connext-client";
import type { HubConnection } from "./hub-connection";
import { readPayment, readPurchaseId, readThreadPayments, type PaymentInput } from "./payment-input";
import type { ClientSigner } from "./signer";
import type { ClientStore } from "./store";
import type { Apps } from "./threads/apps";
import { onIdleTimer } from "./schedule";
import { threadEvidenceOf, type OwnThread } from "./threads/own-thread";
import type { PeerLink } from "./threads/peer-link";
import type { Swaps } from "./threads/swaps";
import type { ThreadClient } from "./threads/thread-client";
import type { ThreadPaid } from "./threads/thread-purchase";
import type { UpdateWish } from "./threads/update-rules";
import { readThreadWish, type OpenThreadInput } from "./threads/thread-input";
import { TowerGuard, type TowerOptions } from "./watchtower";
import { readSale, readWithdrawal, type WithdrawOptions } from "./withdrawal-input";

export type { PaymentInput } from "./payment-input";
export type { WithdrawOptions } from "./withdrawal-input";

export interface ClientDeps {
  readonly engine: Engine;
  readonly backups?: Backups;
  readonly threads: ThreadClient;
  readonly hub: HubConnection;
  readonly chain: ChainClient;
  readonly events: Events;
  readonly signer: ClientSigner;
  readonly store: ClientStore;
  readonly config: HubFacts;
  readonly channelManager: Address;
  readonly hubAddress: Address;
  readonly assets: readonly Address[];
  readonly confirmations: number;
  readonly maxSlippage: number;
  readonly rateOf?: (sellAsset: Address, buyAsset: Address) => Promise<bigint>;
  readonly pollIntervalMs: number;
  readonly autoSettle: boolean;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: (line: string) => void;
}

export interface Purchase {
  readonly id: string;
  readonly payments: readonly (WirePayment | ThreadPaid)[];
}

export interface Link {
  /** The key that the link carries. Whoever has it can redeem the link: treat it like the money itself. */
  readonly secret: string;
  readonly link: Address;
  readonly purchase: Purchase;
}

/** After what was heard of the hub last. */
const CURSOR_KEY = "cursor";

/** How long a method waits for the hub or the chain to do something that takes blocks. */
const PATIENCE_MS = 120_000;
const STEP_MS = 250;

/** How long a payment waits for the hub to bring collateral to its payee. */
const COLLATERAL_MS = 20_000;

/** After this long the user executes its withdrawal itself: anybody may. */
const HUB_WITHDRAWS_MS = 20_000;

/** A user's side of one channel. Every promise settles; errors carry a code (docs/errors.md). */
export class ConnextClient {
  readonly #deps: ClientDeps;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;
  #watching: Promise<void> | undefined;
  #isLevelling = false;
  #isConnected = false;
  #cursor = 0n;
  #restored: Restored | undefined;
  readonly #guards = new Set<TowerGuard>();

  /** @internal Use `getConnextClient`. */
  constructor(deps: ClientDeps) {
    this.#deps = deps;
  }

  get address(): Address {
    return this.#deps.signer.address;
  }

  /** What the hub says of itself. */
  get config(): HubFacts {
    return this.#deps.config;
  }

  /** @internal Called by `getConnextClient`. Comes level with the hub if it is there. */
  async start(): Promise<void> {
    const { hub, log, store, threads } = this.#deps;
    this.#cursor = BigInt((await store.get(CURSOR_KEY)) ?? "0");
    hub.subscribe(
      {
        push: (push) => {
          if (push.topic === "channel") this.#heard(push.data, BigInt(push.cursor));
        },
        connected: () => {
          this.#isConnected = true;
          this.#levelSoon();
        },
        disconnected: (reason) => {
          this.#isConnected = false;
          log(`the hub's socket is gone: ${reason}`);
        },
      },
      this.#cursor,
    );
    this.#deps.events.on("onStateChange", () => this.#alignThreads());
    await this.#level().catch((error: unknown) => log(`not level with the hub: ${messageOf(error)}`));
    await threads.threads.align();
    await threads.swaps.resume();
    this.#schedule();
  }

  #heard(data: ChannelEvent, cursor: bigint): void {
    const { engine, events, store, threads } = this.#deps;
    if (data.kind === "thread") threads.threads.heard(data);
    if (data.kind === "sync") engine.pushed(data.sync);
    if (data.kind === "payment") events.emit("payment", validate(paymentSchema, data.payment, "push.payment"));
    if (data.kind === "collateral") events.emit("collateral", data);
    if (data.kind === "dispute") void this.#look();
    if (cursor <= this.#cursor) return;
    this.#cursor = cursor;
    const failed = (error: unknown): void => this.#note(`the cursor was not kept: ${messageOf(error)}`);
    void store.write({ [CURSOR_KEY]: cursor.toString() }).catch(failed);
  }

  /** Ends what runs, then closes socket and store. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    const { engine, hub, chain, store, threads } = this.#deps;
    for (const guard of this.#guards) await guard.close();
    await this.#deps.backups?.close();
    engine.stop();
    threads.swaps.close();
    await hub.close();
    await engine.idle();
    await this.#watching;
    await threads.threads.idle();
    chain.destroy();
    await store.close();
  }

  /** @returns What takes the listener off again. */
  on<Name extends keyof ClientEvents>(name: Name, listener: Listener<Name>): () => void {
    return this.#deps.events.on(name, listener);
  }

  /** Balances as the newest state has them, the hub's credits included; no question to anybody. */
  getState(): { readonly state: ChannelState; readonly isDoubleSigned: boolean; readonly isExiting: boolean } {
    const { engine } = this.#deps;
    return {
      state: engine.state,
      isDoubleSigned: engine.record.pending.length === 0,
      isExiting: engine.view.exit !== undefined,
    };
  }

  /** What this user can pay of an asset now, in base units. */
  balanceOf(asset: string = ZERO_ADDRESS): bigint {
    return rowOf(this.#deps.engine.state, parseAddress(asset)).balanceUser;
  }

  /**
   * Deposits. Resolves when both have signed the state with it. If the hub does not answer the money is on chain all the
   * same, and an exit returns it.
   * @throws InvalidValue, the contract's error, TimedOut (the transaction), DepositNotCredited (W-4: the money is on chain)
   */
  async deposit(
    amount: AmountInput,
  ): Promise<{ readonly transactionHashes: readonly Hash[]; readonly state: ChannelState }> {
    const amounts = parseAmounts(amount, this.#token(), "amount");
    if (amounts.length === 0) throw protocolError("ZeroAmount", {});
    await this.#announce(amounts);
    const transactionHashes: Hash[] = [];
    for (const { asset, amount: units } of amounts) {
      const sent = await this.#deps.chain.deposit(asset, units);
      transactionHashes.push(sent.transactionHash);
      await sent.wait(this.#deps.confirmations);
    }
    for (const { asset } of amounts) await this.#credited(asset, transactionHashes);
    return { transactionHashes, state: this.#deps.engine.state };
  }

  /**
   * Sells `amount` of `from` to the hub for `to`, now. Resolves when both have signed.
   * @param expectedRate Base units of `to` for 10^18 of `from` that the caller expects; default: the option
   * `rateOf`, or else the hub's own `/exchange-rates`. The quote may be worse by `maxSlippage` and no more.
   * @throws SlippageTooHigh, QuoteMalformed, BalanceTooLow, PairUnknown, AmountTooLargeForExchange, TimedOut
   */
  async exchange(
    amount: bigint | string,
    from: string,
    to?: string,
    expectedRate?: bigint,
  ): Promise<{ readonly sold: bigint; readonly bought: bigint; readonly rate: bigint; readonly state: ChannelState }> {
    const sellAsset = parseAddress(from, "from");
    const buyAsset = to === undefined ? this.#otherThan(sellAsset) : parseAddress(to, "to");
    const quote = await this.#quote(sellAsset, buyAsset, amountOf(amount, "amount"), expectedRate);
    const state = await this.#deps.engine.propose([{ reason: "Exchange", args: quote.args }]);
    const { sellAmount, buyAmount, rate } = quote.args;
    return { sold: sellAmount, bought: buyAmount, rate, state };
  }

  /**
   * Pays: all payments or none. Resolves when the hub has taken it, with each payment's status and, for what has arrived, a
   * receipt that was checked. With an id that was used before: what happened then, nothing is paid twice.
   * Where the hub lacks collateral in a payee's channel it brings some; this waits for it, having voided the first try.
   * Payments of type `PT_THREAD` go through open threads, past the hub, and never together with others.
   * @throws InvalidValue, BalanceTooLow, InsufficientCollateral, ReceiverBusy, AnswerUnknown (ask again with the same id),
   * ThreadPaymentMixed, ThreadRoomTooSmall
   */
  async buy(purchase: {
    readonly id?: string;
    readonly meta?: Readonly<Record<string, string>>;
    readonly payments: readonly PaymentInput[];
    /** How long to wait for collateral, ms. Default 20,000; 0: not at all. */
    readonly waitForCollateralMs?: number;
  }): Promise<Purchase> {
    const id = readPurchaseId(purchase.id ?? bytesToHex(randomBytes(16)).slice(2));
    const throughThreads = readThreadPayments(purchase.payments, this.#token());
    if (throughThreads !== undefined) {
      return { id, payments: await this.#deps.threads.purchases.buy(id, throughThreads) };
    }
    const payments = purchase.payments.map((payment, i) => this.#paymentOf(payment, `payments.${i}`));
    if (payments.length === 0)
      throw protocolError("InvalidValue", { path: "payments", expected: "at least one", given: [] });
    const known = purchase.id === undefined ? undefined : await this.#findPurchase(id);
    if (known !== undefined) return this.#checked(known);
    const meta = purchase.meta === undefined ? {} : { meta: { ...purchase.meta } };
    const giveUpAt = this.#deps.now() + (purchase.waitForCollateralMs ?? COLLATERAL_MS);
    for (;;) {
      try {
        return this.#checked(await this.#deps.engine.purchase({ id, ...meta, payments }, this.#stepsFor(id, payments)));
      } catch (error) {
        if (!hasCode(error, "InsufficientCollateral") || !(await this.#collateralCame(error, giveUpAt))) throw error;
      }
    }
  }

  /** Asks, without signing anything, until the payee can receive what was refused. */
  async #collateralCame({ details }: CodedError, giveUpAt: number): Promise<boolean> {
    const { payee, asset, needed } = details as { payee: string; asset: string; needed: string };
    while (this.#deps.now() < giveUpAt) {
      await this.#deps.sleep(STEP_MS);
      if ((await this.recipientNeedsCollateral(payee, { asset, amount: needed })) === 0n) return true;
    }
    return false;
  }

  /**
   * Takes money out of the channel, to any address. Resolves when the chain has executed it; if the hub does not send the
   * transaction, this side does.
   * @throws BalanceTooLow, WithdrawalPending, SlippageTooHigh, HubIncident, TimedOut
   */
  async withdraw(options: WithdrawOptions): Promise<{ readonly transactionHash?: Hash; readonly state: ChannelState }> {
    const { engine, hub } = this.#deps;
    const named = parseAddress(options.recipient ?? ZERO_ADDRESS, "recipient");
    const recipient = named === this.address ? ZERO_ADDRESS : named; // a state names nobody where its user is paid
    const wanted = readWithdrawal(options, this.#token());
    const sale = await this.#sale(options);
    const assets = sale === undefined ? wanted : addTo(wanted, sale.args.buyAsset, sale.args.buyAmount);
    if (assets.length === 0) throw protocolError("ZeroAmount", {});
    const fromBlock = engine.view.headNumber;
    const quote = sale === undefined ? {} : { quote: sale.wire, sigQuote: sale.sigHub };
    const body = {
      recipient,
      assets: assets.map(({ asset, amount }) => ({ asset, amount: amount.toString() })),
      ...quote,
    };
    const wish = { recipient, assets, ...(sale === undefined ? {} : { exchange: sale.args }) };
    const state = await engine.withdraw(wish, () =>
      hub.call("requestWithdrawal", { params: { user: this.address }, body }),
    );
    await this.#executed(state);
    const events = await this.#deps.chain.events(this.address, fromBlock);
    const done = events.filter(({ name }) => name === "Withdrawn").at(-1);
    return { state, ...(done === undefined ? {} : { transactionHash: done.transactionHash }) };
  }

  /** Asks the hub for enough collateral to receive `amount` in all. Resolves with what is there and on its way. */
  async requestCollateral(amount: AmountInput): Promise<{ readonly available: bigint; readonly requested: bigint }> {
    const { asset, amount: units } = parseAmount(amount, this.#token(), "amount");
    const body = { asset, amount: units.toString() };
    const answer = await this.#deps.hub.call("requestCollateralization", { params: { user: this.address }, body });
    return { available: BigInt(answer.available), requested: BigInt(answer.requested) };
  }

  /** Whether a payment to somebody needs collateral first: 0 if not, otherwise how much is missing. */
  async recipientNeedsCollateral(recipient: string, amount: AmountInput): Promise<bigint> {
    const { asset, amount: units } = parseAmount(amount, this.#token(), "amount");
    const { canReceive } = await this.#deps.hub.call("getChannel", {
      params: { user: parseAddress(recipient, "recipient") },
    });
    const available = BigInt(canReceive.find((each) => each.asset === asset)?.amount ?? 0);
    return units > available ? units - available : 0n;
  }

  /** Pays into a link that whoever has `secret` can redeem once. */
  async createLink(amount: AmountInput, meta?: Readonly<Record<string, string>>): Promise<Link> {
    const wallet = new Wallet(bytesToHex(randomBytes(32)));
    const link = parseAddress(wallet.address);
    const payment = { type: "PT_LINK", link, amount, ...(meta === undefined ? {} : { meta }) } as const;
    const purchase = await this.buy({ payments: [payment] });
    return { secret: wallet.privateKey, link, purchase };
  }

  /** Redeems a link. Resolves when it is this user's: `forwarded`, or `waiting` for collateral that is on its way. */
  async redeem(secret: string): Promise<WirePayment> {
    const key = hexToBytes(secret.toLowerCase());
    const link = parseAddress(new Wallet(secret).address);
    const redeemer = this.address;
    const sigLink = signDigest(digestOf(this.#domain(), hashRedeemLink({ link, redeemer })), key);
    const { payment } = await this.#deps.hub.call("redeemLink", { body: { link, redeemer, sigLink } });
    await this.#deps.engine.level();
    return payment;
  }

  /** Takes an expired link's money back. @throws LinkNotExpired, LinkRedeemed */
  async cancelLink(link: string): Promise<WirePayment> {
    const address = parseAddress(link, "link");
    const { payment } = await this.#deps.hub.call("cancelLink", { params: { address }, body: undefined });
    await this.#deps.engine.level();
    return payment;
  }

  async getPaymentHistory(limit = 50): Promise<readonly WirePayment[]> {
    const input = { params: { user: this.address }, query: { limit } };
    return (await this.#deps.hub.call("getPaymentHistory", input)).payments;
  }

  /** What the hub owes this user outside of the channel. */
  async getCustodialBalance(): Promise<ReadonlyMap<Address, bigint>> {
    const { balances } = await this.#deps.hub.call("getCustodialBalance", { params: { user: this.address } });
    return new Map(balances.map(({ asset, amount }) => [parseAddress(asset), BigInt(amount)]));
  }

  /** Moves custodial balance into the channel, or to an address on chain. Idempotent by id. */
  async withdrawCustodial(request: {
    readonly amount: AmountInput;
    readonly to?: string;
    readonly id?: string;
  }): Promise<{ readonly id: string; readonly status: string }> {
    const { asset, amount } = parseAmount(request.amount, this.#token(), "amount");
    const id = request.id ?? bytesToHex(randomBytes(16)).slice(2);
    const to = request.to === undefined ? "channel" : parseAddress(request.to, "to");
    const body = { id, asset, amount: amount.toString(), to } as const;
    const { status } = await this.#deps.hub.call("createCustodialWithdrawal", { body });
    if (to === "channel") await this.#deps.engine.level();
    return { id, status };
  }

  /** Starts to leave without the hub, with the newest state both signed. Needs the chain alone. */
  startExit(): Promise<Sent> {
    const { state, sigHub, sigUser } = this.#exitState();
    return this.#deps.chain.startExit(state, sigHub, sigUser);
  }

  /** Shows the newest state to an exit that stands with an older one. @throws NonceNotHigher if nothing newer is here */
  async challenge(): Promise<Sent> {
    const { exit } = await this.#deps.engine.refreshView();
    if (exit === undefined) throw protocolError("ChannelNotExiting", {});
    const newest = this.#deps.engine.record.doubleSigned;
    const given = newest?.state.nonce ?? 0n;
    if (newest === undefined || given <= exit.nonce)
      throw protocolError("NonceNotHigher", { standing: exit.nonce, given });
    return this.#deps.chain.challenge(newest.state, newest.sigHub, newest.sigUser);
  }

  /** Pays out an exit whose window has passed; the next session begins. @throws DeadlineNotReached, ChannelNotExiting */
  async settle(): Promise<Sent> {
    const { engine, chain } = this.#deps;
    const { exit } = await engine.refreshView();
    if (exit === undefined) throw protocolError("ChannelNotExiting", {});
    const { state, sigHub, sigUser } = this.#exitState();
    const sent = await chain.settle(state, sigHub, sigUser);
    await sent.wait();
    await engine.refreshView();
    return sent;
  }

  /** Takes what a failed payout left. */
  claim(asset: string = ZERO_ADDRESS, to: string = this.address): Promise<Sent> {
    return this.#deps.chain.claim(parseAddress(asset, "asset"), parseAddress(to, "to"));
  }

  /** Takes this user's part of an asset that the settled state of an ended session did not name. Needs the chain alone. */
  reclaim(session: bigint, asset: string = ZERO_ADDRESS): Promise<Sent> {
    return this.#deps.chain.reclaim(this.address, session, parseAddress(asset, "asset"));
  }

  // -------------------------------------------------------------------------------------------------------- threads

  /** All threads of this user, ended ones included. */
  listThreads(): readonly OwnThread[] {
    return this.#deps.threads.threads.list();
  }

  /** @throws ThreadUnknown */
  getThread(hash: Hash): OwnThread {
    return this.#deps.threads.threads.get(hash);
  }

  /** Opens a thread to somebody else through the hub. Resolves when both legs are open. @throws see `Threads.open` */
  openThread(input: OpenThreadInput): Promise<OwnThread> {
    return this.#deps.threads.threads.open(readThreadWish(input, this.#token()));
  }

  /** Pays `amount` base units more through a thread; the hub sees nothing. @throws see `Streaming.pay` */
  payThread(hash: Hash, amount: bigint | string): Promise<SignedThreadPayment> {
    return this.#deps.threads.threads.pay(hash, amountOf(amount, "amount"));
  }

  /** Agrees on something new with the other party of an updatable thread. @throws see `Updates.propose` */
  updateThread(hash: Hash, wish: UpdateWish): Promise<SignedThreadUpdate> {
    return this.#deps.threads.threads.update(hash, wish);
  }

  /** Closes a thread off chain. @throws see `Threads.close` */
  closeThread(hash: Hash): Promise<OwnThread> {
    return this.#deps.threads.threads.close(hash);
  }

  /** Talks to another user of threads by this link instead of through the hub. @returns What ends that */
  connectPeer(peer: string, link: PeerLink): () => void {
    return this.#deps.threads.threads.connect(parseAddress(peer, "peer"), link);
  }

  /** Programs on threads: conditional payments, games. */
  get apps(): Apps {
    return this.#deps.threads.apps;
  }

  /** Swaps with another user that neither has to trust. */
  get swaps(): Swaps {
    return this.#deps.threads.swaps;
  }

  /** Shows the contract the best that this side has of a thread. Needs the chain alone. @throws NothingBetter, … */
  challengeThread(hash: Hash): Promise<Sent> {
    return this.#deps.threads.disputes.challenge(hash);
  }

  /** Has this side's leg of a final thread paid out of its ended session. @throws ThreadNotFinal, … */
  settleThread(hash: Hash): Promise<Sent> {
    return this.#deps.threads.disputes.settle(hash);
  }

  /**
   * A sealed backup of the newest states: one line of text that only this user's key opens. It is also put where backups go by
   * themselves, unless `isOnlyText`. See docs/backup.md.
   * @throws BackupUnavailable, SignatureRefused
   */
  async backup({ isOnlyText = false } = {}): Promise<Backup & { readonly failed: ReadonlyMap<string, Error> }> {
    const backups = this.#backups();
    const failed = isOnlyText ? new Map<string, Error>() : await backups.backup();
    return { ...(await backups.make()), failed };
  }

  /**
   * Restores from the newest backup of these places; default: the hub and `backupPlaces`. Where none has one, from the key and
   * the chain alone. Nothing is signed before hub, tower and chain were asked. See docs/backup.md.
   * @throws BackupMalformed, BackupDamaged, BackupNotOurs, BackupAheadOfChain, ChainUnreachable
   */
  async restore(places?: readonly BackupPlace[]): Promise<Restored> {
    this.#restored = await this.#backups().restore(places);
    await this.#deps.threads.threads.align();
    return this.#restored;
  }

  /** What the last restore of this client came to. */
  get restored(): Restored | undefined {
    return this.#restored;
  }

  #backups(): Backups {
    const { backups } = this.#deps;
    if (backups === undefined) throw clientError("BackupUnavailable", { reason: "this client was made without them" });
    return backups;
  }

  /**
   * Has a tower guard this channel from now on: every new state and every thread payment goes there by itself. Where it stays
   * behind, there is the event `towerBehind`. The tower needs no key and gets none. See docs/watchtower.md.
   * @throws TowerUnreachable, TowerReceiptWrong, TowerFeeUnpaid (see `payUpTo`) and what else the tower answers
   */
  async registerWithTower(options: TowerOptions): Promise<TowerGuard> {
    const { events } = this.#deps;
    const guard = new TowerGuard(this.#guardSource(), options);
    const changes = ["onStateChange", "thread", "threadPayment"] as const;
    const offs = changes.map((event) => events.on(event, () => guard.changed()));
    try {
      await guard.sync();
      if (guard.isBehind) await guard.sync(); // the fee itself made a newer state
    } catch (error) {
      for (const off of offs) off();
      await guard.close();
      throw error;
    }
    this.#guards.add(guard);
    return guard;
  }

  #guardSource(): ConstructorParameters<typeof TowerGuard>[0] {
    const { engine, config, channelManager, events, now, log } = this.#deps;
    return {
      domain: channelManagerDomain(BigInt(config.chainId), channelManager),
      signed: () => engine.record.doubleSigned,
      threads: () => this.#guardedThreads(),
      payFee: (id, payee, asset, amount) => this.#payTower(id, payee, asset, amount),
      alarm: (alarm) => events.emit("towerBehind", alarm),
      ...{ now, log, schedule: onIdleTimer },
    };
  }

  /** Evidence of each thread that the newest double-signed state holds, or nothing while one is not known whole. */
  #guardedThreads(): readonly ThreadEvidence[] | undefined {
    const { engine, threads } = this.#deps;
    const { doubleSigned, threads: hashes } = engine.record;
    const known = threads.threads.list().filter(({ hash }) => hashes.includes(hash));
    const evidence = known.map(threadEvidenceOf).filter((each) => each !== undefined);
    if (doubleSigned === undefined || evidence.length !== hashes.length) return undefined;
    return threadRoot(hashes) === doubleSigned.state.threadRoot ? evidence : undefined;
  }

  async #payTower(id: string, payee: Address, asset: Address, amount: bigint): Promise<WireGuardRequest["fee"]> {
    const type = "PT_CUSTODIAL"; // the tower need not be online, nor have a channel
    const { payments } = await this.buy({ id, payments: [{ type, recipient: payee, asset, amount }] });
    const [payment] = payments;
    if (payment === undefined || !("sigReceipt" in payment)) return undefined;
    const { receipt, sigReceipt } = payment;
    return receipt && sigReceipt ? { receipt, signature: sigReceipt } : undefined;
  }

  /** Everything that proves this side's state, in one document. */
  exportEvidence(): Evidence {
    const { engine, config, channelManager, hubAddress: hub, threads } = this.#deps;
    const { record } = engine;
    const place = { chainId: config.chainId, channelManager, hub };
    const open = threads.threads.list().filter(({ hash }) => record.threads.includes(hash));
    const known = open.map(threadEvidenceOf).filter((each) => each !== undefined);
    return evidenceOf(record, place, known.map(formatThreadEvidence));
  }

  /** What the hub did against the rules, as JSON texts, oldest first. */
  incidents(): Promise<readonly string[]> {
    return this.#deps.engine.incidents();
  }

  /** Comes level with the hub now. */
  level(): Promise<void> {
    return this.#level();
  }

  /** What repeats on a timer, now: looks at the chain, answers an exit, settles. For tests and demos. */
  look(): Promise<void> {
    return this.#look();
  }

  /** The channel first: threads are in it. */
  async #level(): Promise<void> {
    const { engine, threads } = this.#deps;
    await engine.level();
    await threads.threads.catchUp();
  }

  #alignThreads(): void {
    const { threads } = this.#deps.threads;
    void threads.align().catch((error: unknown) => this.#note(`the threads were not kept: ${messageOf(error)}`));
  }

  // ------------------------------------------------------------------------------------------------------- deposits

  /** Best effort: the hub may match the deposit with collateral. It needs no permission of the hub's. */
  async #announce(amounts: readonly Amount[]): Promise<void> {
    const of = (asset: Address): bigint => amounts.find((each) => each.asset === asset)?.amount ?? 0n;
    const token = amounts.find(({ asset }) => asset !== ZERO_ADDRESS)?.asset;
    const body = {
      depositWei: of(ZERO_ADDRESS).toString(),
      ...(token === undefined ? {} : { depositToken: of(token).toString(), token }),
    };
    try {
      await this.#deps.hub.call("requestDeposit", { params: { user: this.address }, body });
    } catch (error) {
      if (hasCode(error, "DepositsPaused", "AssetUnknown")) throw error;
      this.#deps.log(`the hub was not told of the deposit: ${messageOf(error)}`);
    }
  }

  /** The hub credits what it sees; if it does not for long, this side signs the deposit first. */
  async #credited(asset: Address, transactionHashes: readonly Hash[]): Promise<void> {
    const { engine, now, sleep } = this.#deps;
    const started = now();
    let reason: unknown = "it does not answer in time";
    for (;;) {
      const ledger = (await engine.refreshView()).ledgers.get(asset);
      const row = rowOf(engine.state, asset);
      const target = ledger?.depositedUser ?? 0n;
      if (target > 0n && row.depositedUser >= target && engine.record.pending.length === 0) return;
      if (now() - started > PATIENCE_MS) {
        throw clientError("DepositNotCredited", { asset, transactionHashes, reason: messageOf(reason) }, reason);
      }
      reason = (await this.#creditStep(asset, now() - started)) ?? reason;
      await sleep(STEP_MS);
    }
  }

  async #creditStep(asset: Address, waitedMs: number): Promise<unknown> {
    const { engine, log } = this.#deps;
    try {
      await engine.level();
      const ledger = engine.view.ledgers.get(asset);
      const row = rowOf(engine.state, asset);
      if (waitedMs < HUB_WITHDRAWS_MS / 2 || ledger === undefined || ledger.depositedUser <= row.depositedUser)
        return undefined;
      const { depositedHub, depositedUser } = ledger;
      await engine.propose([{ reason: "Deposit", args: { asset, depositedHub, depositedUser } }]);
      return undefined;
    } catch (error) {
      log(`the deposit is not credited yet: ${messageOf(error)}`);
      return error;
    }
  }

  // ------------------------------------------------------------------------------------------------------- exchange

  async #quote(
    sellAsset: Address,
    buyAsset: Address,
    sellAmount: bigint,
    expectedRate: bigint | undefined,
  ): Promise<{ readonly args: ExchangeArgs; readonly wire: never; readonly sigHub: Signature }> {
    const { hub, now, sleep, hubAddress } = this.#deps;
    const expected = expectedRate ?? (await this.#expectedRate(sellAsset, buyAsset));
    const started = now();
    for (;;) {
      try {
        const body = { sellAsset, buyAsset, sellAmount: sellAmount.toString() };
        const answer = await hub.call("requestExchange", { params: { user: this.address }, body });
        const quote = parseQuote(answer.quote);
        const sigHub = answer.sigHub.toLowerCase() as Signature;
        const wrong = checkSignature(hubAddress, hashExchangeQuote(quote), sigHub, this.#domain());
        if (wrong) throw clientError("QuoteMalformed", { reason: wrong.message });
        const { user, ...args } = quote;
        this.#requireAsked(user, args, { sellAsset, buyAsset, sellAmount }, expected);
        return { args, wire: answer.quote as never, sigHub };
      } catch (error) {
        // The hub is bringing what it sells into this channel.
        if (!hasCode(error, "AmountTooLargeForExchange") || now() - started > PATIENCE_MS / 4) throw error;
        await sleep(STEP_MS * 2);
        await this.#deps.engine.level();
      }
    }
  }

  /** The caller's own source of prices where there is one, otherwise what the hub publishes. @throws PairUnknown */
  async #expectedRate(sellAsset: Address, buyAsset: Address): Promise<bigint> {
    const { hub, rateOf } = this.#deps;
    if (rateOf !== undefined) return rateOf(sellAsset, buyAsset);
    const { rates } = await hub.call("getExchangeRates", {});
    const found = rates.find((rate) => rate.sellAsset === sellAsset && rate.buyAsset === buyAsset);
    if (found === undefined) throw hubError("PairUnknown", { sellAsset, buyAsset });
    return BigInt(found.rate);
  }

  /** W-9: what is signed is what was asked for, at a rate that the caller accepts. */
  #requireAsked(
    user: Address,
    args: ExchangeArgs,
    asked: Pick<ExchangeArgs, "sellAsset" | "buyAsset" | "sellAmount">,
    expectedRate: bigint,
  ): void {
    const isAsked = (["sellAsset", "buyAsset", "sellAmount"] as const).every((name) => args[name] === asked[name]);
    if (user !== this.address || !isAsked)
      throw clientError("QuoteMalformed", { reason: "it is for another exchange" });
    if (args.buyAmount !== amountAtRate(args.sellAmount, args.rate)) {
      throw clientError("QuoteMalformed", { reason: "its amount does not follow from its rate" });
    }
    const millionths = BigInt(Math.floor((1 - this.#deps.maxSlippage) * 1_000_000));
    const least = (expectedRate * millionths) / 1_000_000n;
    if (args.rate < least) throw clientError("SlippageTooHigh", { expected: least, given: args.rate });
  }

  // ------------------------------------------------------------------------------------------------------- payments

  #paymentOf(input: PaymentInput, path: string): WirePaymentRequest {
    const ceilingOf = (asset: Address): bigint | undefined => {
      const limits = this.#deps.config.assets.find((each) => each.asset === asset);
      return limits && BigInt(limits.collateralCeiling);
    };
    return readPayment(input, path, { token: this.#token(), ceilingOf });
  }

  /** One payment to the hub per asset, over the sum and the ids of its payments. */
  #stepsFor(id: string, payments: readonly WirePaymentRequest[]): readonly Step[] {
    const assets = [...new Set(payments.map(({ asset }) => parseAddress(asset)))];
    return assets.map((asset): Step => {
      const own = payments.flatMap((payment, i) => (payment.asset === asset ? [{ payment, i }] : []));
      const amount = own.reduce((sum, { payment }) => sum + BigInt(payment.amount), 0n);
      const ids = own.map(({ i }) => paymentIdOf(this.address, id, i));
      return { reason: "Payment", args: { recipient: "hub", asset, amount, payments: ids } };
    });
  }

  async #findPurchase(id: string): Promise<WirePurchase | undefined> {
    try {
      return await this.#deps.hub.call("getPurchase", { params: { id } });
    } catch (error) {
      if (hasCode(error, "NotFound")) return undefined;
      throw error;
    }
  }

  /** What arrived comes with the hub's signature under it. @throws ReceiptMissing */
  #checked({ id, payments }: WirePurchase): Purchase & { readonly payments: readonly WirePayment[] } {
    for (const payment of payments) {
      if (payment.status !== "forwarded" && payment.status !== "custodial") continue;
      const { receipt: wire, sigReceipt, paymentId } = payment;
      const receipt = wire && parseStruct(receiptType, wire, "receipt");
      const fits =
        receipt !== undefined &&
        receipt.purchaseId === id &&
        receipt.paymentId === paymentId &&
        receipt.payee === payment.payee &&
        receipt.amount === BigInt(payment.amount) &&
        checkSignature(
          this.#deps.hubAddress,
          hashReceipt(receipt),
          (sigReceipt ?? "0x") as Signature,
          this.#domain(),
        ) === undefined;
      if (!fits) throw clientError("ReceiptMissing", { paymentId });
    }
    return { id, payments };
  }

  // ----------------------------------------------------------------------------------------------------- withdrawals

  async #sale(
    options: WithdrawOptions,
  ): Promise<{ readonly args: ExchangeArgs; readonly wire: never; readonly sigHub: Signature } | undefined> {
    const sale = readSale(options, this.#token());
    return sale && this.#quote(sale.token, ZERO_ADDRESS, sale.amount, sale.expectedRate);
  }

  async #executed(state: ChannelState): Promise<void> {
    const { engine, chain, now, sleep } = this.#deps;
    const started = now();
    let isSent = false;
    for (;;) {
      const { ledgers } = await engine.refreshView();
      const isDone = state.assets.every(
        ({ asset, withdrawnUser }) => (ledgers.get(asset)?.withdrawnUser ?? 0n) >= withdrawnUser,
      );
      if (isDone) return;
      const waited = now() - started;
      if (waited > PATIENCE_MS) throw clientError("TimedOut", { what: "the withdrawal", seconds: PATIENCE_MS / 1000 });
      if (waited > HUB_WITHDRAWS_MS && !isSent) {
        isSent = true;
        await this.#withdrawAlone(chain, state);
      }
      await sleep(STEP_MS);
    }
  }

  async #withdrawAlone(chain: ChainClient, state: ChannelState): Promise<void> {
    const signed = this.#deps.engine.record.doubleSigned;
    if (signed === undefined || signed.state.nonce < state.nonce) return;
    const sent = await chain.withdraw(signed.state, signed.sigHub, signed.sigUser);
    await sent.wait();
  }

  // ---------------------------------------------------------------------------------------------------------- exits

  /** The newest state both signed; before any, the unsigned zero with everything that is on chain. */
  #exitState(): DoubleSigned {
    const { engine } = this.#deps;
    if (engine.record.doubleSigned !== undefined) return engine.record.doubleSigned;
    const { user, session } = baseOf(engine.record);
    const assets = [...engine.view.ledgers].filter(([, ledger]) => ledger.depositedHub + ledger.depositedUser > 0n);
    const state = unsignedState(
      user,
      session,
      assets.map(([asset]) => asset),
    );
    return { state, sigHub: "0x", sigUser: "0x" };
  }

  /** One look at a time. */
  #look(): Promise<void> {
    this.#watching ??= this.#watch()
      .catch((error: unknown) => this.#note(`the chain could not be read: ${messageOf(error)}`))
      .finally(() => {
        this.#watching = undefined;
      });
    return this.#watching;
  }

  /** Answers an exit with something newer, as often as it takes, and settles after the window, by itself. */
  async #watch(): Promise<void> {
    const { engine, chain, autoSettle, signer, threads } = this.#deps;
    const { exit, headTimestamp } = await engine.refreshView();
    if (engine.isWaiting || !this.#isConnected) this.#levelSoon();
    const newest = engine.record.doubleSigned;
    await threads.disputes.look();
    if (exit === undefined || signer.ethers === undefined) return;
    const isOver = BigInt(headTimestamp) >= exit.deadline;
    if (!isOver && newest !== undefined && newest.state.nonce > exit.nonce) {
      const sent = await chain.challenge(newest.state, newest.sigHub, newest.sigUser);
      await sent.wait();
      await engine.refreshView();
    }
    if (isOver && autoSettle && this.#exitState().state.nonce === exit.nonce) await this.settle();
  }

  #levelSoon(): void {
    if (this.#isLevelling) return;
    this.#isLevelling = true;
    void this.#level()
      .catch((error: unknown) => this.#note(`not level with the hub: ${messageOf(error)}`))
      .finally(() => {
        this.#isLevelling = false;
      });
  }

  /** What fails because the client was stopped is no news. */
  #note(line: string): void {
    if (!this.#isStopped) this.#deps.log(line);
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => this.#schedule());
    }, this.#deps.pollIntervalMs);
    (this.#timer as { unref?: () => void }).unref?.();
  }

  // --------------------------------------------------------------------------------------------------------- assets

  /** The token that `amountToken` means: the first of the hub's that is not ETH. */
  #token(): Address | undefined {
    return this.#deps.assets.find((asset) => asset !== ZERO_ADDRESS);
  }

  #otherThan(asset: Address): Address {
    const other = asset === ZERO_ADDRESS ? this.#token() : ZERO_ADDRESS;
    if (other === undefined)
      throw protocolError("InvalidValue", { path: "to", expected: "an asset", given: undefined });
    return other;
  }

  #domain(): Parameters<typeof checkSignature>[3] {
    return this.#deps.engine.domain;
  }
}

function addTo(amounts: readonly Amount[], asset: Address, amount: bigint): readonly Amount[] {
  const isThere = amounts.some((each) => each.asset === asset);
  if (!isThere) return [...amounts, { asset, amount }];
  return amounts.map((each) => (each.asset === asset ? { asset, amount: each.amount + amount } : each));
}

/** From the platform's own source of randomness, which browsers and Node share. */
function randomBytes(count: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(count));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
