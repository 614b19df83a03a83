import { hubError, type Address } from "../../protocol";
import { Turns } from "../chain/turns";
import type { Clock } from "../clock";
import type { AssetConfig } from "../config";
import type { Store } from "../store/store";
import { balancesOf, type Channel } from "./channel";
import type { Channels } from "./channels";

/** Why collateral is wanted; the first two are backed by somebody's money. */
export type CollateralReason = "payment" | "exchange" | "request" | "operator";

export interface CollateralDeps {
  readonly store: Store;
  readonly channels: Channels;
  readonly clock: Clock;
  readonly assets: ReadonlyMap<Address, AssetConfig>;
  readonly limits: CollateralLimits;
}

/** What nobody can make the hub exceed, however many users they are (H-16). */
export interface CollateralLimits {
  /** Grants per user and day: each costs gas. */
  readonly grantsPerUserAndDay: number;
  readonly grantsPerDay: number;
  /** Ceilings' worth of capital per asset and day. */
  readonly ceilingsPerDay: number;
  /** How long a grant waits for its transaction. */
  readonly expiryMs: number;
}

export const DEFAULT_COLLATERAL_LIMITS: CollateralLimits = {
  grantsPerUserAndDay: 20,
  grantsPerDay: 10_000,
  ceilingsPerDay: 1_000,
  expiryMs: 600_000,
};

export interface Granted {
  /** What the channel can receive now. */
  readonly available: bigint;
  /** What is on its way after this, in all. */
  readonly requested: bigint;
}

const DAY_MS = 86_400_000;

/** From this many payers on, a payee is worth its floor. */
const PAYERS_FOR_FLOOR = 3;

/**
 * Decides how much of the hub's money goes into a channel. A grant is a row with an expiry, never a flag; `batcher` sends
 * what is granted. Source: docs/protocol.md "Collateral".
 */
export class Collateral {
  readonly #deps: CollateralDeps;
  /** A grant sees those before it: many at once must not all find the same room (H-16). */
  readonly #turns = new Turns();

  constructor(deps: CollateralDeps) {
    this.#deps = deps;
  }

  /**
   * Grants what a channel lacks to receive `amount`, within all limits. What is there or on its way is not granted twice.
   * @throws AssetUnknown; CollateralLimit when nothing more can be granted and `amount` is not covered.
   */
  want(user: Address, asset: Address, amount: bigint, reason: CollateralReason): Promise<Granted> {
    return this.#turns.run(() => this.#grant(user, asset, amount, reason));
  }

  async #grant(user: Address, asset: Address, amount: bigint, reason: CollateralReason): Promise<Granted> {
    const config = this.#assetOf(asset);
    const { store, clock, channels, limits } = this.#deps;
    const channel = await channels.load(user);
    const now = clock.now();
    const available = await channels.available(channel, asset);
    const coming = (await store.collateral.onItsWay(user, asset, now)) + uncredited(channel, asset);
    const wanted = await this.#target(user, config, amount, reason);
    const held = balancesOf(channel, asset).hub + coming;
    const missing = min(wanted - available - coming, config.collateralCeiling - held);
    if (missing <= 0n) return this.#covered(asset, amount, available, coming);
    await this.#requireBudget(user, config, missing);
    await store.database.write((tx) => {
      store.collateral.insert(tx, {
        user,
        asset,
        amount: missing,
        createdAtMs: now,
        expiresAtMs: now + limits.expiryMs,
      });
    });
    return { available, requested: coming + missing };
  }

  /** What the hub wants to keep in a channel: the rest goes back to the reserve with the user's next withdrawal. */
  async keep(user: Address, asset: Address): Promise<bigint> {
    return this.#target(user, this.#assetOf(asset), 0n, "payment");
  }

  #covered(asset: Address, amount: bigint, available: bigint, coming: bigint): Granted {
    if (available + coming >= amount) return { available, requested: coming };
    throw hubError("CollateralLimit", { asset, reason: "the channel holds as much as the hub keeps in one" });
  }

  /**
   * A new payee is granted the payment itself, one with several payers its floor or what it received within a day; an
   * operator's profile goes before both.
   */
  async #target(user: Address, config: AssetConfig, amount: bigint, reason: CollateralReason): Promise<bigint> {
    const { store, clock } = this.#deps;
    const profile = (await store.collateral.profiles(user)).find(({ asset }) => asset === config.asset);
    if (profile !== undefined) return max(amount, profile.target);
    if (reason === "operator" || reason === "exchange") return amount;
    const recent = await store.payments.receivedSince(user, config.asset, clock.now() - DAY_MS);
    if (recent.payers === 0) return reason === "payment" ? amount : this.#unpaid(config, amount);
    if (recent.payers < PAYERS_FOR_FLOOR) return max(amount, min(recent.amount, config.collateralFloor));
    return max(amount, min(max(config.collateralFloor, recent.amount), config.collateralCeiling));
  }

  /** Whoever was never paid may ask for its first payments' worth, and no more. */
  #unpaid({ asset, collateralFloor }: AssetConfig, amount: bigint): bigint {
    if (amount <= collateralFloor) return amount;
    throw hubError("CollateralLimit", { asset, reason: `before the first payment ${collateralFloor} is the most` });
  }

  async #requireBudget(user: Address, { asset, collateralCeiling }: AssetConfig, amount: bigint): Promise<void> {
    const { store, clock, limits } = this.#deps;
    const since = clock.now() - DAY_MS;
    const own = await store.collateral.grantedSince(asset, since, user);
    if (own.count >= limits.grantsPerUserAndDay) {
      throw hubError("CollateralLimit", { asset, reason: `${limits.grantsPerUserAndDay} grants a day are the most` });
    }
    const all = await store.collateral.grantedSince(asset, since);
    const capital = collateralCeiling * BigInt(limits.ceilingsPerDay);
    if (all.count >= limits.grantsPerDay || all.amount + amount > capital) {
      throw hubError("CollateralLimit", { asset, reason: "the hub's budget for today is spent" });
    }
  }

  #assetOf(asset: Address): AssetConfig {
    const config = this.#deps.assets.get(asset);
    if (config === undefined) throw hubError("AssetUnknown", { asset });
    return config;
  }
}

/** On chain, but not in a state yet. */
function uncredited(channel: Channel, asset: Address): bigint {
  const onChain = channel.ledgers.get(asset)?.depositedHub ?? 0n;
  const state = channel.pending.at(-1)?.state ?? channel.doubleSigned?.state;
  const accounted = state?.assets.find((row) => row.asset === asset)?.depositedHub ?? 0n;
  return onChain - accounted;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
