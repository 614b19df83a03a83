import {
  parseEvidence,
  hashThread,
  type Address,
  type Evidence,
  type ParsedEvidence,
  type SignedState,
  type ThreadEvidence,
} from "../../protocol";
import { assetsOf } from "../../protocol/chain/dispute-view";
import { channelManagerAt } from "../../protocol/chain/contract";
import { decodeEvent, type ChainEvent } from "../../protocol/chain/events";
import { readThreadRecord } from "../../protocol/chain/thread-record";
import { showingOf } from "../../protocol/chain/thread-showing";
import { decodeContractError } from "../contract-errors";
import type { Outcome } from "../command";
import type { Step } from "../chain/transactions";
import type { DisputeDeps } from "./deps";
import { channelNow, newestOf, stateStep, unsignedOf } from "./exit-plans";
import { explain } from "./explain";
import type { Sandbox } from "./sandbox";
import { payoutSteps } from "./thread-plan";
import { showOf, type Show } from "./words";

/** What one transaction of the play did. */
interface Played {
  readonly what: string;
  readonly gas: bigint;
  readonly events: readonly ChainEvent[];
}

interface Play {
  readonly deps: DisputeDeps;
  readonly sandbox: Sandbox;
  readonly evidence: Evidence;
  readonly parsed: ParsedEvidence;
  readonly played: Played[];
}

/**
 * Plays evidence to its end on a copy of the chain: an exit with the state before anything was signed, the evidence's
 * state against it, settlement, its threads with their payouts. Prints who gets what. Nothing is sent to the chain itself.
 */
export async function simulateEvidence(deps: DisputeDeps, sandbox: Sandbox, evidence: Evidence): Promise<Outcome> {
  const parsed = parseEvidence(evidence);
  const play: Play = { deps, sandbox, evidence, parsed, played: [] };
  const { events, exit } = await channelNow(deps, parsed.user);
  const show = await showOf(deps, assetsOf(events, parsed.user));
  await playExit(play, events, exit?.nonce, exit?.deadline);
  for (const thread of parsed.threads) await playThread(play, thread);
  return describe(play, show);
}

async function playExit(
  play: Play,
  events: readonly ChainEvent[],
  nonce: bigint | undefined,
  deadline: bigint | undefined,
): Promise<void> {
  const { deps, parsed, sandbox, evidence } = play;
  const { user, session } = parsed;
  const newest = newestOf(evidence, session) ?? unsignedOf(user, session, events);
  const standing = nonce ?? (await startExit(play, newest, unsignedOf(user, session, events)));
  if (newest.state.nonce > standing) {
    await send(play, user, stateStep(deps, "challenge", newest, `show state ${newest.state.nonce} of the evidence`));
  }
  const manager = channelManagerAt(deps.channelManager, sandbox.provider);
  const channel = await manager.channelOf(user);
  await sandbox.passTo(deadline ?? channel.exitDeadline);
  const { exit } = await channelNow(deps, user);
  const settled = newest.state.nonce >= standing ? newest : (exit?.standing ?? newest);
  await send(play, user, stateStep(deps, "settle", settled, `settle by state ${settled.state.nonce} after the window`));
}

/** With the state before anything was signed, or, where something was withdrawn since, which rules that out, the newest. */
async function startExit(play: Play, newest: SignedState, unsigned: SignedState): Promise<bigint> {
  const { deps, parsed, sandbox } = play;
  const manager = channelManagerAt(deps.channelManager, sandbox.provider);
  const ledgers = await Promise.all(
    unsigned.state.assets.map(({ asset }) => manager.ledgerOf(parsed.user, parsed.session, asset)),
  );
  const hasPaidOut = ledgers.some(({ withdrawnHub, withdrawnUser }) => withdrawnHub > 0n || withdrawnUser > 0n);
  const [first, which] = hasPaidOut
    ? [newest, `state ${newest.state.nonce} of the evidence`]
    : [unsigned, "the state before anything was signed"];
  await send(play, parsed.user, stateStep(deps, "startExit", first, `start the exit with ${which}`));
  return first.state.nonce;
}

async function playThread(play: Play, held: ThreadEvidence): Promise<void> {
  const { deps, sandbox, parsed, evidence } = play;
  const { domain, apps, challengePeriodSeconds, channelManager } = deps;
  const hash = hashThread(held.thread);
  const record = await readThreadRecord(sandbox.provider, channelManager, hash);
  const now = BigInt((await sandbox.provider.getBlock("latest"))?.timestamp ?? 0);
  const showing = showingOf(held, record, { domain, apps, challengePeriodSeconds }, now);
  if (showing !== undefined) {
    const gas = showing.gasLimit === undefined ? {} : { gasLimit: showing.gasLimit };
    await send(play, parsed.user, {
      what: `show ${showing.name} of thread ${hash}`,
      to: channelManager,
      data: showing.data,
      valueWei: 0n,
      ...gas,
    });
  }
  const standing = await readThreadRecord(sandbox.provider, channelManager, hash);
  if (standing !== undefined) await sandbox.passTo(standing.deadline);
  const { user, session } = parsed;
  const manager = channelManagerAt(channelManager, sandbox.provider);
  for (const step of await payoutSteps({ manager, channelManager }, held.thread, [{ user, session }], evidence)) {
    await send(play, user, step);
  }
}

async function send(
  { sandbox, played }: Play,
  account: Address,
  { what, to, data, valueWei, gasLimit }: Step,
): Promise<void> {
  try {
    const signer = await sandbox.as(account);
    const sent = await signer.sendTransaction({
      to,
      data,
      value: valueWei,
      ...(gasLimit === undefined ? {} : { gasLimit }),
    });
    const receipt = await sent.wait();
    const events = (receipt?.logs ?? []).map(decodeEvent).filter((event) => event !== undefined);
    played.push({ what, gas: receipt?.gasUsed ?? 0n, events });
  } catch (error) {
    throw decodeContractError(error, what);
  }
}

interface Total {
  readonly asset: Address;
  readonly user: bigint;
  readonly hub: bigint;
}

function describe({ deps, parsed, played }: Play, show: Show): Outcome {
  const by = { hub: deps.hub, user: parsed.user, show };
  const lines = played.flatMap(({ what, gas, events }, i) => [
    `${String(i + 1).padStart(3)}. ${what} (${gas} gas)`,
    ...events.map((event) => `       ${explain(event, by)}`),
  ]);
  const totals = totalsOf(played);
  const shares = totals.map(
    ({ asset, user, hub }) => `  the user gets ${show(asset, user)}, the hub's reserve ${show(asset, hub)}`,
  );
  const text = [
    `The evidence of ${parsed.user}, session ${parsed.session}, played on a copy of ${deps.chain.network}; the chain itself was not touched:`,
    ...lines,
    "Who gets what in the end:",
    ...(shares.length === 0 ? ["  nobody gets anything"] : shares),
    `Next: npx hardhat dispute status --user ${parsed.user} --network ${deps.chain.network}`,
  ].join("\n");
  return { json: { user: parsed.user, session: parsed.session, steps: played, totals }, text };
}

function totalsOf(played: readonly Played[]): readonly Total[] {
  const totals = new Map<Address, Total>();
  for (const event of played.flatMap(({ events }) => events)) {
    if (event.name !== "AssetSettled" && event.name !== "ThreadSettled") continue;
    const { asset, amountUser, amountHub } = event;
    const before = totals.get(asset) ?? { asset, user: 0n, hub: 0n };
    totals.set(asset, { asset, user: before.user + amountUser, hub: before.hub + amountHub });
  }
  return [...totals.values()];
}
