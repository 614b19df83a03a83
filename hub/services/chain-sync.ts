import {
  amountAtRate,
  isHubError,
  unsignedState,
  type Address,
  type ChannelState,
  type Ledger,
  type Ledgers,
  type Signature,
} from "../../protocol";
import { partiesOf, type ChainEvent } from "../../protocol/chain/events";
import { payoutGasLimit } from "../../protocol/chain/payout-gas";
import { ChannelManager__factory } from "../../typechain-types";
import type { ChannelStateStruct } from "../../typechain-types/contracts/ChannelManager";
import type { Clock } from "../clock";
import type { Log } from "../log";
import type { DoubleSigned, Exit } from "../store/channel-store";
import { HUB_ACCOUNT } from "../store/custodial-store";
import type { Transaction } from "../store/database";
import type { Store } from "../store/store";
import { newestOf, withDoubleSigned, type Channel } from "./channel";
import type { Channels } from "./channels";
import type { Collateral } from "./collateral";
import { provisional, type Draft } from "./drafts";
import type { Forwarding } from "./forwarding";
import { ignoreLimits } from "./forwarding";
import type { Incidents } from "./incidents";
import type { Lanes } from "./lanes";
import type { Outgoing, OutgoingRequest } from "./outgoing";
import type { Pushes } from "./pushes";
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
  readonly pushes: Pushes;
  readonly incidents: Incidents;
  readonly outgoing: Outgoing;
  readonly rates: Rates;
  readonly clock: Clock;
  readonly log: Log;
  readonly channelManager: Address;
  readonly assets: ReadonlySet<Address>;
  readonly readView: (user: Address) => Promise<ChainView>;
  readonly depositsPaused: () => boolean;
}

const manager = ChannelManager__factory.createInterface();

/** Running exits that are looked at again in one go. */
const EXITS_AT_A_TIME = 16;

/**
 * Brings channels level with the chain: credits deposits, books withdrawals, answers exits, begins sessions. Events only
 * say where to look; what is true is read from the contract, so an event twice, late or never does no harm.
 */
export class ChainSync {
  readonly #deps: ChainSyncDeps;
  #lastExitLookedAt: Address | undefined;

  constructor(deps: ChainSyncDeps) {
    this.#deps = deps;
  }

  /** At first sight of an event: whatever must not wait for confirmations. */
  async seen(event: ChainEvent): Promise<void> {
    const { name } = event;
    if (name === "ExitStarted" || name === "ExitChallenged") {
      return this.#exitSeen(event.user, event.nonce, event.sigUser, event.deadline, name);
    }
    if (name === "Withdrawn" || name === "Settled") return this.refresh(event.user);
  }

  /** Once an event is as deep as this hub asks. */
  async confirmed(event: ChainEvent): Promise<void> {
    const { name } = event;
    if (name === "Deposited" || name === "Collateralized") return this.refresh(event.user);
    if (name === "Settled") return this.#settled(event.user, event.session, event.nonce);
  }

