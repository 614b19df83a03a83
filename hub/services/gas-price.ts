import type { Provider } from "ethers";
import { currentFees, type Fees } from "../../protocol/chain/fees";
import type { Clock } from "../clock";
import type { Log } from "../log";

/** What a transaction costs now, for users to look at. Zero before the first answer of the node. */
export class GasPrice {
  #fees: Fees = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n };
  #asOfMs = 0;
  readonly #provider: Provider;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(provider: Provider, clock: Clock, log: Log) {
    this.#provider = provider;
    this.#clock = clock;
    this.#log = log;
  }

  /** @returns Whether it changed. */
  async refresh(): Promise<boolean> {
    try {
      const before = this.#fees.maxFeePerGas;
      this.#fees = await currentFees(this.#provider);
      this.#asOfMs = this.#clock.now();
      return this.#fees.maxFeePerGas !== before;
    } catch (error) {
      this.#log.warn(`no gas price: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }

  current(): Fees & { readonly asOfMs: number } {
    return { ...this.#fees, asOfMs: this.#asOfMs };
  }
}
