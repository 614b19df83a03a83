import { keccak256, type Wallet, type Provider } from "ethers";
import type { Address, Hash, Hex } from "../../protocol";
import { isRevert, refusalOf } from "../../protocol/chain/contract-error";
import { bumped, canReplace, capped, currentFees, ladderOf, type Fees, type Ladder } from "../../protocol/chain/fees";
import type { Clock } from "../clock";
import type { Log } from "../log";
import type { CallRow, Sending, TowerCall, TowerStore } from "../store/tower-store";

export interface SenderDeps {
  readonly provider: Provider;
  readonly wallet: Wallet;
  readonly store: TowerStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly chainId: number;
  readonly channelManager: Address;
  /** Most that is offered per gas, wei; in the last hour of a window `urgentFeeCap`. */
  readonly feeCap: bigint;
  readonly urgentFeeCap: bigint;
  /** What is not mined after so long is offered more; sooner as its deadline nears. */
  readonly bumpAfterMs: number;
}

/** A call that was mined without effect and would have one now is sent again, so often: apps can be hostile. */
const MAX_REVERTS = 3;

/** For a call that cannot be estimated: more than a state with all its assets takes. */
const FALLBACK_GAS = 2_000_000n;

const MAX_IN_FLIGHT = 64;
const MAX_HASHES = 64;

/**
 * Sends with the tower's key, which owns nothing but gas. Every call is one that anybody may make and that has its effect
 * once, so a crash at any point costs gas at most: each attempt is on disk before it is broadcast.
 */
export class Sender {
  readonly #deps: SenderDeps;
  /** When this process last broadcast each call, Unix ms. */
  readonly #broadcastAtMs = new Map<string, number>();

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  /** Queues a call that would have an effect now. What is on its way stays so. */
  want(call: TowerCall): void {
    const { store, log } = this.#deps;
    const row = store.call(call.id);
    if (row?.status === "queued" || row?.status === "sent") return;
    const reverts = row?.reverts ?? 0;
    if (reverts >= MAX_REVERTS) return;
    if (row !== undefined) log.warn(`${call.id} had no lasting effect; it is sent again`);
    store.write(() => store.saveCall({ ...call, status: "queued", reverts }));
  }

  /** What is mined, what must be offered more, what can be sent. @param nowSeconds The chain's time. */
  async step(nowSeconds: bigint): Promise<void> {
    const { store, provider, wallet } = this.#deps;
    const rows = store.openCalls();
    if (rows.length === 0) return;
    const used = await provider.getTransactionCount(wallet.address, "latest");
    const fees = await currentFees(provider);
    await this.#follow(rows, used, fees, nowSeconds);
    for (const row of store.openCalls()) {
      if (row.status === "queued") await this.#each(row, () => this.#send(row, used, fees, nowSeconds));
    }
  }

