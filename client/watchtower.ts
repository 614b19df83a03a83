import {
  checkSignature,
  formatState,
  formatThreadEvidence,
  hashState,
  hashWatchReceipt,
  hashWatchThreadReceipt,
  parseAddress,
  parseStruct,
  threadHashOf,
  threadReceiptOf,
  watchReceiptType,
  watchThreadReceiptType,
  watchtowerDomain,
  type Address,
  type Domain,
  type Signature,
  type ThreadEvidence,
  type WatchReceipt,
  type WatchThreadReceipt,
  type WatchtowerOutput,
  type WireGuardRequest,
  type WireWatchReceipts,
} from "../protocol";
import { ask } from "./backup/http-tower";
import type { DoubleSigned } from "./engine/record";
import { clientError, hasCode, messageOf } from "./errors";
import type { Schedule } from "./schedule";

/** How a tower is used. */
export interface TowerOptions {
  /** `https://tower.example`. */
  readonly url: string;
  /** Address of its key, as its operator publishes it. Default: what it says of itself at first. */
  readonly tower?: string;
  /** Most that is paid for one period, base units of the tower's asset; default 0: then an unpaid tower refuses. */
  readonly payUpTo?: bigint;
  /** How long the tower may be behind before there is an alarm, ms. Default 60,000. */
  readonly graceMs?: number;
  /** Default 15,000. */
  readonly timeoutMs?: number;
}

/** Promises of a tower that were checked; `wire` is the document for `scripts/verify-receipt.ts`. */
export interface TowerReceipts {
  readonly receipt: WatchReceipt;
  readonly threads: readonly WatchThreadReceipt[];
  readonly wire: WireWatchReceipts;
}

/** The last receipt is older than the own state, for too long. */
export interface TowerAlarm {
  readonly url: string;
  /** Session and nonce of the own state. */
  readonly session: bigint;
  readonly newest: bigint;
  /** Nonce of the last receipt in that session. */
  readonly guarded: bigint | undefined;
  readonly reason: string;
}

/** What a guard knows of its client. */
export interface GuardSource {
  readonly domain: Domain;
  readonly signed: () => DoubleSigned | undefined;
  /** Of every thread of that state; undefined while one of them is not known whole. */
  readonly threads: () => readonly ThreadEvidence[] | undefined;
  /** Pays the tower once for this id. @returns The hub's receipt. */
  readonly payFee: (id: string, payee: Address, asset: Address, amount: bigint) => Promise<WireGuardRequest["fee"]>;
  readonly alarm: (alarm: TowerAlarm) => void;
  readonly now: () => number;
  readonly schedule: Schedule;
  readonly log: (line: string) => void;
}

const RETRY_MS = 5_000;

/** Several changes within this time are one request. */
const GATHER_MS = 100;

/**
 * Keeps one tower level with a client's newest double-signed state. Each receipt is checked before it counts; where the
 * tower stays behind, there is an alarm. It never holds anything up: a tower that is away costs no payment.
 */
export class TowerGuard {
  readonly #source: GuardSource;
  readonly #options: TowerOptions;
  #tower: Address | undefined;
  #last: TowerReceipts | undefined;
  #behindSinceMs: number | undefined;
  #hasAlarmed = false;
  #isClosed = false;
  #callOff: (() => void) | undefined;
  #running: Promise<unknown> = Promise.resolve();

  /** @internal Use `client.registerWithTower`. */
  constructor(source: GuardSource, options: TowerOptions) {
    this.#source = source;
    this.#options = { ...options, url: options.url.replace(/\/+$/, "") };
    this.#tower = options.tower === undefined ? undefined : parseAddress(options.tower, "tower");
  }

  /** The newest promises that were checked. */
  get receipts(): TowerReceipts | undefined {
    return this.#last;
  }

  /** Whether the tower guards an older state than the client's own. */
  get isBehind(): boolean {
    const state = this.#source.signed()?.state;
    return state !== undefined && !this.#covers(state.session, state.nonce);
  }

  /** @internal The client's state or threads changed. */
  changed(): void {
    this.#again(GATHER_MS);
  }

  /**
   * Gives the tower the newest state now.
   * @returns What it promised; nothing while there is no state to guard
   * @throws TowerUnreachable, TowerReceiptWrong, TowerFeeUnpaid and what else the tower answers
   */
  sync(): Promise<TowerReceipts | undefined> {
    const next = this.#running.then(() => this.#sync());
    this.#running = next.catch(() => undefined);
    return next;
  }

