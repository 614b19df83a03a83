import { ethers } from "hardhat";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { loadChannel } from "../../hub/services/channel";
import type { Store } from "../../hub/store/store";
import { rowOf, ZERO_ADDRESS, type ChannelState } from "../../protocol";
import { Cut } from "../chaos/seams";
import type { ChaosWorld, Moment, User } from "../chaos/chaos-world";
import type { SignedState } from "../support/world";
import { PERIOD } from "../support/world";
import { everyState } from "./archive";
import { DrillTower } from "./tower";
import { inState, inThreads, missing, plus, treasuryOf, walletOf, type Holdings } from "./holdings";

/** Who is cheated: the user whose channel is exited by the hub, or the hub by that user. */
export type Party = "alice" | "bob";

/** The end of a history, which every drill begins with. */
export interface Scene {
  readonly world: ChaosWorld;
  /** Has been given the end of the history by both clients. */
  readonly tower: DrillTower;
  readonly end: Moment;
  readonly block: number;
  readonly states: Readonly<Record<Party, readonly SignedState[]>>;
  /** What each user is to have at the end at least, everything inside and outside. */
  readonly due: Readonly<Record<Party | "hub", Holdings>>;
}

export const PARTIES: readonly Party[] = ["alice", "bob"];

/** Steps of half the window; threads take a window more, and their expiry. */
const MAX_ROUNDS = 10;

/** Measures the end of a history and keeps it. */
export async function sceneOf(world: ChaosWorld): Promise<Scene> {
  const store = await world.store();
  const block = await ethers.provider.getBlockNumber();
  const of = async (party: Party): Promise<readonly [readonly SignedState[], Holdings]> => {
    const { client } = await world.user(party);
    const { state } = client.getState();
    const inside = plus(inState(world, state, "balanceUser"), inThreads(world, client.address, client.listThreads()));
    const wallet = await walletOf(world, world.signerOf(party).address, block);
    return [await everyState(store.channels, client.address, state.session), plus(wallet, inside)];
  };
  const [[alices, alice], [bobs, bob]] = [await of("alice"), await of("bob")];
  const hub = await hubTotal(world, store, block);
  const tower = new DrillTower(world);
  for (const party of PARTIES) await tower.guard((await world.user(party)).client);
  await tower.keep();
  const end = await world.keep();
  return { world, tower, end, block, states: { alice: alices, bob: bobs }, due: { alice, bob, hub } };
}

/** How the hub, or a user, is there while it is cheated. */
export type Presence = (drill: Drill) => Promise<void>;

export interface Drill {
  readonly scene: Scene;
  readonly cheated: Party;
  readonly state: SignedState;
}

/** The client sees the exit in the next block. */
export const clientOnline: Presence = async ({ scene: { world }, cheated }) => {
  await world.user(cheated);
};

/** The client was away and comes back when half of the window has passed. */
export const clientComesBack: Presence = async ({ scene: { world } }) => {
  await pass(world, PERIOD / 2n);
};

/** The client dies when it is about to answer, and comes back. */
export const clientCrashes: Presence = async ({ scene: { world }, cheated }) => {
  const { client } = await world.user(cheated);
  world.cut = new Cut(cheated, 1);
  await client.look();
  world.cut = undefined;
};

/** What somebody lacks at the end; or the contract refused the exit, because it has paid out more than the state knows of. */
export type Outcome = readonly string[] | "refused";

/** The client is away all the time, and a tower is there. */
export const towerOnline: Presence = async ({ scene }) => {
  await scene.tower.tick();
};

/** The tower is down when the exit starts, and again after it has answered. */
export const towerRestarted: Presence = async ({ scene: { world, tower } }) => {
  await tower.stop();
  await pass(world, PERIOD / 2n);
  await tower.tick();
  await tower.stop();
};

const CLIENT_AWAY: ReadonlySet<Presence> = new Set([towerOnline, towerRestarted]);

/** The hub's key exits with an old state, its software is gone. */
export async function hubCheats(drill: Drill, presence: Presence): Promise<Outcome> {
  const { scene, cheated, state } = drill;
  const { world } = scene;
  await world.goTo(scene.end);
  world.hubIsGone = true;
  const isGuarded = CLIENT_AWAY.has(presence);
  if (isGuarded) await scene.tower.goBack();
  else if (presence !== clientComesBack) await world.user(cheated);
  if (!(await exits(world, world.world.hub, state))) return "refused";
  await presence(drill);
  await untilOver(world, cheated, isGuarded ? [] : [cheated], isGuarded ? scene.tower : undefined);
  const wallet = await walletOf(world, world.signerOf(cheated).address, scene.block);
  return missing(wallet, scene.due[cheated]);
}

