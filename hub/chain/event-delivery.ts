import { partiesOf, type ChainEvent } from "../../protocol/chain/events";
import type { Head } from "../../protocol/chain/channel-view";
import type { Clock } from "../clock";
import type { Log } from "../log";
import type { EventStatus, OpenEvent } from "../store/chain-store";
import type { Store } from "../store/store";

/**
 * Whom the watcher tells. Each event is told at least once in each status, for one user in the order of the chain. What
 * fails is told again later; meanwhile later events of the same user wait, and nobody else's.
 */
export interface WatcherListener {
  /** A newest block, when everything up to it has been read. */
  head?(head: Head): void;
  /** At first sight. */
  seen(event: ChainEvent): Promise<void>;
  /** Once as deep as configured; `seen` came before. */
  confirmed(event: ChainEvent): Promise<void>;
  /** Gone from the chain. If it had been confirmed, the chain did what this hub takes for impossible: an incident. */
  dropped(event: ChainEvent, past: { readonly wasConfirmed: boolean }): Promise<void>;
}

export interface DeliveryDeps {
  readonly store: Pick<Store, "database" | "chain">;
  readonly clock: Clock;
  readonly log: Log;
  readonly isClosed: () => boolean;
}

const EVENTS_AT_A_TIME = 500;

/** The first retry comes with the next poll, later ones ever later. */
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 60_000;

/** Tells everything that is open. A failure is logged and costs only its own user time (H-8). */
export async function deliver(listener: WatcherListener, deps: DeliveryDeps): Promise<void> {
  const waiting = new Set<string>();
  let last: OpenEvent | undefined;
  do {
    const page = await deps.store.chain.open(EVENTS_AT_A_TIME, last);
    for (const open of page) {
      if (deps.isClosed()) return;
      const parties = partiesOf(open.event);
      if (parties.some((party) => waiting.has(party))) continue;
      if (!(await tell(open, listener, deps))) for (const party of parties) waiting.add(party);
    }
    last = page.length < EVENTS_AT_A_TIME ? undefined : page.at(-1);
  } while (last !== undefined);
}

/** @returns Whether it has been handled. */
async function tell(open: OpenEvent, listener: WatcherListener, deps: DeliveryDeps): Promise<boolean> {
  const { event, failures, wasConfirmed } = open;
  const { store, clock, log } = deps;
  if (open.retryAtMs > clock.now()) return false;
  try {
    for (const status of stepsOf(open)) {
      if (status === "dropped") await listener.dropped(event, { wasConfirmed });
      else await listener[status](event);
      await store.database.write((tx) => store.chain.markTold(tx, event, status));
    }
    return true;
  } catch (error) {
    log.error(`${event.name} (${open.status}) of block ${event.blockNumber} failed; it is told again`, error);
    const delayMs = failures === 0 ? 0 : Math.min(FIRST_RETRY_MS * 2 ** failures, MAX_RETRY_MS);
    await store.database.write((tx) => store.chain.markUntold(tx, event, clock.now() + delayMs));
    return false;
  }
}

/** A hub that was away finds events deep already; they are told as if it had been there. */
function stepsOf({ status, told }: OpenEvent): readonly EventStatus[] {
  return status === "confirmed" && told !== "seen" ? ["seen", "confirmed"] : [status];
}
