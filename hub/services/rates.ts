import { Type } from "typebox";
import { hubError, parseAddress, parseUint, protocolError, UINT128_MAX, validate, type Address } from "../../protocol";
import { addressSchema, uint128Schema } from "../../protocol";
import type { Clock } from "../clock";
import type { Log } from "../log";

/** A price: base units of `buyAsset` for 10^18 base units of `sellAsset`. */
export interface Rate {
  readonly sellAsset: Address;
  readonly buyAsset: Address;
  readonly rate: bigint;
}

/** Where prices come from. */
export interface PriceSource {
  /** All pairs it knows. Rejects when it cannot say. */
  read(): Promise<readonly Rate[]>;
}

/** Older prices are no prices. */
const STALE_MS = 120_000;

const BASIS_POINTS = 10_000n;

export function fixedPrices(rates: readonly Rate[]): PriceSource {
  return { read: () => Promise.resolve(rates) };
}

const answerSchema = Type.Object({
  rates: Type.Array(Type.Object({ sellAsset: addressSchema, buyAsset: addressSchema, rate: uint128Schema }), {
    maxItems: 64,
  }),
});

/** Most bytes of an answer. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Prices from a URL that answers `{ "rates": [{ "sellAsset", "buyAsset", "rate" }] }`. */
export function httpPrices(url: string, timeoutMs = 5_000): PriceSource {
  return {
    read: async () => {
      const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: "error" });
      if (!response.ok) throw new Error(`the price source answers with status ${response.status}`);
      const text = await response.text();
      if (text.length > MAX_ANSWER_BYTES) throw new Error("the price source answers with too much");
      return validate(answerSchema, JSON.parse(text), "prices").rates.map(({ sellAsset, buyAsset, rate }, i) => ({
        sellAsset: parseAddress(sellAsset, `prices.rates.${i}.sellAsset`),
        buyAsset: parseAddress(buyAsset, `prices.rates.${i}.buyAsset`),
        rate: parseUint(rate, UINT128_MAX, `prices.rates.${i}.rate`),
      }));
    },
  };
}

/** The hub's current prices, its spread taken off. A source that fails leaves none: the hub then quotes nothing. */
export class Rates {
  #rates: readonly Rate[] = [];
  #asOfMs = 0;
  readonly #source: PriceSource;
  readonly #spread: bigint;
  readonly #clock: Clock;
  readonly #log: Log;

  /** @param spreadBasisPoints What the hub keeps of each exchange, in hundredths of a percent. */
  constructor(source: PriceSource, spreadBasisPoints: number, clock: Clock, log: Log) {
    if (spreadBasisPoints < 0 || spreadBasisPoints >= 10_000) {
      throw protocolError("InvalidValue", {
        path: "spread",
        expected: "0 to 9999 basis points",
        given: spreadBasisPoints,
      });
    }
    this.#source = source;
    this.#spread = BigInt(spreadBasisPoints);
    this.#clock = clock;
    this.#log = log;
  }

  /** Reads the source. @returns Whether anything changed. */
  async refresh(): Promise<boolean> {
    try {
      const before = fingerprint(this.#rates);
      const rates = (await this.#source.read()).filter(({ rate }) => rate > 0n);
      this.#rates = rates.map((each) => ({
        ...each,
        rate: (each.rate * (BASIS_POINTS - this.#spread)) / BASIS_POINTS,
      }));
      this.#asOfMs = this.#clock.now();
      return fingerprint(this.#rates) !== before;
    } catch (error) {
      this.#log.warn(`no prices: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }

  current(): { readonly rates: readonly Rate[]; readonly asOfMs: number } {
    return { rates: this.#rates, asOfMs: this.#asOfMs };
  }

  /** @throws PairUnknown, PriceUnavailable */
  rateOf(sellAsset: Address, buyAsset: Address): bigint {
    const found = this.#rates.find((rate) => rate.sellAsset === sellAsset && rate.buyAsset === buyAsset);
    if (found === undefined)
      throw hubError(this.#asOfMs === 0 ? "PriceUnavailable" : "PairUnknown", { sellAsset, buyAsset });
    if (this.#clock.now() - this.#asOfMs > STALE_MS) throw hubError("PriceUnavailable", {});
    return found.rate;
  }
}

function fingerprint(rates: readonly Rate[]): string {
  return rates.map(({ sellAsset, buyAsset, rate }) => `${sellAsset}${buyAsset}${rate}`).join();
}
