import type { Hash } from "../../protocol";
import type { TransactionRow, TransactionStore } from "../store/transaction-store";

/** What has become of a transaction. `mined` and `failed` are final: as deep as the hub asks, or never sent. */
export interface Outcome {
  readonly status: "open" | "mined" | "failed";
  readonly transactionHash?: Hash;
  readonly minedBlock?: number;
  /** Why it failed, or would if it were sent now: the code of the contract's error where it has one. */
  readonly error?: string;
}

export function outcomeOf(row: TransactionRow | undefined): Outcome | undefined {
  if (row === undefined) return undefined;
  const { status, isFinal, transactionHash, minedBlock, error } = row;
  return {
    status: !isFinal ? "open" : status === "failed" ? "failed" : "mined",
    ...(transactionHash === undefined ? {} : { transactionHash }),
    ...(minedBlock === undefined ? {} : { minedBlock }),
    ...(error === undefined ? {} : { error }),
  };
}

/** Those who wait for transactions to end, in memory only: who asks again after a restart finds the answer on disk. */
export class Outcomes {
  readonly #transactions: Pick<TransactionStore, "find">;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(transactions: Pick<TransactionStore, "find">) {
    this.#transactions = transactions;
  }

  async wait(id: string, timeoutMs: number): Promise<Outcome | undefined> {
    let stop = (): void => undefined;
    const ended = new Promise<void>((resolve) => (stop = resolve));
    const timer = setTimeout(stop, timeoutMs);
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting.add(stop)); // before it is read, so that an end in between is not missed
    try {
      const outcome = outcomeOf(await this.#transactions.find(id));
      if (outcome !== undefined && outcome.status !== "open") return outcome;
      await ended;
      return outcomeOf(await this.#transactions.find(id));
    } finally {
      clearTimeout(timer);
      waiting.delete(stop);
      if (waiting.size === 0) this.#waiting.delete(id);
    }
  }

  ended(id: string): void {
    for (const stop of this.#waiting.get(id) ?? []) stop();
  }

  /** Everybody learns what is known now. */
  close(): void {
    for (const id of this.#waiting.keys()) this.ended(id);
  }
}
