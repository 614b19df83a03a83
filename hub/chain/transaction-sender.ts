import { Transaction as EthersTransaction, type Provider, type TransactionLike, type TransactionReceipt } from "ethers";
import type { Address, Hash, Hex } from "../../protocol";
import type { Clock } from "../clock";
import type { Log } from "../log";
import type { Outgoing, OutgoingRequest } from "../services/outgoing";
import type { Transaction } from "../store/database";
import type { Store } from "../store/store";
import type { TransactionRow } from "../store/transaction-store";
import { bumped, canReplace, capped, currentFees, ladderOf, type Fees, type Ladder } from "../../protocol/chain/fees";
import { outcomeOf, Outcomes, type Outcome } from "./outcomes";
import { preflight, reasonOfRevert, userOfNonce } from "./preflight";
import { Turns } from "./turns";

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
  /** No offer per gas goes above it, except for a dispute in the last part of its window. */
  readonly maxFeePerGasCap: bigint;
  /** What such a dispute, and whatever it has to wait for, may offer per gas; not below the other one. */
  readonly disputeFeePerGasCap: bigint;
  /** A transaction that is not mined after so long is offered more. */
  readonly bumpAfterMs: number;
  /** Told of each final transaction at least once. */
  readonly onFinal: (row: TransactionRow) => Promise<void>;
}

/** What one pass knows of the chain. */
interface Pass {
  readonly headNumber: number;
  /** Nonces below it are used, at the newest block. */
  readonly usedNonces: number;
  readonly fees: () => Promise<Fees>;
}

/** In flight at a time: a longer queue of nonces behind a stuck one helps nobody. Disputes do not count. */
const MAX_IN_FLIGHT = 16;

/** A dispute that would fail is tried for so many blocks: the node may not have the block that it answers yet. */
const DISPUTE_BLOCKS = 32;

/** A dispute that was mined without effect and would have one now is sent again, so often. */
const MAX_REVERTS = 3;

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;
const MAX_CLOSE_MS = 5_000;

/**
 * The only thing that sends with the hub's key. It owns the nonces: each is given to one row, on disk before anything is
 * broadcast, and the row keeps it until some attempt of it is final. Source: docs/operations.md "Transactions".
 */
