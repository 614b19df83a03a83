import { toWire, type WireSync } from "../../protocol";
import type { CodedError } from "../../protocol/coded-error";
import type { ClientStore } from "../store";
import type { Events } from "./events";

export interface IncidentDeps {
  readonly store: ClientStore;
  readonly events: Events;
  /** Unix ms. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

const PREFIX = "incident:";

/** A hub must not be able to fill its user's disk. The first ones say most. */
const MOST_KEPT = 200;

/** What the hub did against the rules, on disk with what it said. The same thing again is no news. */
export class Incidents {
  readonly #deps: IncidentDeps;
  readonly #known = new Set<string>();

  constructor(deps: IncidentDeps) {
    this.#deps = deps;
  }

  /** @param sync What the hub said: the evidence. */
  async report(incident: CodedError, sync?: WireSync): Promise<void> {
    const { store, events, now, log } = this.#deps;
    const { code, message } = incident;
    const details = toWire(incident.details);
    const identity = JSON.stringify([code, details]);
    if (this.#known.has(identity)) return;
    this.#known.add(identity);
    log(`incident: ${message}`);
    const count = (await store.list(PREFIX)).length;
    if (count < MOST_KEPT) {
      const key = `${PREFIX}${String(now()).padStart(15, "0")}:${String(count).padStart(3, "0")}`;
      await store.write({ [key]: JSON.stringify({ code, message, details, atMs: now(), sync }) });
    }
    events.emit("incident", incident);
  }

  /** As JSON texts, oldest first. */
  async all(): Promise<readonly string[]> {
    return (await this.#deps.store.list(PREFIX)).map(([, value]) => value);
  }
}
