import { partiesOf, type ChainEvent } from "../../protocol/chain/events";
import type { WatcherListener } from "../chain/event-delivery";
import type { ChainSync } from "./chain-sync";
import type { Disputes } from "./disputes/disputes";
import { isPayout, type SessionEnds } from "./disputes/session-ends";
import type { ThreadDisputes } from "./disputes/thread-disputes";
import type { Incidents } from "./incidents";

export interface ChainEventsDeps {
  readonly chainSync: ChainSync;
  readonly disputes: Disputes;
  readonly sessionEnds: SessionEnds;
  readonly threadDisputes: ThreadDisputes;
  readonly incidents: Incidents;
}

/** Who is told of what happened on chain. Each of them bears hearing it twice, and asks the contract what is true. */
export function chainEvents(deps: ChainEventsDeps): WatcherListener {
  return {
    seen: (event) => seen(event, deps),
    confirmed: (event) => confirmed(event, deps),
    dropped: (event, { wasConfirmed }) => dropped(event, wasConfirmed, deps),
  };
}

/** At first sight: whatever must not wait for confirmations. */
async function seen(event: ChainEvent, { chainSync, disputes, threadDisputes }: ChainEventsDeps): Promise<void> {
  const { name } = event;
  if (name === "ExitStarted" || name === "ExitChallenged") {
    await disputes.exitSeen(event);
    return threadDisputes.lookAtThreadsOf(event.user);
  }
  if (name === "Withdrawn" || name === "Settled") return chainSync.refresh(event.user);
  if (name === "ThreadChallenged" || name === "ThreadResolved") return threadDisputes.look(event.threadHash);
}

/** Once as deep as this hub asks. */
async function confirmed(event: ChainEvent, deps: ChainEventsDeps): Promise<void> {
  const { chainSync, sessionEnds, threadDisputes } = deps;
  if (event.name === "Deposited" || event.name === "Collateralized") return chainSync.refresh(event.user);
  if (event.name === "Settled") {
    await sessionEnds.settled(event);
    await chainSync.refresh(event.user);
    return threadDisputes.lookAtEnded(event.user, event.session);
  }
  if (isPayout(event)) return sessionEnds.paid(event);
}

/** A reorganisation took an event back. One that was confirmed must never be: the operator has to know. */
async function dropped(event: ChainEvent, wasConfirmed: boolean, deps: ChainEventsDeps): Promise<void> {
  const { chainSync, sessionEnds, threadDisputes, incidents } = deps;
  if (wasConfirmed) {
    const what = `${event.name} in block ${event.blockNumber} (${event.blockHash}) was confirmed and is gone`;
    await incidents.report("deep-reorganisation", partiesOf(event)[0], new Error(what));
  }
  if (isPayout(event)) await sessionEnds.unpaid(event);
  if ("threadHash" in event) await threadDisputes.look(event.threadHash);
  if ("user" in event) await chainSync.refresh(event.user);
}
