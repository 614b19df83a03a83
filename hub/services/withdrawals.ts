import {
  hubError,
  isProtocolError,
  withdrawalPayouts,
  ZERO_ADDRESS,
  type Address,
  type AssetWithdrawal,
  type ExchangeArgs,
  type WireSync,
} from "../../protocol";
import { payoutGasLimit } from "../../protocol/chain/payout-gas";
import { ChannelManager__factory } from "../../typechain-types";
import type { Transaction } from "../store/database";
import type { Store } from "../store/store";
import { newestOf, type Channel } from "./channel";
import type { Channels } from "./channels";
import type { Collateral } from "./collateral";
import type { Exchange } from "./exchange";
import type { Outgoing, OutgoingRequest } from "./outgoing";

export interface WithdrawalsDeps {
  readonly store: Store;
  readonly channels: Channels;
  readonly collateral: Collateral;
  readonly exchange: Exchange;
  readonly outgoing: Outgoing;
  readonly channelManager: Address;
  readonly assets: ReadonlySet<Address>;
}

export interface WithdrawalRequest {
  /** Zero: the user itself. */
  readonly recipient: Address;
  readonly assets: readonly { readonly asset: Address; readonly amount: bigint }[];
  readonly exchange?: ExchangeArgs;
}

const manager = ChannelManager__factory.createInterface();

/**
 * Withdrawals. The hub signs first, on the user's request: a state that withdraws is executable whatever is signed later
 * without it, so a user that signed first would be bound while the hub is not. Everything later builds on it.
 */
export class Withdrawals {
  readonly #deps: WithdrawalsDeps;

  constructor(deps: WithdrawalsDeps) {
    this.#deps = deps;
  }

  /**
   * The hub's signature under a withdrawal, with what it takes back of its own. The lane of the user is held.
   * The same request while one waits for its countersignature: the same update again.
   * @throws AssetUnknown, BalanceTooLow, WithdrawalPending, NothingMoves, QuoteUnknown, AmountTooLargeForExchange
   */
  async propose(channel: Channel, request: WithdrawalRequest): Promise<WireSync> {
    const { channels, store, exchange, assets } = this.#deps;
    for (const { asset } of request.assets) if (!assets.has(asset)) throw hubError("AssetUnknown", { asset });
    if (channel.pending.some(({ update }) => update.reason === "Withdrawal")) return channels.sync(channel);
    if (request.exchange !== undefined) await exchange.requireQuoted(channel, [request.exchange]);
    const args = {
      recipient: request.recipient === channel.user ? ZERO_ADDRESS : request.recipient,
      assets: await this.#assetsOf(channel, request),
      ...(request.exchange === undefined ? {} : { exchange: request.exchange }),
    };
    const draft = await this.#draft(channel, args);
    const quoteId = request.exchange?.quoteId;
    const committed = await channels.commit([draft], (tx) => {
      if (quoteId !== undefined) store.operation.useQuote(tx, quoteId);
    });
    return channels.sync(committed.get(channel.user) ?? channel);
  }

  /** What the chain should execute of a state that both signed, in the commit that makes it so. */
  enqueueExecution(tx: Transaction, channel: Channel): void {
    const request = this.#executionOf(channel);
    if (request !== undefined) this.#deps.outgoing.enqueue(tx, request);
  }

  #executionOf({ user, session, doubleSigned, ledgers }: Channel): OutgoingRequest | undefined {
    if (doubleSigned === undefined) return undefined;
    const { state, sigHub, sigUser } = doubleSigned;
    const payouts = withdrawalPayouts(state, ledgers);
    if (payouts.every(({ amountUser, amountHub }) => amountUser + amountHub <= 0n)) return undefined;
    const counters = state.assets
      .map(({ withdrawnHub, withdrawnUser }) => `${withdrawnHub}-${withdrawnUser}`)
      .join(".");
    return {
      id: `withdraw:${user}:${session}:${counters}`,
      to: this.#deps.channelManager,
      data: manager.encodeFunctionData("withdraw", [{ ...state, assets: [...state.assets] }, sigHub, sigUser]),
      valueWei: 0n,
      kind: "normal",
      gasLimit: payoutGasLimit(state),
    };
  }

  async #draft(
    channel: Channel,
    args: Parameters<Channels["draftOfHub"]>[2],
  ): Promise<ReturnType<Channels["draftOfHub"]>> {
    const { channels } = this.#deps;
    try {
      return channels.draftOfHub(channel, "Withdrawal", args as never);
    } catch (error) {
      throw isProtocolError(error, "OutOfSync") ? await channels.outOfSync(channel, error) : error;
    }
  }

  async #assetsOf(channel: Channel, request: WithdrawalRequest): Promise<readonly AssetWithdrawal[]> {
    const wanted = new Map(request.assets.map(({ asset, amount }) => [asset, amount]));
    const state = newestOf(channel);
    for (const { asset } of state.assets) if (!wanted.has(asset)) wanted.set(asset, 0n);
    const rows: AssetWithdrawal[] = [];
    for (const [asset, user] of [...wanted].sort(([a], [b]) => (a < b ? -1 : 1))) {
      rows.push({ asset, user, hub: await this.#excess(channel, asset, request.exchange) });
    }
    return rows.filter(({ user, hub }) => user + hub > 0n);
  }

  /** What the hub holds above what it wants to keep here: it returns to the reserve for nothing. */
  async #excess(channel: Channel, asset: Address, exchange: ExchangeArgs | undefined): Promise<bigint> {
    if (!this.#deps.assets.has(asset)) return 0n;
    const sold = exchange?.buyAsset === asset ? exchange.buyAmount : 0n;
    const available = (await this.#deps.channels.available(channel, asset)) - sold;
    const kept = await this.#deps.collateral.keep(channel.user, asset);
    return available > kept ? available - kept : 0n;
  }
}
