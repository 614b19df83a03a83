import { ZERO_ADDRESS, type Address } from "./address";
import { ZERO_HASH, type Hash } from "./hex";

/**
 * One asset of a channel. Amounts are in the asset's smallest unit (wei), at most 2^128 - 1; counters are cumulative
 * within the session. Conserved: `balanceHub + balanceUser + locked = deposited* - withdrawn*`.
 * Source: docs/protocol.md "Signed types".
 */
export interface AssetState {
  /** Zero address for ETH. */
  readonly asset: Address;
  readonly balanceHub: bigint;
  readonly balanceUser: bigint;
  /** Sum of the stakes of the open threads. */
  readonly locked: bigint;
  readonly depositedHub: bigint;
  readonly depositedUser: bigint;
  readonly withdrawnHub: bigint;
  readonly withdrawnUser: bigint;
}

/** What hub and user sign; the highest nonce wins. Source: docs/protocol.md "Signed types". */
export interface ChannelState {
  readonly user: Address;
  /** How many times this channel has been settled. */
  readonly session: bigint;
  /** Rises with each signature and may skip. 0 is the state before any signature. */
  readonly nonce: bigint;
  /** At most 8, strictly ascending by address. */
  readonly assets: readonly AssetState[];
  /** Merkle root of the open threads; zero iff nothing is locked. */
  readonly threadRoot: Hash;
  /** Who receives the user's part of a withdrawal; zero means the user. */
  readonly recipient: Address;
}

/** Bounds the gas of a settlement; the same figure stands in `BalanceRules.sol`. */
export const MAX_ASSETS = 8;

/** The row of an asset before anything happened. */
export function zeroAsset(asset: Address): AssetState {
  return {
    asset,
    balanceHub: 0n,
    balanceUser: 0n,
    locked: 0n,
    depositedHub: 0n,
    depositedUser: 0n,
    withdrawnHub: 0n,
    withdrawnUser: 0n,
  };
}

/**
 * The unsigned state of a session before anything was signed: what a party exits with when the other never answered.
 * @param assets Those with deposits to get back; sorted here.
 */
export function unsignedState(user: Address, session: bigint, assets: readonly Address[]): ChannelState {
  const rows = [...assets].sort().map(zeroAsset);
  return { user, session, nonce: 0n, assets: rows, threadRoot: ZERO_HASH, recipient: ZERO_ADDRESS };
}
