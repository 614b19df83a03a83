import { Transaction as EthersTransaction, type Provider, type TransactionLike } from "ethers";
import type { Address, Hash, Hex } from "../../protocol";
import { isRevert, refusalOf } from "../../protocol/chain/contract-error";
import type { Clock } from "../clock";
import type { Log } from "../log";
import type { Outgoing, OutgoingRequest } from "../services/outgoing";
import type { Transaction } from "../store/database";
import type { Store } from "../store/store";
import type { TransactionRow } from "../store/transaction-store";
import { bumped, canReplace, capped, currentFees, type Fees } from "./fees";

/** Signs transactions with the hub's key; a remote signer fits as well. */
export interface TransactionSigner {
  readonly address: Address;
  signTransaction(transaction: TransactionLike): Promise<string>;
}

export interface SenderDeps {
  readonly provider: Provider;
  readonly signer: TransactionSigner;
  readonly store: Pick<Store, "database" | "transactions">;
  readonly clock: Clock;
  readonly log: Log;
  readonly chainId: number;
  /** Depth at which a transaction is final; 1 is "mined". */
  readonly confirmations: number;
  readonly pollIntervalMs: number;
  /** No offer per gas goes above it. */
  readonly maxFeePerGasCap: bigint;
  /** A transaction that is not mined after so long is offered more. */
  readonly bumpAfterMs: number;
  /** Told of each final transaction at least once. */
  readonly onFinal: (row: TransactionRow) => Promise<void>;
}

/** In flight at a time: a longer queue of nonces behind a stuck one helps nobody. */
const MAX_IN_FLIGHT = 16;

/** Above the estimate: a quarter, and what a payout's fixed allowance may want on top. */
const GAS_MARGIN = 30_000n;

/** In the last part of a window, a dispute's fees rise at every step. */
const URGENT_SECONDS = 3_600;

/**
 * The only thing that sends with the hub's key. It owns the nonces: each is given to one row, on disk before anything is
 * broadcast, and the row keeps it until some attempt of it is final. Source: docs/operations.md "Transactions".
 */
