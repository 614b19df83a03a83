import {
  amountAtRate,
  bytesToHex,
  hubError,
  protocolError,
  RATE_ONE,
  rowOf,
  type Address,
  type ExchangeArgs,
  type ExchangeQuote,
  type Signature,
} from "../../protocol";
import type { Clock } from "../clock";
import type { HubConfig } from "../config";
import type { HubSigner } from "../signer/hub-signer";
import type { Store } from "../store/store";
import { newestOf, type Channel } from "./channel";
import type { Channels } from "./channels";
import type { Collateral } from "./collateral";
import type { Rates } from "./rates";

export interface ExchangeDeps {
  readonly store: Store;
  readonly channels: Channels;
  readonly collateral: Collateral;
  readonly rates: Rates;
  readonly signer: HubSigner;
  readonly clock: Clock;
  readonly config: Pick<HubConfig, "maxQuoteSeconds">;
  readonly randomBytes: (count: number) => Uint8Array;
}

/** Prices that the hub binds itself to: one user, one amount, once, briefly. */
export class Exchange {
  readonly #deps: ExchangeDeps;

  constructor(deps: ExchangeDeps) {
    this.#deps = deps;
  }

  /**
   * A signed quote. Where the hub holds too little of what it would sell, it brings more and says so.
   * @throws PairUnknown, PriceUnavailable, BalanceTooLow, AmountTooSmall, AmountTooLargeForExchange (more is on its way),
   * CollateralLimit (no more will come)
   */
  async quote(
    user: Address,
    sellAsset: Address,
    buyAsset: Address,
    sellAmount: bigint,
  ): Promise<{ readonly quote: ExchangeQuote; readonly sigHub: Signature }> {
    const { channels, clock, config, randomBytes, signer, store } = this.#deps;
    const rate = this.#deps.rates.rateOf(sellAsset, buyAsset);
    const buyAmount = amountAtRate(sellAmount, rate);
    if (buyAmount === 0n)
      throw hubError("AmountTooSmall", { asset: sellAsset, amount: sellAmount, minimum: smallest(rate) });
    const channel = await channels.load(user);
    requireOwn(channel, sellAsset, sellAmount);
    await this.#requireStock(channel, buyAsset, buyAmount);
    const expiresAt = BigInt(Math.floor(clock.now() / 1000) + config.maxQuoteSeconds);
    const quoteId = bytesToHex(randomBytes(32));
    const quote = { quoteId, user, sellAsset, sellAmount, buyAsset, buyAmount, rate, expiresAt };
    await store.database.write((tx) => store.operation.insertQuote(tx, quote));
    return { quote, sigHub: signer.signQuote(quote) };
  }

  /**
   * The exchange must be one of this hub's quotes, as it stands, and unused; and the hub must still have what it sells,
   * without what refunds could need (H-17).
   * @throws QuoteUnknown, AmountTooLargeForExchange
   */
  async requireQuoted(channel: Channel, exchanges: readonly ExchangeArgs[]): Promise<void> {
    for (const args of exchanges) await this.#requireOwn(channel.user, args);
    for (const asset of new Set(exchanges.map(({ buyAsset }) => buyAsset))) {
      const bought = exchanges.filter(({ buyAsset }) => buyAsset === asset);
      const sum = bought.reduce((total, { buyAmount }) => total + buyAmount, 0n);
      const available = await this.#deps.channels.available(channel, asset);
      if (available < sum) throw hubError("AmountTooLargeForExchange", { asset, available });
    }
  }

  async #requireOwn(user: Address, args: ExchangeArgs): Promise<void> {
    const known = await this.#deps.store.operation.quote(args.quoteId);
    const names = ["sellAsset", "sellAmount", "buyAsset", "buyAmount", "rate", "expiresAt"] as const;
    const isSame =
      known !== undefined && known.quote.user === user && names.every((name) => known.quote[name] === args[name]);
    if (!isSame || known.isUsed) throw hubError("QuoteUnknown", {});
  }

  async #requireStock(channel: Channel, buyAsset: Address, buyAmount: bigint): Promise<void> {
    const { channels, collateral } = this.#deps;
    const available = await channels.available(channel, buyAsset);
    if (available >= buyAmount) return;
    await collateral.want(channel.user, buyAsset, buyAmount, "exchange");
    throw hubError("AmountTooLargeForExchange", { asset: buyAsset, available });
  }
}

/** Only who has what it would sell is worth the hub's money (H-16). */
function requireOwn(channel: Channel, asset: Address, needed: bigint): void {
  const balance = rowOf(newestOf(channel), asset).balanceUser;
  if (balance < needed) throw protocolError("BalanceTooLow", { side: "user", asset, balance, needed });
}

function smallest(rate: bigint): bigint {
  return rate === 0n ? 0n : (RATE_ONE + rate - 1n) / rate;
}