  /** A reorganisation took an event back. One that was confirmed must never be: the operator has to know. */
  async dropped(event: ChainEvent, past: { readonly wasConfirmed: boolean }): Promise<void> {
    const [user] = partiesOf(event);
    if (past.wasConfirmed) {
      const what = `${event.name} in block ${event.blockNumber} (${event.blockHash}) was confirmed and is gone`;
      await this.#deps.incidents.report("deep-reorganisation", user, new Error(what));
    }
    if ("user" in event) await this.refresh(event.user);
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

  /** Settles exits whose window has passed, so that every channel goes on whoever is asleep. */
  async settleDue(): Promise<void> {
    const { store, clock, channels, outgoing } = this.#deps;
    for (const user of await store.channels.exitsDue(BigInt(Math.floor(clock.now() / 1000)))) {
      const channel = await channels.load(user);
      const standing = standingState(channel);
      if (standing === undefined || channel.exit === undefined) continue;
      const request = this.#call(`settle:${user}:${channel.session}`, "settle", standing, channel.exit.deadline, false);
      await store.database.write((tx) => outgoing.enqueue(tx, request));
      outgoing.wake();
    }
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

  async #exitSeen(
    user: Address,
    nonce: bigint,
    sigUser: Signature,
    deadline: bigint,
    name: "ExitStarted" | "ExitChallenged",
  ): Promise<void> {
    const { channels, lanes, pushes, log, outgoing } = this.#deps;
    await lanes.run([user], async () => {
      const view = await this.#deps.readView(user);
      const known = adoptShown(await channels.load(user), nonce, sigUser);
      if (view.session !== known.session || view.exit === undefined) return;
      const exit = view.exit;
      const answer = this.#challengeOf(known, exit);
      log.warn(
        `exit of ${user} with nonce ${exit.nonce}${answer === undefined ? "" : ": answered with a newer state"}`,
      );
      await channels.save({ ...known, ledgers: view.ledgers, exit }, (tx) => {
        if (answer !== undefined) outgoing.enqueue(tx, answer);
        const event = { event: name, nonce: exit.nonce.toString(), deadline: deadline.toString() };
        pushes.keep(tx, user, { kind: "dispute", ...event });
      });
      outgoing.wake();
    });
    pushes.flush(user);
  }

  /** Only with something strictly newer: a challenge with the same state would revert (H-10). */
  #challengeOf({ user, session, doubleSigned }: Channel, exit: Exit): OutgoingRequest | undefined {
    if (doubleSigned === undefined || doubleSigned.state.nonce <= exit.nonce) return undefined;
    if (BigInt(Math.floor(this.#deps.clock.now() / 1000)) >= exit.deadline) return undefined;
    const id = `challenge:${user}:${session}:${doubleSigned.state.nonce}`;
    return this.#call(id, "challenge", doubleSigned, exit.deadline, true);
  }

  #call(
    id: string,
    name: "challenge" | "settle",
    { state, sigHub, sigUser }: DoubleSigned,
    deadline: bigint,
    isUrgent: boolean,
  ): OutgoingRequest {
    const args: [ChannelStateStruct, string, string] = [{ ...state, assets: [...state.assets] }, sigHub, sigUser];
    const data =
      name === "settle" ? manager.encodeFunctionData("settle", args) : manager.encodeFunctionData("challenge", args);
    const base = { id, to: this.#deps.channelManager, data, valueWei: 0n, kind: "dispute" } as const;
    return isUrgent ? { ...base, deadlineSeconds: Number(deadline) } : { ...base, gasLimit: payoutGasLimit(state) };
  }

  /**
   * The next session begins. What the hub had credited and the user had not countersigned was not part of what was
   * settled: the user gets it custodially.
   */
  async #settled(user: Address, session: bigint, nonce: bigint): Promise<void> {
    const { channels, lanes, pushes, readView } = this.#deps;
    await lanes.run([user], async () => {
      const channel = await channels.load(user);
      if (channel.session !== session) return;
      const view = await readView(user);
      const owed = await this.#uncountersigned(channel, nonce);
      const rest = without(channel, "exit", "doubleSigned");
      const isCurrent = view.session === session + 1n;
      const next = {
        ...rest,
        session: session + 1n,
        threads: [],
        pending: [],
        ledgers: isCurrent ? view.ledgers : new Map(),
      };
      const exit = isCurrent ? view.exit : undefined;
      await channels.save(exit === undefined ? next : { ...next, exit }, (tx) => {
        owed(tx);
        pushes.keep(tx, user, { kind: "dispute", event: "Settled", nonce: nonce.toString(), deadline: "0" });
      });
    });
    pushes.flush(user);
    await this.refresh(user);
  }

  async #uncountersigned(channel: Channel, settledNonce: bigint): Promise<(tx: Transaction) => void> {
    const { store, clock } = this.#deps;
    const sums = new Map<Address, bigint>();
    for (const { update } of channel.pending) {
      if (update.reason !== "Payment" || update.nonce <= settledNonce) continue;
      sums.set(update.args.asset, (sums.get(update.args.asset) ?? 0n) + update.args.amount);
    }
    const { user, session } = channel;
    const createdAtMs = clock.now();
    const books: ((tx: Transaction) => void)[] = [];
    for (const [asset, amount] of sums) {
      const balance = await store.custodial.balance(user, asset);
      const base = { asset, debit: HUB_ACCOUNT, credit: user, amount, kind: "uncountersigned" } as const;
      books.push((tx) => store.custodial.book(tx, { ...base, reference: `${user}:${session}`, createdAtMs }, balance));
    }
    return (tx) => {
      for (const book of books) book(tx);
    };
  }
}

/** An exit with an update of the hub shows the user's signature under it. */
function adoptShown(channel: Channel, nonce: bigint, sigUser: Signature): Channel {
  const shown = channel.pending.find(({ update }) => update.nonce === nonce);
  if (shown?.update.sigHub === undefined) return channel;
  const adopted = withDoubleSigned(channel, shown.state, shown.update.sigHub, sigUser);
  return { ...adopted, version: channel.version };
}

function standingState(channel: Channel): DoubleSigned | undefined {
  const { user, session, exit, doubleSigned, ledgers } = channel;
  if (exit === undefined) return undefined;
  if (doubleSigned?.state.nonce === exit.nonce) return doubleSigned;
  if (exit.nonce !== 0n) return undefined; // a state that this hub does not have: its user settles it
  const state: ChannelState = unsignedState(user, session, [...ledgers.keys()].slice(0, 8));
  return { state, sigHub: "0x", sigUser: "0x" };
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