export class TransactionSender implements Outgoing {
  readonly #deps: SenderDeps;
  #stepping: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #isStarted = false;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  enqueue(tx: Transaction, request: OutgoingRequest): void {
    const { store, clock } = this.#deps;
    const { id, to, data, valueWei, kind, deadlineSeconds } = request;
    const base = { id, to: to as Address, data: data as Hex, valueWei, kind, createdAtMs: clock.now() };
    store.transactions.enqueue(tx, deadlineSeconds === undefined ? base : { ...base, deadlineSeconds });
  }

  wake(): void {
    if (this.#isStarted && !this.#isClosed) this.#schedule(0);
  }

  start(): void {
    this.#isStarted = true;
    this.#schedule(0);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#stepping?.catch(() => undefined);
  }

  /** One pass over everything that is open: what is mined, what must be offered more, what can be sent. */
  async step(): Promise<void> {
    await this.#stepping?.catch(() => undefined);
    this.#stepping = this.#stepOnce();
    await this.#stepping;
  }

  /** Offers more for a transaction that is not mined. @returns Whether there was one. */
  async bump(id: string): Promise<boolean> {
    await this.#stepping?.catch(() => undefined);
    const row = await this.#deps.store.transactions.find(id);
    if (row?.status !== "sent") return false;
    await this.#raise(row);
    return true;
  }

  async #stepOnce(): Promise<void> {
    const { store, provider, signer, confirmations } = this.#deps;
    const inFlight = await store.transactions.inFlight();
    if (inFlight.length > 0) {
      const head = await provider.getBlockNumber();
      const deep = Math.max(0, head - confirmations + 1);
      const used = await provider.getTransactionCount(signer.address, deep);
      for (const row of inFlight) await this.#check(row, head, used);
    }
    await this.#sendQueued();
    await this.#tell();
  }

  /**
   * Where a transaction is, whichever of its attempts the chain took.
   * @param usedNonces The account's count where nothing changes any more, asked before the receipts: below it, an attempt
   * without a receipt was not the one that used the nonce.
   */
  async #check(row: TransactionRow, head: number, usedNonces: number): Promise<void> {
    const { store, confirmations, provider } = this.#deps;
    const attempts = await store.transactions.attempts(row.id);
    for (const { transactionHash } of attempts) {
      const receipt = await provider.getTransactionReceipt(transactionHash);
      if (receipt === null) continue;
      await store.database.write((tx) => {
        if (row.transactionHash !== transactionHash || row.minedBlock !== receipt.blockNumber) {
          store.transactions.markMined(tx, row.id, transactionHash, receipt.blockNumber);
        }
        if (head - receipt.blockNumber + 1 < confirmations) return;
        store.transactions.markFinal(tx, row.id, receipt.status === 1 ? undefined : "reverted on chain");
      });
      return;
    }
    if (row.status === "mined") await store.database.write((tx) => store.transactions.markUnmined(tx, row.id));
    if ((row.nonce ?? 0) < usedNonces) return this.#nonceTaken(row);
    await this.#keepGoing(row, attempts[0]?.raw);
  }

  /** Something that this store does not know used the nonce: the key is used elsewhere, or the store is an older copy. */
  async #nonceTaken(row: TransactionRow): Promise<void> {
    const { store, log } = this.#deps;
    log.warn(`nonce ${row.nonce} of transaction ${row.id} was used by another one; it is sent again`);
    await store.database.write((tx) => store.transactions.requeue(tx, row.id));
  }

  async #keepGoing(row: TransactionRow, raw: Hex | undefined): Promise<void> {
    if (raw !== undefined) await this.#broadcast(row.id, raw); // the node may have dropped it, or never got it
    const { clock, bumpAfterMs } = this.#deps;
    const waitedMs = clock.now() - (row.sentAtMs ?? 0);
    const leftSeconds = (row.deadlineSeconds ?? Infinity) - clock.now() / 1000;
    const patienceMs = leftSeconds < URGENT_SECONDS ? bumpAfterMs / 4 : bumpAfterMs;
    if (waitedMs >= patienceMs) await this.#raise(row);
  }

  async #raise(row: TransactionRow): Promise<void> {
    const { provider, maxFeePerGasCap, log } = this.#deps;
    const last: Fees = { maxFeePerGas: row.maxFeePerGas ?? 0n, maxPriorityFeePerGas: row.maxPriorityFeePerGas ?? 0n };
    const next = bumped(last, await currentFees(provider), maxFeePerGasCap);
    if (!canReplace(last, next)) return log.warn(`transaction ${row.id} waits at the highest fee that is allowed`);
    await this.#send(row, row.nonce ?? 0, row.gasLimit ?? 0n, next);
  }

  async #sendQueued(): Promise<void> {
    const { store, provider, maxFeePerGasCap } = this.#deps;
    const inFlight = await store.transactions.inFlight();
    const queued = await store.transactions.queued(MAX_IN_FLIGHT);
    const room = MAX_IN_FLIGHT - inFlight.filter(({ status }) => status === "sent").length;
    for (const row of queued.slice(0, Math.max(0, room))) {
      if (this.#isClosed) return;
      const gasLimit = await this.#estimate(row);
      if (gasLimit === undefined) continue;
      const fees = capped(await currentFees(provider), maxFeePerGasCap);
      await this.#send(row, await this.#nextNonce(), gasLimit, fees);
    }
  }

  /** What would revert is not sent and takes no nonce. @returns Nothing if it failed, or if the node does not answer. */
  async #estimate({ id, to, data, valueWei, deadlineSeconds }: TransactionRow): Promise<bigint | undefined> {
    const { provider, signer, store, clock, log } = this.#deps;
    if (deadlineSeconds !== undefined && clock.now() / 1000 >= deadlineSeconds) {
      await store.database.write((tx) => store.transactions.markFailed(tx, id, "its deadline passed"));
      return undefined;
    }
    try {
      const estimate = await provider.estimateGas({ from: signer.address, to, data, value: valueWei });
      return (estimate * 5n) / 4n + GAS_MARGIN;
    } catch (error) {
      if (!isRevert(error)) {
        log.warn(`transaction ${id} waits: ${refusalOf(error).reason}`);
        return undefined;
      }
      const { error: named, reason } = refusalOf(error);
      log.warn(`transaction ${id} would fail: ${reason}`);
      await store.database.write((tx) => store.transactions.markFailed(tx, id, named?.code ?? reason.slice(0, 300)));
      return undefined;
    }
  }

  /** Gapless: after the chain's count and after everything this store has in flight. */
  async #nextNonce(): Promise<number> {
    const { provider, signer, store } = this.#deps;
    const mined = await provider.getTransactionCount(signer.address, "latest");
    const own = (await store.transactions.inFlight()).flatMap(({ nonce }) => nonce ?? []);
    return Math.max(mined, ...own.map((nonce) => nonce + 1));
  }

  /** On disk, then broadcast: a crash in between finds the attempt and sends it again. */
  async #send(row: TransactionRow, nonce: number, gasLimit: bigint, fees: Fees): Promise<void> {
    const { signer, store, clock, chainId } = this.#deps;
    const { to, data, valueWei } = row;
    const raw = (await signer.signTransaction({
      type: 2,
      chainId,
      nonce,
      to,
      data,
      value: valueWei,
      gasLimit,
      ...fees,
    })) as Hex;
    const transactionHash = EthersTransaction.from(raw).hash as Hash;
    const sent = { ...row, nonce, gasLimit, ...fees, sentAtMs: clock.now() };
    await store.database.write((tx) => store.transactions.markSent(tx, sent, { transactionHash, raw }));
    await this.#broadcast(row.id, raw);
  }

  /** A refusal is no answer about the transaction: what the chain did is asked at the next step. */
  async #broadcast(id: string, raw: Hex): Promise<void> {
    try {
      await this.#deps.provider.broadcastTransaction(raw);
    } catch (error) {
      if (isKnown(error)) return;
      this.#deps.log.warn(`transaction ${id} was not taken by the node now: ${refusalOf(error).reason.slice(0, 300)}`);
    }
  }

  async #tell(): Promise<void> {
    const { store, onFinal, log } = this.#deps;
    for (const row of await store.transactions.untold(MAX_IN_FLIGHT)) {
      try {
        await onFinal(row);
        await store.database.write((tx) => store.transactions.markTold(tx, row.id));
      } catch (error) {
        log.error(`the end of transaction ${row.id} could not be booked; it is tried again`, error);
      }
    }
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), delayMs);
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    try {
      await this.step();
    } catch (error) {
      this.#deps.log.warn(`transactions wait: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#schedule(this.#deps.pollIntervalMs);
  }
}

/** The node has it already, or has mined one with this nonce: ethers' codes, not the node's words (H-9). */
function isKnown(error: unknown): boolean {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return code === "NONCE_EXPIRED" || code === "REPLACEMENT_UNDERPRICED";
}
