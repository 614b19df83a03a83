import { ethers } from "hardhat";
import { ZERO_ADDRESS, type Address, type Hash, type Hex } from "../../protocol";
import type { ConnextClient } from "../../client";
import { CodedError } from "../../protocol/coded-error";
import { paidOf, standingOf } from "../../client/threads/own-thread";
import { silentLog, type Log } from "../../hub/log";
import { ChaosWorld, isInterrupted, type Moment, type Wire } from "../chaos/chaos-world";
import { hubTotal } from "./hub-total";
import { inState, plus, walletOf, type Holdings } from "../fire-drill/holdings";
import { cacheChain } from "../support/chain-cache";
import { DrillTower } from "../fire-drill/tower";
import { PEOPLE, type Person } from "./action";
import { overheard, type Heard } from "./lossy-wire";

const ETHER = 10n ** 18n;

/** Deposits count when they are so deep: a fork of these histories is never that long. */
export const CONFIRMATIONS = 4;

/** A hub, three users and a chain, at the beginning of a history or somewhere in it. */
export class Simulation {
  readonly world: ChaosWorld;
  readonly tower: DrillTower;
  readonly #start: Moment;
  /** The head where histories begin. */
  readonly block: number;
  readonly #dueAtStart: ReadonlyMap<Person, Holdings>;
  readonly hubAtStart: Holdings;
  /** What everybody must have at the end at least: all of its money, less what it has paid, plus what it was paid. */
  readonly due = new Map<Person, Map<Address, bigint>>();
  readonly dishonest = new Set<Person>();
  readonly away = new Set<Person>();
  readonly links: { readonly secret: Hex; readonly amount: bigint }[] = [];
  /** The best that the receiver of each thread ever had in hand. */
  readonly #receivedBy = new Map<
    Hash,
    { readonly receiver: Address; readonly asset: Address; readonly amount: bigint }
  >();
  storm: Wire | undefined;
  heard: Heard;
  #ids = 0;

  private constructor(
    world: ChaosWorld,
    start: Moment,
    block: number,
    due: ReadonlyMap<Person, Holdings>,
    hub: Holdings,
  ) {
    [this.world, this.#start, this.block, this.#dueAtStart, this.hubAtStart] = [world, start, block, due, hub];
    this.tower = new DrillTower(world);
    this.heard = overheard(() => this.storm);
  }

  static async open(log: Log = silentLog): Promise<Simulation> {
    cacheChain();
    const config = { confirmations: CONFIRMATIONS, disputeWorthPercent: 0, threadMeetingMs: 60 };
    const world = await ChaosWorld.open(log, { config, settles: true, answerMs: 80, haste: 10 });
    await world.world.token.mint(world.signerOf("dave").address, 10n ** 24n);
    for (const person of PEOPLE) {
      const signer = world.signerOf(person);
      await world.world.token.connect(signer).approve(world.world.address, 2n ** 256n - 1n);
      await world.world.manager.connect(signer).deposit(signer, ZERO_ADDRESS, 6n * ETHER, false, { value: 6n * ETHER });
      await world.user(person);
    }
    await rounds(world, 3);
    for (const person of PEOPLE) await (await world.user(person)).client.requestCollateral({ amountWei: 5n * ETHER });
    await rounds(world, 4);
    const block = await ethers.provider.getBlockNumber();
    const due = new Map<Person, Holdings>();
    for (const person of PEOPLE) {
      const { state, isDoubleSigned } = (await world.user(person)).client.getState();
      if (!isDoubleSigned) throw new Error("the histories do not begin level");
      const wallet = await walletOf(world, world.signerOf(person).address, block);
      due.set(person, plus(wallet, inState(world, state, "balanceUser")));
    }
    const hub = await hubTotal(world, block);
    return new Simulation(world, await world.keep(), block, due, hub);
  }

  /** Goes to where every history begins. */
  async begin(): Promise<void> {
    const { world } = this;
    world.wire = undefined;
    await world.goTo(this.#start);
    for (const [person, holdings] of this.#dueAtStart) this.due.set(person, new Map(holdings));
    this.dishonest.clear();
    this.away.clear();
    this.links.length = 0;
    this.#receivedBy.clear();
    this.#ids = 0;
    this.storm = undefined;
    this.heard = overheard(() => this.storm);
    world.wire = this.heard.wire;
    for (const person of PEOPLE) await world.user(person);
  }

  get honest(): readonly Person[] {
    return PEOPLE.filter((person) => !this.dishonest.has(person));
  }

  nextId(): string {
    return `purchase-${this.#ids++}`;
  }

  owes(person: Person, asset: Address, change: bigint): void {
    const due = this.due.get(person);
    due?.set(asset, (due.get(asset) ?? 0n) + change);
  }

  /** Somebody's client, if it is there and to be trusted. */
  async clientOf(person: Person): Promise<ConnextClient | undefined> {
    if (this.dishonest.has(person) || this.away.has(person)) return undefined;
    return (await this.world.user(person)).client;
  }

  /** Whoever cheats is owed nothing, and has no client any more. */
  async turnDishonest(person: Person): Promise<void> {
    await this.world.leave(person);
    this.dishonest.add(person);
  }

  /** Notes what receivers of threads have in hand: nothing may ever take it from them again. */
  async noteThreads(): Promise<void> {
    for (const person of this.honest) {
      if (this.away.has(person)) continue;
      const { client } = await this.world.user(person);
      for (const own of client.listThreads()) {
        if (own.thread.receiver !== client.address || own.leg === "none") continue;
        const amount = own.thread.updatable ? standingOf(own).balanceReceiver : paidOf(own);
        const known = this.#receivedBy.get(own.hash)?.amount ?? 0n;
        const { receiver, asset } = own.thread;
        if (amount > known) this.#receivedBy.set(own.hash, { receiver, asset, amount });
      }
    }
  }

  /** Everything due, with what came through threads. */
  dueOf(person: Person): Holdings {
    const due = new Map(this.due.get(person));
    const address = this.world.address(person);
    for (const { receiver, asset, amount } of this.#receivedBy.values()) {
      if (receiver === address) due.set(asset, (due.get(asset) ?? 0n) + amount);
    }
    return due;
  }

  async mine(count: number): Promise<void> {
    await ethers.provider.send("hardhat_mine", [`0x${count.toString(16)}`]);
  }

  async close(): Promise<void> {
    await this.tower.close();
    await this.world.close();
  }
}

/** Blocks come, the hub does what is due, and whoever is there comes level. */
export async function rounds(world: ChaosWorld, count: number, people: readonly Person[] = PEOPLE): Promise<void> {
  for (let i = 0; i < count; i++) {
    await ethers.provider.send("hardhat_mine", [`0x${CONFIRMATIONS.toString(16)}`]);
    await world.pump();
    for (const person of people) {
      await (await world.user(person)).client.level().catch((error: unknown) => {
        if (!isInterrupted(error) && !(error instanceof CodedError)) throw error; // an exit may run
      });
    }
  }
}
