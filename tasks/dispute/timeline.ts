import type { Address, Hash } from "../../protocol";
import { readBlock } from "../../protocol/chain/channel-view";
import { readDisputes, readEvents } from "../../protocol/chain/dispute-view";
import type { ChainEvent } from "../../protocol/chain/events";
import type { Outcome } from "../command";
import type { DisputeDeps } from "./deps";
import { balanceNote, explain } from "./explain";
import { countdownOf, showOf, timeOf } from "./words";

/** What happened to a user's channel, from chain data alone, each step in plain sentences. Reads only. */
export async function disputeTimeline(deps: DisputeDeps, user: Address): Promise<Outcome> {
  const { provider, channelManager, fromBlock, head, hub, chain } = deps;
  const events = await readEvents(provider, channelManager, { fromBlock, toBlock: head.number }, user);
  const { exits, threads } = await readDisputes(provider, channelManager, events, head);
  const times = await timesOf(deps, events);
  const assets = new Map<Hash, Address>(threads.flatMap(({ hash, thread }) => (thread ? [[hash, thread.asset]] : [])));
  const show = await showOf(deps, [
    ...events.flatMap((event) => ("asset" in event ? [event.asset] : [])),
    ...assets.values(),
  ]);
  const by = { hub, user, show };
  const steps = events.map((event) => {
    const asset = "threadHash" in event ? assets.get(event.threadHash) : undefined;
    const text = explain(event, by) + balanceNote(event, asset, by);
    const { name, blockNumber, transactionHash } = event;
    return {
      atSeconds: times.get(blockNumber) ?? 0,
      blockNumber,
      transactionHash,
      event: name,
      text,
      values: valuesOf(event),
    };
  });
  const running = exits.find((exit) => exit.user === user);
  const now =
    running === undefined
      ? "Now: the channel is open; no exit is running."
      : `Now: the exit stands at state ${running.nonce}; its window ends ${timeOf(running.deadline)} (${countdownOf(running.deadline - BigInt(head.timestamp))}).`;
  const lines = steps.map(
    ({ atSeconds, blockNumber, text }, i) =>
      `${String(i + 1).padStart(3)}. ${timeOf(BigInt(atSeconds))}, block ${blockNumber}: ${text}`,
  );
  const title = `What the chain says about the channel of ${user} (${events.length} events up to block ${head.number}):`;
  const next = `Next: npx hardhat dispute status --user ${user} --network ${chain.network}`;
  const text = [title, ...(lines.length === 0 ? ["Nothing has happened yet."] : lines), now, next].join("\n");
  return { json: { network: chain.network, chainId: chain.chainId, channelManager, user, steps }, text };
}

/** What an event says beside its place and name. */
function valuesOf(event: ChainEvent): object {
  return Object.fromEntries(Object.entries(event).filter(([field]) => !PLACE.has(field)));
}

const PLACE = new Set(["name", "blockNumber", "blockHash", "logIndex", "transactionHash"]);

async function timesOf({ provider }: DisputeDeps, events: readonly ChainEvent[]): Promise<ReadonlyMap<number, number>> {
  const numbers = [...new Set(events.map(({ blockNumber }) => blockNumber))];
  const blocks = await Promise.all(numbers.map((number) => readBlock(provider, number)));
  return new Map(numbers.map((number, i) => [number, blocks[i]?.timestamp ?? 0]));
}
