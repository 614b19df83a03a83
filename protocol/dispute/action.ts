/** Transactions that change how a dispute ends. */
export type Move = "challenge" | "settle" | "showThread" | "settleThread" | "wait";

/** Who loses if nobody acts. Anybody may send the transactions of a dispute for them. */
export type Party = "user" | "hub" | "sender" | "receiver" | "anybody";

/** What should happen next in a dispute. */
export interface Action {
  readonly move: Move;
  readonly who: readonly Party[];
  /** Unix seconds: not before this, */
  readonly from?: bigint;
  /** and not after. Neither: as soon as it suits. */
  readonly by?: bigint;
  /** The contract's function. */
  readonly transaction?: string;
  /** About, after refunds. */
  readonly gas?: number;
  /** A sentence: what it is for. */
  readonly why: string;
}
