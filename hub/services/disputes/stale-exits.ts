import { hubError, unsignedState, type Address } from "../../../protocol";
import { payoutGasLimit } from "../../../protocol/chain/payout-gas";
import type { Clock } from "../../clock";
import type { ChannelRow, DoubleSigned } from "../../store/channel-store";
import type { Transaction } from "../../store/database";
import type { Store } from "../../store/store";
import { baseOf, type Channel } from "../channel";
import type { Channels } from "../channels";
import type { Lanes } from "../lanes";
import type { Outgoing } from "../outgoing";
import { CALL_GAS, idOf, startExitCall } from "./calls";
import { moveUncountersigned } from "./uncountersigned";
import type { Amount, Worth } from "./worth";

export interface StaleExitsDeps {
  readonly store: Store;
  readonly channels: Channels;
  readonly lanes: Lanes;
  readonly outgoing: Outgoing;
  readonly worth: Worth;
  readonly clock: Clock;
  readonly channelManager: Address;
  /** Without a new state that both have signed; 0: such channels stay. */
  readonly staleDays: number;
  /** What the hub gets back must be worth so many times the gas. */
  readonly gasMultiple: number;
}

const DAY_MS = 86_400_000;

/** Channels that are looked at in one go. */
const BATCH = 64;

/** The hub's own exits: of channels that nobody uses any more, and of those that its operator names. */
export class StaleExits {
  readonly #deps: StaleExitsDeps;
  #lastLookedAt: Address | undefined;

  constructor(deps: StaleExitsDeps) {
    this.#deps = deps;
  }

  /** Looks at some of the channels. How long one stands still is known from when it was first seen to. */
  async look(): Promise<void> {
    const { store, staleDays } = this.#deps;
    if (staleDays === 0) return;
    const rows = await store.channels.list(this.#lastLookedAt, BATCH);
    this.#lastLookedAt = rows.length < BATCH ? undefined : rows.at(-1)?.user;
    for (const row of rows) if (await this.#isStale(row)) await this.#exitByPolicy(row.user);
  }

  /**
   * Starts an exit with the newest state that both have signed. In the same commit what the hub had credited, and its user
   * never saw, moves to the user's custodial balance: a tower cannot complete it, and the hub must not strand it.
   * @param also Written with it.
   * @returns The id of the transaction.
   * @throws ExitRefused, ChannelIsExiting
   */
  async start(user: Address, also: (tx: Transaction) => void = () => undefined): Promise<string> {
    const { lanes, channels, outgoing, channelManager } = this.#deps;
    const id = await lanes.run([user], async () => {
      const channel = await channels.load(user);
      requireExitable(channel);
      const signed = exitStateOf(channel);
      const credits = await this.#creditsOf(channel, signed.state.nonce);
      const exit = startExitCall(channelManager, signed);
      const after = { ...channel, pending: channel.pending.filter(({ isDelivered }) => isDelivered) };
      await channels.save(after, (tx) => {
        credits(tx);
        outgoing.enqueue(tx, exit);
        also(tx);
      });
      return exit.id;
    });
    outgoing.wake();
    return id;
  }

  /** What was never delivered has no signature that its user could have: it is void, and owed in another way. */
  async #creditsOf(channel: Channel, nonce: bigint): Promise<(tx: Transaction) => void> {
    const { store } = this.#deps;
    const { user, session, pending } = channel;
    const unseen = pending.filter(({ isDelivered }) => !isDelivered);
    const move = await moveUncountersigned(channel, unseen, `${user}:${session}:exit:${nonce}`, this.#deps);
    return (tx) => {
      for (const { update } of unseen) store.channels.deleteUndelivered(tx, user, session, update.nonce);
      move(tx);
    };
  }

  async #isStale(row: ChannelRow): Promise<boolean> {
    const { store, clock, staleDays } = this.#deps;
    const { user, session } = row;
    const { nonce } = baseOf(row);
    const known = await store.staleChannels.load(user);
    if (known?.session === session && known.nonce === nonce) return clock.now() - known.sinceMs >= staleDays * DAY_MS;
    await store.database.write((tx) => store.staleChannels.note(tx, { user, session, nonce, sinceMs: clock.now() }));
    return false;
  }

  /** Only where it pays, and where nothing of the user's waits in the channel. */
  async #exitByPolicy(user: Address): Promise<void> {
    const { store, channels, worth, gasMultiple, clock } = this.#deps;
    const channel = await channels.load(user);
    const { assets, session, nonce } = baseOf(channel);
    if (channel.needsProof || channel.exit !== undefined || isSeenAndUnsigned(channel)) return;
    if ((await store.transactions.find(idOf("exit", { user, session, nonce }))) !== undefined) return;
    const amounts = assets.map(({ asset, balanceHub }): Amount => [asset, balanceHub]);
    const gas = (CALL_GAS + payoutGasLimit({ assets })) * BigInt(gasMultiple);
    if (!worth.isWorth(amounts, gas)) return;
    for (const [asset] of amounts) if ((await store.payments.reservedIn(user, session, asset)) > 0n) return;
    const details = JSON.stringify({ nonce: nonce.toString() });
    await this.start(user, (tx) => {
      store.operation.log(tx, { atMs: clock.now(), kind: "policy:stale-exit", user, details });
    });
  }
}

/** @throws ExitRefused, ChannelIsExiting */
function requireExitable(channel: Channel): void {
  const { user, exit } = channel;
  if (exit !== undefined) throw hubError("ChannelIsExiting", { user, deadline: exit.deadline });
  const reason = channel.needsProof
    ? "the hub was restored from an older copy, and the user may have a newer state"
    : isSeenAndUnsigned(channel)
      ? "the user has seen credits that it has not signed, and could still use them"
      : channel.ledgers.size === 0
        ? "nothing is in the channel"
        : undefined;
  if (reason !== undefined) throw hubError("ExitRefused", { user, reason });
}

/**
 * Credits that the user may hold the hub's signature under: paid custodially as well, they could be taken twice, by a
 * challenge with that state. The next session's beginning moves them, once none of it can happen.
 */
function isSeenAndUnsigned({ pending }: Channel): boolean {
  return pending.some(({ update, isDelivered }) => isDelivered && update.reason === "Payment");
}

function exitStateOf({ doubleSigned, user, session, ledgers }: Channel): DoubleSigned {
  if (doubleSigned !== undefined) return doubleSigned;
  const state = unsignedState(user, session, [...ledgers.keys()].sort().slice(0, 8));
  return { state, sigHub: "0x", sigUser: "0x" };
}