  /** What the tower itself says of this user: alarms, and until when it is paid. @throws TowerUnreachable */
  status(user: Address): Promise<WatchtowerOutput<"getStatus">> {
    return ask(this.#way(), "getStatus", user, {});
  }

  /** Ends what runs. The tower goes on guarding what it has. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#callOff?.();
    await this.#running;
  }

  async #sync(): Promise<TowerReceipts | undefined> {
    const signed = this.#source.signed();
    const threads = this.#source.threads();
    if (signed === undefined) return undefined;
    if (this.#isBehindOf(signed)) this.#behindSinceMs ??= this.#source.now();
    if (threads === undefined) {
      this.#lookAtTime("a thread of the state is not known whole yet");
      return undefined;
    }
    try {
      this.#last = this.#checked(await this.#give(signed, threads), signed, threads);
    } catch (error) {
      this.#lookAtTime(messageOf(error));
      throw error;
    }
    this.#behindSinceMs = undefined;
    this.#hasAlarmed = false;
    return this.#last;
  }

  async #give(signed: DoubleSigned, threads: readonly ThreadEvidence[]): Promise<WireWatchReceipts> {
    const { state, sigHub, sigUser } = signed;
    const body: WireGuardRequest = {
      signed: { state: formatState(state), sigHub, sigUser },
      threads: threads.map(formatThreadEvidence),
    };
    try {
      return await ask(this.#way(), "guard", state.user, { body });
    } catch (error) {
      if (!hasCode(error, "TowerFeeUnpaid") || (this.#options.payUpTo ?? 0n) === 0n) throw error;
      const fee = await this.#pay(state.user, error);
      return ask(this.#way(), "guard", state.user, { body: { ...body, ...(fee === undefined ? {} : { fee }) } });
    }
  }

  /** One purchase a period, by an id of its own: an answer that was lost does not pay twice. */
  async #pay(user: Address, unpaid: Error): Promise<WireGuardRequest["fee"]> {
    const { fee, tower } = await ask(this.#way(), "getConfig", user, {});
    if (fee === undefined) throw unpaid;
    const amount = BigInt(fee.amount);
    if (amount > (this.#options.payUpTo ?? 0n)) throw unpaid;
    const { paidUntil = 0 } = await this.status(user);
    const id = `tower-${tower.slice(2, 12)}-${paidUntil}`;
    return this.#source.payFee(id, parseAddress(fee.payee, "fee.payee"), parseAddress(fee.asset, "fee.asset"), amount);
  }

  /** @throws TowerReceiptWrong */
  #checked(wire: WireWatchReceipts, { state }: DoubleSigned, threads: readonly ThreadEvidence[]): TowerReceipts {
    const receipt = parseStruct<WatchReceipt>(watchReceiptType, wire.receipt, "receipt");
    const tower = (this.#tower ??= receipt.tower);
    const domain = watchtowerDomain(this.#source.domain.chainId, this.#source.domain.verifyingContract);
    const { user, session, nonce } = state;
    const expected = { tower, user, session, nonce, stateHash: hashState(state), receivedAt: receipt.receivedAt };
    const wrong = checkSignature(tower, hashWatchReceipt(expected), wire.signature.toLowerCase() as Signature, domain);
    if (wrong !== undefined)
      throw clientError("TowerReceiptWrong", { url: this.#options.url, what: "the state" }, wrong);
    return { receipt: expected, threads: this.#checkedThreads(wire, tower, domain, threads), wire };
  }

  /** Better evidence than was given may be there: of the other party's. Less may not. */
  #checkedThreads(
    wire: WireWatchReceipts,
    tower: Address,
    domain: Domain,
    given: readonly ThreadEvidence[],
  ): readonly WatchThreadReceipt[] {
    const read = wire.threads.map(({ receipt, signature }) => ({
      receipt: parseStruct<WatchThreadReceipt>(watchThreadReceiptType, receipt, "threads"),
      signature: signature.toLowerCase() as Signature,
    }));
    return given.map((evidence) => {
      const hash = threadHashOf(evidence);
      const found = read.find(({ receipt }) => receipt.threadHash === hash);
      const user = parseAddress(wire.receipt.user, "receipt.user");
      const least = threadReceiptOf(tower, user, evidence, 0n);
      const isGood =
        found !== undefined &&
        isAtLeast(found.receipt, least) &&
        checkSignature(tower, hashWatchThreadReceipt(found.receipt), found.signature, domain) === undefined;
      if (!isGood) throw clientError("TowerReceiptWrong", { url: this.#options.url, what: `thread ${hash}` });
      return found.receipt;
    });
  }

  #covers(session: bigint, nonce: bigint): boolean {
    const last = this.#last?.receipt;
    return last !== undefined && (last.session > session || (last.session === session && last.nonce >= nonce));
  }

  #isBehindOf({ state }: DoubleSigned): boolean {
    return !this.#covers(state.session, state.nonce);
  }

  #lookAtTime(reason: string): void {
    const { now, alarm, signed, log } = this.#source;
    log(`the tower at ${this.#options.url} is behind: ${reason}`);
    this.#again(RETRY_MS);
    const state = signed()?.state;
    if (this.#behindSinceMs === undefined || state === undefined || this.#hasAlarmed) return;
    if (now() - this.#behindSinceMs < (this.#options.graceMs ?? 60_000)) return;
    this.#hasAlarmed = true;
    const { session, nonce: newest } = state;
    const guarded = this.#last?.receipt.session === session ? this.#last.receipt.nonce : undefined;
    alarm({ url: this.#options.url, session, newest, guarded, reason });
  }

  #again(afterMs: number): void {
    if (this.#isClosed) return;
    this.#callOff?.();
    this.#callOff = this.#source.schedule(() => void this.sync().catch(() => undefined), afterMs);
  }

  #way(): { readonly url: string; readonly timeoutMs: number } {
    return { url: this.#options.url, timeoutMs: this.#options.timeoutMs ?? 15_000 };
  }
}

function isAtLeast(given: WatchThreadReceipt, least: WatchThreadReceipt): boolean {
  return (
    given.tower === least.tower &&
    given.user === least.user &&
    given.payment >= least.payment &&
    (given.updateNonce > least.updateNonce ||
      (given.updateNonce === least.updateNonce && given.updateBalance === least.updateBalance))
  );
}
