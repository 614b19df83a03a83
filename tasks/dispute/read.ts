import { hashThread, parseEvidence, type Address, type Evidence, type ParsedEvidence } from "../../protocol";
import { assetsOf, readDisputes, readEvents } from "../../protocol/chain/dispute-view";
import type { ChainEvent } from "../../protocol/chain/events";
import { forecastExit, forecastThread, type ExitForecast, type ThreadForecast } from "../../protocol/dispute";
import type { DisputeDeps } from "./deps";

/** Every open exit and thread with what becomes of it, and the events that say so. */
export interface Forecasts {
  readonly events: readonly ChainEvent[];
  readonly exits: readonly ExitForecast[];
  readonly threads: readonly ThreadForecast[];
}

/** @param evidence Of one channel: forecasts of that channel take it into account. */
export async function readForecasts(
  deps: DisputeDeps,
  user: Address | undefined,
  evidence: Evidence | undefined,
): Promise<Forecasts> {
  const { provider, channelManager, fromBlock, head } = deps;
  const range = { fromBlock, toBlock: head.number };
  const events = await readEvents(provider, channelManager, range, user);
  const held = evidence && parseEvidence(evidence);
  const { exits, threads } = await readDisputes(provider, channelManager, events, head);
  const nowSeconds = BigInt(head.timestamp);
  const { domain, apps, challengePeriodSeconds } = deps;
  const context = { domain, apps, challengePeriodSeconds, nowSeconds };
  const known = new Map((held?.threads ?? []).map((each) => [hashThread(each.thread), each]));
  const unshown = held && user !== undefined ? await unshownThreads(deps, held, events) : [];
  return {
    events,
    exits: exits.map((exit) => forecastExit(exit, held?.doubleSigned, nowSeconds)),
    threads: [...threads, ...unshown].map((each) => forecastThread(each, known.get(each.hash), context)),
  };
}

/** Threads of the evidence whose channel is leaving or has left, and that nobody has shown to the contract yet. */
async function unshownThreads(
  { manager, head }: DisputeDeps,
  { user, session, threads }: ParsedEvidence,
  events: readonly ChainEvent[],
): Promise<readonly Parameters<typeof forecastThread>[0][]> {
  const hasEnded = events.some((event) => event.name === "Settled" && event.user === user && event.session === session);
  const { exitDeadline } = await manager.channelOf(user, { blockTag: head.number });
  if (!hasEnded && exitDeadline === 0n) return [];
  const shown = new Set(
    events.flatMap((event) =>
      event.name === "ThreadChallenged" || event.name === "ThreadResolved" ? [event.threadHash] : [],
    ),
  );
  return threads
    .map(({ thread }) => ({
      hash: hashThread(thread),
      sender: thread.sender,
      receiver: thread.receiver,
      thread,
      legs: hasEnded ? [{ user, session }] : [],
    }))
    .filter(({ hash }) => !shown.has(hash));
}

/** Every asset that these forecasts and events speak of. */
export function assetsIn({ events, exits, threads }: Forecasts): readonly Address[] {
  const users = exits.flatMap(({ user, ledgers }) => [...ledgers.keys(), ...assetsOf(events, user)]);
  return [...users, ...threads.flatMap(({ thread }) => (thread === undefined ? [] : [thread.asset]))];
}
