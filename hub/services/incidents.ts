import { toWire, type Address } from "../../protocol";
import type { CodedError } from "../../protocol/coded-error";
import type { Clock } from "../clock";
import type { Log } from "../log";
import type { Store } from "../store/store";

/** What went against the rules, kept for the operator. Anybody can cause these, so each user's are limited. */
export interface Incidents {
  report(kind: string, user: Address | undefined, error: CodedError | Error): Promise<void>;
}

/** More of one user within an hour add nothing. */
const MAX_PER_USER_AND_HOUR = 20;
const HOUR_MS = 3_600_000;

export function incidentLog(store: Store, clock: Clock, log: Log): Incidents {
  let counts = new Map<string, number>();
  let hour = 0;
  return {
    report: async (kind, user, error) => {
      const now = clock.now();
      if (Math.floor(now / HOUR_MS) !== hour) {
        counts = new Map();
        hour = Math.floor(now / HOUR_MS);
      }
      const count = (counts.get(user ?? "") ?? 0) + 1;
      counts.set(user ?? "", count);
      if (count > MAX_PER_USER_AND_HOUR) return;
      log.warn(`incident ${kind}${user === undefined ? "" : ` of ${user}`}: ${error.message}`);
      const about =
        "code" in error ? { code: error.code, ...(toWire(error.details) as object) } : { reason: error.message };
      const details = JSON.stringify(about);
      await store.database.write((tx) => {
        const base = { atMs: now, kind: `incident:${kind}`, details };
        store.operation.log(tx, user === undefined ? base : { ...base, user });
      });
    },
  };
}
