import { amountAtRate, isHubError, type Address, type Ledger, type Ledgers } from "../../protocol";
import type { Log } from "../log";
import type { Exit } from "../store/channel-store";
import type { Store } from "../store/store";
import { newestOf, type Channel } from "./channel";
import type { Channels } from "./channels";
import type { Collateral } from "./collateral";
import { provisional, type Draft } from "./drafts";
import type { Forwarding } from "./forwarding";
import { ignoreLimits } from "./forwarding";
import type { Lanes } from "./lanes";
import type { Rates } from "./rates";

/** A channel on chain: deposits as deep as the hub asks, everything else at the newest block. */
export interface ChainView {
  readonly session: bigint;
  readonly exit?: Exit;
  /** Deposits confirmed, withdrawals at head. */
  readonly ledgers: Ledgers;
}

export interface ChainSyncDeps {
  readonly store: Store;
  readonly channels: Channels;
  readonly collateral: Collateral;
  readonly forwarding: Forwarding;
  readonly lanes: Lanes;
  readonly rates: Rates;
  readonly log: Log;
  readonly assets: ReadonlySet<Address>;
  readonly readView: (user: Address) => Promise<ChainView>;
  readonly depositsPaused: () => boolean;
}

/** Running exits that are looked at again in one go. */
const EXITS_AT_A_TIME = 16;

/**
 * Brings channels level with the chain: credits deposits, books withdrawals, notices exits. Events only say where to look;
 * what is true is read from the contract, so an event twice, late or never does no harm.
 */
export class ChainSync {
  readonly #deps: ChainSyncDeps;
  #lastExitLookedAt: Address | undefined;

  constructor(deps: ChainSyncDeps) {
    this.#deps = deps;
  }

  /** Reads a channel from the chain and takes over what changed. */
  async refresh(user: Address): Promise<void> {
    const { channels, lanes, forwarding } = this.#deps;
    const credited = await lanes.run([user], async () => {
      const view = await this.#deps.readView(user);
      const known = await channels.load(user);
      const channel = await this.#takeOver(known, view);
      return view.session === channel.session && channel.exit === undefined ? this.#credit(channel) : [];
    });
    await forwarding.forwardTo(user);
    for (const ledger of credited) await this.#matchDeposit(user, ledger.asset, ledger.amount);
  }

  /**
   * Looks at some of the running exits again. One that was read ahead of its event, and that a fork took back before the
   * event was read, would otherwise stop its channel until the end of the window.
   */
  async lookAtExits(): Promise<void> {
    const users = await this.#deps.store.channels.exiting(this.#lastExitLookedAt, EXITS_AT_A_TIME);
    this.#lastExitLookedAt = users.length < EXITS_AT_A_TIME ? undefined : users.at(-1);
    for (const user of users) await this.refresh(user);
  }

  async #takeOver(channel: Channel, view: ChainView): Promise<Channel> {
    if (view.session < channel.session) return channel; // a lagging node
    // Settled, but not confirmed: this session is over for signing, the next has not begun.
    const over = { nonce: channel.exit?.nonce ?? 0n, deadline: channel.exit?.deadline ?? 0n };
    const exit = view.session > channel.session ? over : view.exit;
    const ledgers = view.session > channel.session ? channel.ledgers : view.ledgers;
    if (sameExit(channel.exit, exit) && sameLedgers(channel.ledgers, ledgers)) return channel;
    return this.#deps.channels.save({ ...without(channel, "exit"), ledgers, ...(exit === undefined ? {} : { exit }) });
  }

  /** What is on chain and in no state yet joins the state. @returns What the user deposited itself. */
  async #credit(channel: Channel): Promise<readonly { readonly asset: Address; readonly amount: bigint }[]> {
    const { channels, assets, depositsPaused, log } = this.#deps;
    const isPaused = depositsPaused();
    const drafts: Draft[] = [];
    const credited: { asset: Address; amount: bigint }[] = [];
    let current = channel;
    for (const [asset, ledger] of [...channel.ledgers].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!assets.has(asset)) continue;
      const row = newestOf(current).assets.find((each) => each.asset === asset);
      const depositedHub = max(ledger.depositedHub, row?.depositedHub ?? 0n);
      const before = row?.depositedUser ?? 0n;
      const depositedUser = isPaused ? before : max(ledger.depositedUser, before);
      if (depositedHub === (row?.depositedHub ?? 0n) && depositedUser === before) continue;
      try {
        const draft = channels.draftOfHub(current, "Deposit", { asset, depositedHub, depositedUser });
        current = provisional(draft, current);
        drafts.push(draft);
        if (depositedUser > before) credited.push({ asset, amount: depositedUser - before });
      } catch (error) {
        // A hub that has just started sees its first block in a moment: whoever told of the deposit tells again.
        if (isHubError(error, "ViewTooOld") || !(error instanceof Error) || !("code" in error)) throw error;
        log.warn(`deposit of ${channel.user} waits: ${error.message}`);
      }
    }
    if (drafts.length > 0) await channels.commit(drafts);
    return credited;
  }

  /** A user that announced its deposit gets what it could buy with it, and never more. */
  async #matchDeposit(user: Address, asset: Address, deposited: bigint): Promise<void> {
    const { store, collateral, rates } = this.#deps;
    const expected = await store.collateral.expectedDeposit(user, asset);
    if (expected === 0n) return;
    await store.database.write((tx) => store.collateral.setExpectedDeposit(tx, user, asset, 0n));
    for (const { sellAsset, buyAsset, rate } of rates.current().rates) {
      if (sellAsset !== asset) continue;
      const amount = amountAtRate(min(deposited, expected), rate);
      if (amount > 0n) await collateral.want(user, buyAsset, amount, "exchange").catch(ignoreLimits);
    }
  }
}

/** The channel as it is when these are absent. */
function without<Name extends "exit" | "doubleSigned">(
  channel: Channel,
  ...names: readonly Name[]
): Omit<Channel, Name> {
  return Object.fromEntries(
    Object.entries(channel).filter(([name]) => !names.includes(name as Name)),
  ) as unknown as Omit<Channel, Name>;
}

function sameExit(a: Exit | undefined, b: Exit | undefined): boolean {
  return a?.nonce === b?.nonce && a?.deadline === b?.deadline;
}

function sameLedgers(a: Ledgers, b: Ledgers): boolean {
  return a.size === b.size && [...a].every(([asset, ledger]) => sameLedger(ledger, b.get(asset)));
}

function sameLedger(a: Ledger, b: Ledger | undefined): boolean {
  return (
    a.depositedHub === b?.depositedHub &&
    a.depositedUser === b.depositedUser &&
    a.withdrawnHub === b.withdrawnHub &&
    a.withdrawnUser === b.withdrawnUser
  );
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