  /** A call climbs by the most urgent deadline of those that wait behind its nonce. */
  async #follow(rows: readonly CallRow[], used: number, fees: Fees, nowSeconds: bigint): Promise<void> {
    const sent = rows.flatMap((row) => (row.sending === undefined ? [] : [{ row, sending: row.sending }]));
    let deadline: bigint | undefined;
    for (const { row, sending } of sent.sort((a, b) => b.sending.nonce - a.sending.nonce)) {
      if (row.deadline !== undefined && (deadline === undefined || row.deadline < deadline)) deadline = row.deadline;
      const ladder = this.#ladder(deadline, nowSeconds);
      const isUsed = sending.nonce < used;
      await this.#each(row, () => (isUsed ? this.#end(row, sending) : this.#keepGoing(row, sending, fees, ladder)));
    }
  }

  /** The nonce is used. Where none of the attempts was mined, the call is tried once more if it still has an effect. */
  async #end(row: CallRow, { hashes }: Sending): Promise<void> {
    const { store, provider, log } = this.#deps;
    this.#broadcastAtMs.delete(row.id);
    for (const hash of hashes) {
      const receipt = await provider.getTransactionReceipt(hash);
      if (receipt === null) continue;
      const isDone = receipt.status === 1;
      log.info(`${row.id} was mined in block ${receipt.blockNumber}${isDone ? "" : ", without effect"}`);
      const reverts = row.reverts + (isDone ? 0 : 1);
      store.write(() => store.saveCall({ ...row, status: isDone ? "mined" : "reverted", reverts }));
      return;
    }
    store.write(() => store.saveCall(queued(row)));
  }

  /** Not mined: the node may have dropped it, or never got it, or it offers too little. */
  async #keepGoing(row: CallRow, sending: Sending, fees: Fees, ladder: Ladder): Promise<void> {
    const { clock, bumpAfterMs, log } = this.#deps;
    const now = clock.now();
    if (now - sending.sentAtMs >= ladder.patienceMs) {
      const next = bumped(sending, fees, this.#cap(ladder), ladder.risePercent);
      if (canReplace(sending, next)) return this.#broadcast(row, { ...sending, ...next });
      log.warn(`${row.id} waits at the highest fee that is allowed`);
    }
    if (now - (this.#broadcastAtMs.get(row.id) ?? 0) >= bumpAfterMs / 2) await this.#transmit(row.id, sending.raw);
  }

  async #send(row: CallRow, used: number, fees: Fees, nowSeconds: bigint): Promise<void> {
    const { store, log } = this.#deps;
    const nonces = store.openCalls().flatMap(({ sending }) => (sending === undefined ? [] : [sending.nonce]));
    if (nonces.length >= MAX_IN_FLIGHT) return;
    const gasLimit = await this.#gasOf(row);
    if (gasLimit === undefined) {
      store.write(() => store.dropCall(row.id)); // wanted again if it is needed
      return;
    }
    const offer = capped(fees, this.#cap(this.#ladder(row.deadline, nowSeconds)));
    if (!(await this.#canPay(gasLimit * offer.maxFeePerGas))) {
      log.error(`${row.id} waits: the tower's account cannot pay ${gasLimit * offer.maxFeePerGas} wei of gas`);
      return;
    }
    const nonce = Math.max(used, ...nonces.map((each) => each + 1));
    await this.#broadcast(row, { ...{ nonce, gasLimit, raw: "0x", hashes: [], sentAtMs: 0 }, ...offer });
  }

  /** Nothing if the contract would refuse it now: somebody else was faster, or it is too late. */
  async #gasOf({ id, data, gasLimit }: CallRow): Promise<bigint | undefined> {
    const { provider, wallet, channelManager: to, log } = this.#deps;
    const call = { from: wallet.address, to, data };
    try {
      await provider.call(gasLimit === undefined ? call : { ...call, gasLimit });
    } catch (error) {
      if (!isRevert(error)) throw error;
      log.info(`${id} is not needed: ${refusalOf(error).error?.code ?? "the contract refuses it"}`);
      return undefined;
    }
    if (gasLimit !== undefined) return gasLimit;
    try {
      return ((await provider.estimateGas(call)) * 5n) / 4n + 30_000n;
    } catch (error) {
      if (!isRevert(error)) throw error;
      return FALLBACK_GAS; // what is merely pending would make it fail
    }
  }

  async #canPay(wei: bigint): Promise<boolean> {
    return (await this.#deps.provider.getBalance(this.#deps.wallet.address)) >= wei;
  }

  /** Signs, keeps, and only then sends. */
  async #broadcast(row: CallRow, attempt: Sending): Promise<void> {
    const { wallet, store, clock, chainId, channelManager: to, log } = this.#deps;
    const { nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = attempt;
    const fees = { maxFeePerGas, maxPriorityFeePerGas };
    const raw = (await wallet.signTransaction({
      type: 2,
      chainId,
      to,
      nonce,
      gasLimit,
      data: row.data,
      ...fees,
    })) as Hex;
    const hashes = [keccak256(raw) as Hash, ...attempt.hashes].slice(0, MAX_HASHES);
    const sending: Sending = { ...attempt, raw, hashes, sentAtMs: clock.now() };
    store.write(() => store.saveCall({ ...row, status: "sent", sending }));
    log.info(`${row.id} is sent with nonce ${nonce}, at most ${maxFeePerGas} wei per gas`);
    await this.#transmit(row.id, raw);
  }

  /** Whatever the node says to it, the chain decides. */
  async #transmit(id: string, raw: Hex): Promise<void> {
    const { provider, clock, log } = this.#deps;
    this.#broadcastAtMs.set(id, clock.now());
    await provider.broadcastTransaction(raw).catch((error: unknown) => {
      log.warn(`the node did not take ${id}: ${refusalOf(error).reason.slice(0, 200)}`);
    });
  }

  #ladder(deadline: bigint | undefined, nowSeconds: bigint): Ladder {
    return ladderOf(this.#deps.bumpAfterMs, deadline === undefined ? undefined : Number(deadline - nowSeconds));
  }

  #cap({ isUrgent }: Ladder): bigint {
    const { feeCap, urgentFeeCap } = this.#deps;
    return isUrgent && urgentFeeCap > feeCap ? urgentFeeCap : feeCap;
  }

  /** What goes wrong with one stops no other. */
  async #each(row: CallRow, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#deps.log.error(`${row.id} waits`, error);
    }
  }
}

function queued({ id, data, deadline, gasLimit, reverts }: CallRow): CallRow {
  return {
    ...{ id, data, reverts, status: "queued" },
    ...(deadline === undefined ? {} : { deadline }),
    ...(gasLimit === undefined ? {} : { gasLimit }),
  };
}