export const hubOnline: Presence = async ({ scene: { world } }) => {
  await world.pump();
};

/** The hub is down while the exit starts, and back when half of the window has passed. */
export const hubRestarted: Presence = async ({ scene: { world } }) => {
  await pass(world, PERIOD / 2n);
  await world.pump();
};

/** The hub dies when it has seen the exit and is about to answer, and again when it sends. */
export const hubCrashes: Presence = async ({ scene: { world } }) => {
  await world.hub();
  world.cut = new Cut("hub", 2, 3);
  for (let i = 0; i < 4; i++) await world.pump();
  world.cut = undefined;
  await pass(world, PERIOD / 2n);
  await world.pump();
};

/** A user exits with an old state. The other party of its threads is honest and online. */
export async function userCheats(drill: Drill, presence: Presence): Promise<Outcome> {
  const { scene, cheated: cheat, state } = drill;
  const { world } = scene;
  const other = cheat === "alice" ? "bob" : "alice";
  await world.goTo(scene.end);
  await world.user(other);
  if (presence === hubRestarted) await world.stopHub();
  if (!(await exits(world, world.signerOf(cheat), state))) return "refused";
  await presence(drill);
  await untilOver(world, cheat, [other]);
  const hub = await hubTotal(world, await world.store(), scene.block);
  const { client } = await world.user(other);
  const inside = inState(world, client.getState().state, "balanceUser");
  const threads = inThreads(world, client.address, client.listThreads());
  const wallet = await walletOf(world, world.signerOf(other).address, scene.block);
  const others = missing(plus(wallet, plus(inside, threads)), scene.due[other]);
  return [...missing(hub, scene.due.hub).map((line) => `hub: ${line}`), ...others.map((line) => `${other}: ${line}`)];
}

/** @returns Whether the contract let it start. */
async function exits(world: ChaosWorld, by: HardhatEthersSigner, state: SignedState): Promise<boolean> {
  const manager = world.world.manager.connect(by);
  try {
    await manager.startExit(...state);
    return true;
  } catch (error) {
    if (String(error).includes("NotFresh")) return false;
    throw error;
  }
}

/** Goes on in steps of half the window until the exit and its threads are paid out. */
async function untilOver(
  world: ChaosWorld,
  exiting: Party,
  honest: readonly User[],
  tower?: DrillTower,
): Promise<void> {
  let isEnded = false;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    for (let i = 0; i < 2; i++) {
      await world.pump();
      await tower?.tick();
      for (const user of honest) {
        const { client } = await world.user(user);
        await client.look();
        if (!world.hubIsGone) await client.level();
      }
    }
    isEnded = (await world.world.manager.channelOf(world.address(exiting))).session > 0n;
    if (isEnded && (await lockedOf(world, exiting)) === 0n) return;
    await pass(world, PERIOD / 2n);
  }
  // What is still locked is the cheat's alone: nobody else pays the gas for it.
  if (!isEnded) throw new Error("the exit is not settled");
}

async function lockedOf(world: ChaosWorld, user: Party): Promise<bigint> {
  const { manager } = world.world;
  const locked = [ZERO_ADDRESS, world.token].map((asset) => manager.lockedOf(world.address(user), 0n, asset));
  return (await Promise.all(locked)).reduce((sum, each) => sum + each, 0n);
}

/** Time goes on for everybody, the chain included. */
export async function pass(world: ChaosWorld, seconds: bigint): Promise<void> {
  await ethers.provider.send("evm_increaseTime", [Number(seconds)]);
  await ethers.provider.send("evm_mine", []);
  world.pass(Number(seconds) * 1_000);
}

/** Everything of the hub's: outside, in channels, and in threads, whose two legs together hold its part in full. */
async function hubTotal(world: ChaosWorld, store: Store, block: number): Promise<Holdings> {
  let total = await treasuryOf(world, block);
  for (const party of PARTIES) {
    const channel = await loadChannel(store.channels, world.address(party));
    const state = channel?.doubleSigned?.state;
    if (state === undefined) continue;
    total = plus(total, inState(world, state, "balanceHub"));
  }
  return plus(total, await inLegs(world, store));
}

/** Of a thread of which both legs are open, the hub's part is its sum. */
async function inLegs(world: ChaosWorld, store: Store): Promise<Holdings> {
  const channel = await loadChannel(store.channels, world.address("alice"));
  const state: ChannelState | undefined = channel?.doubleSigned?.state;
  return new Map(
    [ZERO_ADDRESS, world.token].map((asset) => [asset, state === undefined ? 0n : rowOf(state, asset).locked]),
  );
}
