import type { Address } from "../../protocol";
import { ChannelManager__factory } from "../../typechain-types";
import type { Clock } from "../clock";
import type { Log } from "../log";
import type { CollateralReservation } from "../store/collateral-store";
import type { Store } from "../store/store";
import type { Outgoing } from "./outgoing";

export interface BatcherDeps {
  readonly store: Store;
  readonly outgoing: Outgoing;
  readonly clock: Clock;
  readonly log: Log;
  readonly channelManager: Address;
  readonly reserveOf: (asset: Address) => Promise<bigint>;
}

/** Lines in one transaction: about 1.2 million gas. */
const MAX_LINES = 100;

const manager = ChannelManager__factory.createInterface();

/** Sends granted collateral, many channels in one transaction. No user needs to be online. */
export class CollateralBatcher {
  readonly #deps: BatcherDeps;

  constructor(deps: BatcherDeps) {
    this.#deps = deps;
  }

  /** Queues one transaction for what is granted and covered by the reserve. @returns How many lines it has. */
  async flush(): Promise<number> {
    const { store, outgoing, clock, channelManager } = this.#deps;
    const queued = await store.collateral.queued(MAX_LINES);
    if (queued.length === 0) return 0;
    const lines = await this.#covered(queued.filter(({ expiresAtMs }) => expiresAtMs > clock.now()));
    await store.database.write((tx) => {
      store.collateral.expire(tx, clock.now());
      if (lines.length === 0) return;
      const ids = lines.map(({ id }) => id);
      const transactionId = `collateralize:${ids[0]}-${ids.at(-1)}`;
      store.collateral.markSent(tx, ids, transactionId);
      const batch = lines.map(({ user, asset, amount }) => ({ user, asset, amount }));
      const data = manager.encodeFunctionData("collateralize", [batch]);
      outgoing.enqueue(tx, { id: transactionId, to: channelManager, data, valueWei: 0n, kind: "normal" });
    });
    if (lines.length > 0) outgoing.wake();
    return lines.length;
  }

  /** What the reserve does not cover waits until it is funded or the grant expires. */
  async #covered(queued: readonly CollateralReservation[]): Promise<readonly CollateralReservation[]> {
    const left = new Map<Address, bigint>();
    for (const { asset, amount } of await this.#deps.store.collateral.sent()) {
      left.set(asset, (left.get(asset) ?? (await this.#deps.reserveOf(asset))) - amount);
    }
    const covered: CollateralReservation[] = [];
    for (const line of queued) {
      const rest = left.get(line.asset) ?? (await this.#deps.reserveOf(line.asset));
      if (rest >= line.amount) covered.push(line);
      else this.#deps.log.warn(`the reserve of ${line.asset} is too low for ${line.amount}; fund it`);
      left.set(line.asset, rest >= line.amount ? rest - line.amount : rest);
    }
    return covered;
  }
}
