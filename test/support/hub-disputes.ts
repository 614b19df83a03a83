import { ethers } from "hardhat";
import { mine } from "@nomicfoundation/hardhat-network-helpers";
import { ZERO_ADDRESS, type Address, type ChannelEvent } from "../../protocol";
import type { TransactionRow } from "../../hub/store/transaction-store";
import { until } from "./hub";
import type { HubScene, HubUser } from "./hub-scene";
import { PERIOD, type SignedState } from "./world";

/** What the hub's key was asked to send, of one kind, about one user or thread; the newest first. */
export async function sentBy(scene: HubScene, kind: string, about: string): Promise<readonly TransactionRow[]> {
  const rows = await scene.services.store.transactions.list(1_000);
  return rows.filter(({ id }) => id.startsWith(`${kind}:${about}`));
}

/** Starts an exit as the user, by default with the newest state. */
export async function startExit(user: HubUser, signed?: SignedState): Promise<void> {
  const given = signed ?? (await user.signed());
  await (await user.onChain()).startExit(...given);
}

export async function exitIsSeen(scene: HubScene, user: HubUser): Promise<void> {
  await until("the exit to be seen", async () => (await scene.services.channels.load(user.address)).exit !== undefined);
}

/** Until the hub has heard of everything that the chain has. */
export async function watcherIsLevel({ services }: HubScene): Promise<void> {
  const { chain } = services.store;
  await until("the watcher to be level", async () => {
    const newest = await chain.newestBlock();
    return newest?.number === (await ethers.provider.getBlockNumber()) && (await chain.open(1)).length === 0;
  });
}

/** Lets the window pass and the hub settle, until its next session has begun and everything is booked. */
export async function windowPasses(scene: HubScene, user: HubUser): Promise<void> {
  const { session } = await scene.services.channels.load(user.address);
  await exitIsSeen(scene, user);
  await scene.pass(Number(PERIOD) + 1);
  await scene.services.disputes.settleDue();
  await until("the next session", async () => {
    await mine();
    return (await scene.services.channels.load(user.address)).session > session;
  });
  await watcherIsLevel(scene);
}

/** What a user was told or will be, oldest first. */
export async function toldTo(scene: HubScene, user: HubUser): Promise<readonly ChannelEvent[]> {
  const rows = await scene.services.store.outbox.after(user.address, 0n, 1_000);
  return rows.map(({ event }) => JSON.parse(event) as ChannelEvent);
}

/** What the hub has of an asset by these users: its part of their channels, and what it got out of ended sessions. */
export async function hubHolds(
  { services }: HubScene,
  users: readonly HubUser[],
  asset: Address = ZERO_ADDRESS,
): Promise<bigint> {
  let sum = 0n;
  for (const user of users) {
    const payouts = await services.store.endedSessions.payouts(user.address, 1_000);
    sum += (await user.balances(asset)).hub;
    for (const payout of payouts) if (payout.asset === asset) sum += payout.amountHub;
  }
  return sum;
}
