import { bytesToHex, type Hash } from "../../protocol";
import type { ClientView } from "../chain";
import type { HubConnection } from "../hub-connection";
import type { Schedule } from "../schedule";
import { Apps } from "./apps";
import { Swaps } from "./swaps";
import type { TermsPolicy } from "./terms";
import { ThreadDisputes } from "./thread-disputes";
import { ThreadPurchases } from "./thread-purchase";
import { Threads, type LegEngine } from "./threads";
import type { ThreadWorks } from "./thread-works";

export interface ThreadClientDeps {
  readonly works: ThreadWorks;
  readonly engine: LegEngine & { readonly view: ClientView; refreshView(): Promise<ClientView> };
  readonly hub: Pick<HubConnection, "call">;
  readonly policy: TermsPolicy;
  /** Shows the contract better evidence by itself; has ended legs paid out by itself. */
  readonly defends: boolean;
  readonly settles: boolean;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly now: () => number;
  readonly schedule: Schedule;
  readonly sleep: (ms: number) => Promise<void>;
  readonly answerMs: number;
  readonly log: (line: string) => void;
}

/** A client's threads, what runs on them, and what is done about them at the contract. */
export interface ThreadClient {
  readonly threads: Threads;
  readonly apps: Apps;
  readonly swaps: Swaps;
  readonly disputes: ThreadDisputes;
  readonly purchases: ThreadPurchases;
}

export function threadClient(deps: ThreadClientDeps): ThreadClient {
  const { works, engine, randomBytes, now, schedule, answerMs, log } = deps;
  const { user, resolutions, domain, book, events, context } = works;
  const salt = (): Hash => bytesToHex(randomBytes(32));
  const threads = new Threads({ ...deps, salt });
  const pureApps = context.apps;
  const apps = new Apps({ threads, resolutions, user, apps: pureApps, domain, randomBytes });
  const { challengePeriodSeconds } = context;
  const swaps = new Swaps({
    ...{ apps, book, user, events, pureApps, challengePeriodSeconds, randomBytes, now, schedule, answerMs, log },
  });
  const disputes = new ThreadDisputes({
    ...{ works, log, defends: deps.defends, settles: deps.settles },
    view: () => engine.refreshView(),
    close: (hash, balanceReceiver) => threads.closeDecided(hash, balanceReceiver),
  });
  const purchases = new ThreadPurchases(book, works.streaming, user, now);
  return { threads, apps, swaps, disputes, purchases };
}