export class TransactionSender implements Outgoing {
  readonly #deps: SenderDeps;
  readonly #turns = new Turns();
  readonly #outcomes: Outcomes;
  /** When this process last broadcast each row that is in flight, Unix ms. */
  readonly #broadcastAtMs = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #isRunning = false;
  /** Whether `wake` came while a pass ran. */
  #isWoken = false;
  #isClosed = false;
  #isStarted = false;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
    this.#outcomes = new Outcomes(deps.store.transactions);
  }

  /** Queues a transaction. It is on disk when this resolves; the same id again changes nothing. */
  async submit(request: OutgoingRequest): Promise<void> {
    await this.#deps.store.database.write((tx) => this.enqueue(tx, request));
    this.wake();
  }

  enqueue(tx: Transaction, request: OutgoingRequest): void {
    const { store, clock } = this.#deps;
    const { id, to, data, valueWei, kind, deadlineSeconds, gasLimit } = request;
    const base = { id, to: to as Address, data: data as Hex, valueWei, kind, createdAtMs: clock.now() };
    const deadline = deadlineSeconds === undefined ? {} : { deadlineSeconds };
    store.transactions.enqueue(tx, {
      ...base,
      ...deadline,
      ...(gasLimit === undefined ? {} : { wantedGas: gasLimit }),
    });
  }

  wake(): void {
    if (this.#isRunning) this.#isWoken = true;
    else if (this.#isStarted) this.#schedule(0);
  }

  start(): void {
    this.#isStarted = true;
    this.#schedule(0);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#outcomes.close();
    await this.#turns.ended(MAX_CLOSE_MS);
  }

  /** One pass over everything that is open: what is mined, what must be offered more, what can be sent. */
  step(): Promise<void> {
    return this.#turns.run(() => this.#step());
  }

  /** What is known of a transaction; nothing of an id that was never submitted. */
  async outcomeOf(id: string): Promise<Outcome | undefined> {
    return outcomeOf(await this.#deps.store.transactions.find(id));
  }

  /** As `outcomeOf`, when it is final or `timeoutMs` have passed: a timeout says "open", never "failed". */
  wait(id: string, timeoutMs: number): Promise<Outcome | undefined> {
    return this.#outcomes.wait(id, timeoutMs);
  }

  /** The newest first. */
  list(limit: number): Promise<readonly TransactionRow[]> {
    return this.#deps.store.transactions.list(limit);
  }

  /** Offers more for a transaction that is not mined. @returns Whether there was one, and more is allowed. */
  bump(id: string): Promise<boolean> {
    return this.#turns.run(async () => {
      const row = await this.#deps.store.transactions.find(id);
      if (row?.status !== "sent") return false;
      return this.#raise(row, await currentFees(this.#deps.provider), this.#ladderOf(row));
    });
  }

  async #step(): Promise<void> {
    if (this.#isClosed) return;
    const { store, clock } = this.#deps;
    const inFlight = await store.transactions.inFlight();
    const queued = await store.transactions.queued(MAX_IN_FLIGHT, clock.now());
    if (inFlight.length + queued.length > 0) {
      const pass = await this.#look();
      await this.#reopen(pass);
      await this.#follow(pass);
      await this.#sendQueued(queued, pass);
    }
    await this.#tell();
  }

  /** The head is asked first: a nonce that is free at the newest block was free in that one. */
  async #look(): Promise<Pass> {
    const { provider, signer } = this.#deps;
    const headNumber = await provider.getBlockNumber();
    const usedNonces = await provider.getTransactionCount(signer.address, "latest");
    let fees: Promise<Fees> | undefined;
    return { headNumber, usedNonces, fees: () => (fees ??= currentFees(provider)) };
  }

  /** A fork deeper than the confirmations takes back what was final: it is sent again, with the nonce that it has. */
  async #reopen({ usedNonces, headNumber }: Pass): Promise<void> {
    const { store, log, confirmations } = this.#deps;
    for (const { id, isFinal, minedBlock = 0 } of await store.transactions.holders(usedNonces)) {
      if (!isFinal || headNumber < minedBlock + confirmations - 1) continue; // or the node is merely behind
      log.error(`transaction ${id} was final and is gone from the chain; it is sent again`);
      await store.database.write((tx) => store.transactions.markUnmined(tx, id));
    }
  }

  /** Each by itself: what goes wrong with one stops no other. */
  async #follow(pass: Pass): Promise<void> {
    const { store, clock, bumpAfterMs } = this.#deps;
    const inFlight = await store.transactions.inFlight();
    let deadline = Infinity; // of the most urgent dispute that waits behind
    let isDispute = false;
    for (const row of [...inFlight].reverse()) {
      if (row.kind === "dispute") [isDispute, deadline] = [true, Math.min(deadline, row.deadlineSeconds ?? Infinity)];
      const leftSeconds = isDispute ? deadline - clock.now() / 1000 : undefined;
      const isUsed = row.nonce !== undefined && row.nonce < pass.usedNonces;
      const ladder = ladderOf(bumpAfterMs, leftSeconds);
      await this.#each(row, () => (isUsed ? this.#findMined(row, pass) : this.#keepGoing(row, pass, ladder)));
    }
  }

  /** The nonce is used: by whichever of its attempts the chain took, or by a transaction that this store does not know. */
  async #findMined(row: TransactionRow, pass: Pass): Promise<void> {
    const { store, provider } = this.#deps;
    for (const { transactionHash } of await store.transactions.attempts(row)) {
      const receipt = await provider.getTransactionReceipt(transactionHash);
      if (receipt !== null) return this.#mined(row, transactionHash, receipt, pass);
    }
    await this.#nonceTaken(row, pass);
  }

  async #mined(row: TransactionRow, hash: Hash, receipt: TransactionReceipt, { headNumber }: Pass): Promise<void> {
    const { store, confirmations, provider, signer, log } = this.#deps;
    const { blockNumber, status } = receipt;
    if (row.transactionHash !== hash || row.minedBlock !== blockNumber) {
      await store.database.write((tx) => store.transactions.markMined(tx, row.id, hash, blockNumber));
    }
    if (headNumber - blockNumber + 1 < confirmations) return;
    this.#broadcastAtMs.delete(row.id);
    if (status === 0 && row.kind === "dispute" && row.reverts + 1 < MAX_REVERTS) {
      log.warn(`transaction ${row.id} was mined without effect; it is tried again`);
      return store.database.write((tx) => store.transactions.requeue(tx, row.id, row.reverts + 1));
    }
    const error = status === 0 ? await reasonOfRevert(provider, signer.address, row, blockNumber) : undefined;
    await store.database.write((tx) => store.transactions.markFinal(tx, row.id, error));
    this.#outcomes.ended(row.id);
  }

  /**
   * No attempt has a receipt. Only the transaction that used the nonce, deep in the chain, proves that none of ours ever
   * will: signing again on less could send money twice.
   */
  async #nonceTaken(row: TransactionRow, { headNumber }: Pass): Promise<void> {
    const { store, log, provider, signer, confirmations } = this.#deps;
    const [nonce, deep] = [row.nonce ?? 0, headNumber - confirmations + 1];
    if (deep <= (row.freeBlock ?? 0) || (await provider.getTransactionCount(signer.address, deep)) <= nonce) return;
    const user = await userOfNonce(provider, signer.address, nonce, row.freeBlock ?? 0, deep);
    const own = (await store.transactions.attempts(row)).map(({ transactionHash }) => transactionHash);
    if (user === undefined || own.includes(user)) {
      log.warn(`nonce ${nonce} of transaction ${row.id} is used, and the node does not say by what`);
      return;
    }
    log.warn(`nonce ${nonce} of transaction ${row.id} was used by ${user}, sent by somebody else; it is signed again`);
    this.#broadcastAtMs.delete(row.id);
    await store.database.write((tx) => store.transactions.requeue(tx, row.id, row.reverts));
  }

  /** Not mined. The node may have dropped it, or never got it; and it may offer too little. */
  async #keepGoing(row: TransactionRow, pass: Pass, ladder: Ladder): Promise<void> {
    const { store, clock, bumpAfterMs } = this.#deps;
    if (row.status === "mined") {
      if (pass.headNumber < (row.minedBlock ?? 0)) return; // the node is merely behind
      await store.database.write((tx) => store.transactions.markUnmined(tx, row.id));
    }
    const now = clock.now();
    const isPatienceOver = now - (row.sentAtMs ?? 0) >= ladder.patienceMs;
    if (isPatienceOver && (await this.#raise(row, await pass.fees(), ladder))) return;
    if (now - (this.#broadcastAtMs.get(row.id) ?? 0) < bumpAfterMs / 2 && row.status === "sent") return;
    const [newest] = await store.transactions.attempts(row);
    if (newest !== undefined) await this.#broadcast(row.id, newest.raw);
  }

  /** @returns Whether a higher offer was made. */
  async #raise(row: TransactionRow, current: Fees, ladder: Ladder): Promise<boolean> {
    const { log } = this.#deps;
    const last: Fees = { maxFeePerGas: row.maxFeePerGas ?? 0n, maxPriorityFeePerGas: row.maxPriorityFeePerGas ?? 0n };
    const next = bumped(last, current, this.#capOf(ladder), ladder.risePercent);
    if (!canReplace(last, next)) {
      log.warn(`transaction ${row.id} waits at the highest fee that is allowed`);
      return false;
    }
    await this.#send({ ...row, ...next });
    return true;
  }

  #capOf({ isUrgent }: Ladder): bigint {
    const { maxFeePerGasCap: usual, disputeFeePerGasCap: urgent } = this.#deps;
    return isUrgent && urgent > usual ? urgent : usual;
  }

  /** By the transaction's own deadline, whatever waits behind it. */
  #ladderOf({ kind, deadlineSeconds = Infinity }: TransactionRow): Ladder {
    const { clock, bumpAfterMs } = this.#deps;
    return ladderOf(bumpAfterMs, kind === "dispute" ? deadlineSeconds - clock.now() / 1000 : undefined);
  }

  async #sendQueued(queued: readonly TransactionRow[], pass: Pass): Promise<void> {
    const { store } = this.#deps;
    let room = MAX_IN_FLIGHT - (await store.transactions.inFlight()).filter(({ kind }) => kind === "normal").length;
    for (const row of queued) {
      if (this.#isClosed) return;
      if (row.kind === "normal" && room-- <= 0) return;
      await this.#each(row, () => this.#sendOne(row, pass));
    }
  }

  async #sendOne(row: TransactionRow, pass: Pass): Promise<void> {
    const { provider, signer, clock, log } = this.#deps;
    if (row.deadlineSeconds !== undefined && clock.now() / 1000 >= row.deadlineSeconds) {
      return this.#fail(row, row.error ?? "its deadline passed");
    }
    const fees = capped(await pass.fees(), this.#capOf(this.#ladderOf(row)));
    const verdict = await preflight(provider, signer.address, row, fees.maxFeePerGas, await this.#spendableWei());
    if ("refusal" in verdict) return this.#refused(row, verdict.refusal, pass);
    if ("wait" in verdict) {
      log.warn(`transaction ${row.id} waits: ${verdict.wait}`);
      return this.#postpone(row);
    }
    const nonce = await this.#nextNonce(pass);
    await this.#send({ ...row, nonce, gasLimit: verdict.gasLimit, ...fees, freeBlock: pass.headNumber });
  }

  /** What nothing on its way may take: a nonce that cannot be paid for would hold up all that come after it. */
  async #spendableWei(): Promise<bigint> {
    const { provider, signer, store } = this.#deps;
    const balance = await provider.getBalance(signer.address);
    const sent = (await store.transactions.inFlight()).filter(({ status }) => status === "sent");
    return sent.reduce((rest, { valueWei, gasLimit = 0n, maxFeePerGas = 0n }) => {
      return rest - valueWei - gasLimit * maxFeePerGas;
    }, balance);
  }

  /** It takes no nonce, and is final once the reason is as deep as any other fact. */
  async #refused(row: TransactionRow, error: string, { headNumber }: Pass): Promise<void> {
    const { confirmations, log } = this.#deps;
    const refusedBlock = row.error === error ? (row.refusedBlock ?? headNumber) : headNumber;
    const depth = row.kind === "dispute" ? Math.max(confirmations, DISPUTE_BLOCKS) : confirmations;
    if (headNumber - refusedBlock + 1 >= depth) return this.#fail(row, error);
    log.warn(`transaction ${row.id} would fail now: ${error}`);
    await this.#postpone(row, { error, refusedBlock });
  }

  async #fail({ id }: TransactionRow, error: string): Promise<void> {
    const { store, log } = this.#deps;
    log.warn(`transaction ${id} is not sent: ${error}`);
    await store.database.write((tx) => store.transactions.markFailed(tx, id, error));
    this.#outcomes.ended(id);
  }

  async #postpone(
    { id, failures }: TransactionRow,
    refusal?: { readonly error: string; readonly refusedBlock: number },
  ): Promise<void> {
    const { store, clock } = this.#deps;
    const delayMs = failures === 0 ? 0 : Math.min(FIRST_RETRY_MS * 2 ** failures, MAX_RETRY_MS);
    await store.database.write((tx) => store.transactions.postpone(tx, id, clock.now() + delayMs, refusal));
  }

  /**
   * Gapless: the lowest that no row holds. A nonce that others have merely offered (pending) is not skipped: should theirs
   * never be mined, everything behind it would wait for it for ever. If theirs is, this row is signed again.
   */
  async #nextNonce({ usedNonces }: Pass): Promise<number> {
    let nonce = usedNonces;
    for (const holder of await this.#deps.store.transactions.holders(usedNonces)) if (holder.nonce === nonce) nonce++;
    return nonce;
  }

  /** On disk, then broadcast: a crash in between finds the attempt and sends it again. */
  async #send(row: TransactionRow): Promise<void> {
    const { store, clock } = this.#deps;
    const raw = await this.#sign(row);
    const transactionHash = EthersTransaction.from(raw).hash as Hash;
    const sent = { ...row, sentAtMs: clock.now() };
    await store.database.write((tx) => store.transactions.markSent(tx, sent, { transactionHash, raw }));
    await this.#broadcast(row.id, raw);
  }

  async #sign({ id, to, data, valueWei, ...row }: TransactionRow): Promise<Hex> {
    const { signer, chainId } = this.#deps;
    const { nonce = null, gasLimit = null, maxFeePerGas = null, maxPriorityFeePerGas = null } = row;
    const wanted = { type: 2, chainId, nonce, to, data, value: valueWei, gasLimit, maxFeePerGas, maxPriorityFeePerGas };
    const raw = (await signer.signTransaction(wanted)) as Hex;
    const signed = EthersTransaction.from(raw);
    const isOurs = signed.from?.toLowerCase() === signer.address;
    if (!isOurs || signed.unsignedHash !== EthersTransaction.from(wanted).unsignedHash) {
      throw new Error(`the signer did not sign transaction ${id} as it was asked to`);
    }
    return raw;
  }

  /** A refusal is no answer about the transaction, whatever its words: what the chain did is asked with the next pass. */
  async #broadcast(id: string, raw: Hex): Promise<void> {
    const { provider, clock, log } = this.#deps;
    this.#broadcastAtMs.set(id, clock.now());
    try {
      await provider.broadcastTransaction(raw);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      log.warn(`transaction ${id} was not taken by the node now: ${words.slice(0, 200)}`);
    }
  }

  async #each(row: TransactionRow, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#deps.log.warn(`transaction ${row.id} waits: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #tell(): Promise<void> {
    const { store, onFinal, log, clock } = this.#deps;
    for (const row of await store.transactions.untold(MAX_IN_FLIGHT, clock.now())) {
      if (this.#isClosed) return;
      try {
        await onFinal(row);
        await store.database.write((tx) => store.transactions.markTold(tx, row.id));
      } catch (error) {
        log.error(`the end of transaction ${row.id} could not be booked; it is tried again`, error);
        await this.#postpone(row);
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
    this.#isRunning = true;
    try {
      await this.step();
    } catch (error) {
      this.#deps.log.warn(`transactions wait: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#isRunning = false;
    const delayMs = this.#isWoken ? 0 : this.#deps.pollIntervalMs;
    this.#isWoken = false;
    this.#schedule(delayMs);
  }
}
