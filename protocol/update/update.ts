import type { Address } from "../address";
import type { Hash } from "../hex";
import type { Signature } from "../signature";
import type { Thread } from "../thread";

/** The two parties of a channel. */
export type Side = "hub" | "user";

export function otherSide(side: Side): Side {
  return side === "hub" ? "user" : "hub";
}

/** On-chain deposits join the balances. Counters are cumulative, as read from the chain, in base units. */
export interface DepositArgs {
  readonly asset: Address;
  readonly depositedHub: bigint;
  readonly depositedUser: bigint;
}

/**
 * Money moves to `recipient`. `payments` names what it pays for. An empty one to the hub (amount zero, no payments) moves
 * nothing: by its higher nonce the user accepts what the hub has signed and voids what the hub has refused.
 */
export interface PaymentArgs {
  readonly recipient: Side;
  readonly asset: Address;
  readonly amount: bigint;
  readonly payments: readonly Hash[];
}

/** The user sells to the hub, on a quote that the hub signed. */
export interface ExchangeArgs {
  readonly sellAsset: Address;
  readonly sellAmount: bigint;
  readonly buyAsset: Address;
  readonly buyAmount: bigint;
  /** Base units of `buyAsset` for 10^18 base units of `sellAsset`. */
  readonly rate: bigint;
  readonly quoteId: Hash;
  /** Unix seconds. */
  readonly expiresAt: bigint;
}

/** What one asset's withdrawal takes from each side, in base units. */
export interface AssetWithdrawal {
  readonly asset: Address;
  readonly user: bigint;
  readonly hub: bigint;
}

/** Balances fall, withdrawn counters rise. An exchange applies first, in the same step. */
export interface WithdrawalArgs {
  /** Who receives the user's part; the zero address means the user. */
  readonly recipient: Address;
  readonly assets: readonly AssetWithdrawal[];
  readonly exchange?: ExchangeArgs;
}

/**
 * The user's stake and the hub's, which stands in for the other party, are locked for a thread. The same leaf joins the
 * other party's channel in the same step of the hub. Source: docs/protocol.md "Threads".
 */
export interface OpenThreadArgs {
  readonly thread: Thread;
  readonly sigSender: Signature;
  readonly sigReceiver: Signature;
  /** Hashes of all other threads that are open in this channel: what the root before this step is made of. */
  readonly others: readonly Hash[];
}

/** The thread's leaf leaves this channel, and its stakes join the balances by its outcome. */
export interface CloseThreadArgs {
  readonly thread: Thread;
  /** What the receiver gets of the sum, in base units. */
  readonly balanceReceiver: bigint;
  /** Hashes of the threads that stay open: what the root after this step is made of. */
  readonly others: readonly Hash[];
}

/** The chain settled a session; the channel goes on at zero in the next one. Derived from the chain, signed by nobody. */
export interface SettledArgs {
  /** The one that ended. */
  readonly session: bigint;
  readonly transactionHash: Hash;
}

export interface ArgsByReason {
  readonly Deposit: DepositArgs;
  readonly Payment: PaymentArgs;
  readonly Exchange: ExchangeArgs;
  readonly Withdrawal: WithdrawalArgs;
  readonly OpenThread: OpenThreadArgs;
  readonly CloseThread: CloseThreadArgs;
  readonly Settled: SettledArgs;
}

export type Reason = keyof ArgsByReason;

/** One step from a channel state to the next. Source: docs/protocol.md "Channel updates". */
export type UpdateOf<Each extends Reason> = {
  readonly [Name in Each]: {
    readonly reason: Name;
    readonly args: ArgsByReason[Name];
    /** Of the state it leads to: above everything either side ever signed in this channel. */
    readonly nonce: bigint;
    /** Struct hash of the state it builds on. */
    readonly previous: Hash;
  };
}[Each];

export type Update = UpdateOf<Reason>;

/** An update with the signatures over the state it leads to. */
export type SignedUpdate = Update & { readonly sigHub?: Signature; readonly sigUser?: Signature };
