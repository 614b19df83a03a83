import { ethers } from "hardhat";
import { ZERO_ADDRESS, type Address } from "../../protocol";
import { missing, plus, inState, inThreads, walletOf, type Holdings } from "../fire-drill/holdings";
import { pass } from "../fire-drill/drills";
import { isInterrupted } from "../chaos/chaos-world";
import { hasCode } from "../../client/errors";
import { EXCHANGE_RATE } from "../support/hub";
import { PERIOD } from "../support/world";
import { PEOPLE, type Person, type Plan } from "./action";
import { isRefusal } from "./deeds";
import { exitWith, ignoreReverts } from "./happenings";
import { hubTotal } from "./hub-total";
import { CONFIRMATIONS, rounds, type Simulation } from "./simulation";

/** Windows until everything must be over: an exit, then its threads. */
const MAX_ROUNDS = 6;

/** Ends a history: everything is settled on chain. @returns What is wrong then; nothing if all is well */
export async function end(sim: Simulation, plan: Plan): Promise<readonly string[]> {
  const { world } = sim;
  [sim.storm, world.cut] = [undefined, undefined];
  for (const person of sim.honest) {
    sim.away.delete(person);
    await world.user(person);
  }
  await sim.noteThreads();
  return plan.hubCheats ? cheatedByHub(sim, plan.pick) : settledWithHub(sim, plan.pick);
}

// ----------------------------------------------------------------------------------------------------- an honest hub

async function settledWithHub(sim: Simulation, pick: number): Promise<readonly string[]> {
  const { world } = sim;
  await rounds(world, 3, sim.honest);
  await sim.noteThreads();
  for (const person of sim.honest) {
    await (await world.user(person)).client.startExit().catch(ignoreNothing);
  }
  for (const person of sim.dishonest) {
    await exitWith(sim, person, pick);
  }
  await untilSettled(sim, { watched: PEOPLE, online: sim.honest, isHubThere: true });
  await rounds(world, 2, sim.honest); // only what is deep enough becomes custodial
  await reclaimAll(sim);
  await takeCustodial(sim);
  const wrong = [...world.signatures.doubles];
  for (const person of sim.honest) {
    const wallet = await walletOf(world, world.signerOf(person).address, sim.block);
    wrong.push(...missing(wallet, sim.dueOf(person)).map((line) => `${person}: ${line}`));
    const incidents = await (await world.user(person)).client.incidents();
    wrong.push(...incidents.filter(isNoEcho).map((text) => `${person} accuses the hub: ${text}`));
  }
  const lost = worth(sim, sim.hubAtStart) - worth(sim, await hubTotal(world, sim.block));
  if (lost > 0n) wrong.push(`the hub lost ${lost} base units of tokens' worth`);
  if (sim.dishonest.size === 0) {
    const incidents = await (await world.store()).operation.audit(10);
    wrong.push(...incidents.map(({ kind }) => `the hub accuses somebody: ${kind}`));
  }
  return [...wrong, ...(await unbalanced(sim))];
}

/** What no settled state named, because it was deposited and never credited. */
async function reclaimAll(sim: Simulation): Promise<void> {
  const { world } = sim;
  for (const person of sim.honest) {
    const { client } = await world.user(person);
    const { session } = await world.world.manager.channelOf(client.address);
    for (let past = 0n; past < session; past++) {
      for (const asset of [ZERO_ADDRESS, world.token]) {
        const { depositedUser, withdrawnUser } = await world.world.manager.ledgerOf(client.address, past, asset);
        if (depositedUser > withdrawnUser) await client.reclaim(past, asset).catch(ignoreNothing);
      }
    }
  }
}

/** ETH and tokens as one number, at the only rate that this hub has. */
function worth(sim: Simulation, holdings: Holdings): bigint {
  const ether = holdings.get(ZERO_ADDRESS) ?? 0n;
  return (ether * EXCHANGE_RATE) / 10n ** 18n + (holdings.get(sim.world.token) ?? 0n);
}

/** A request for a withdrawal that is heard twice is two requests; nobody signs what the second one brings. */
function isNoEcho(incident: string): boolean {
  return !/signed a Withdrawal .* nobody asked for it/.test(incident);
}

/** What the hub owes outside of channels is paid out, too. */
async function takeCustodial(sim: Simulation): Promise<void> {
  const { world } = sim;
  for (const person of sim.honest) {
    const { client } = await world.user(person);
    for (const [asset, amount] of await client.getCustodialBalance()) {
      if (amount === 0n) continue;
      await client.withdrawCustodial({ id: `out-${asset}`, amount: { asset, amount }, to: client.address });
    }
  }
  await rounds(world, 2, sim.honest);
}

// ---------------------------------------------------------------------------------------------------- a hostile hub

/** The hub's key exits every channel with some old state; its software is gone. Users have what they signed last. */
async function cheatedByHub(sim: Simulation, pick: number): Promise<readonly string[]> {
  const { world } = sim;
  const due = new Map<Person, Holdings>();
  for (const person of sim.honest) {
    const { client, engine } = await world.user(person);
    await engine.idle();
    const state = engine.record.doubleSigned?.state;
    const threads = inThreads(world, client.address, client.listThreads());
    const inside = state === undefined ? threads : plus(threads, inState(world, state, "balanceUser"));
    due.set(person, plus(await walletOf(world, client.address, sim.block), inside));
  }
  const guarded = sim.honest.filter((_, i) => (pick >> i) % 2 === 1);
  await sim.tower.goBack();
  for (const person of guarded) await sim.tower.guard((await world.user(person)).client);
  for (const [i, person] of PEOPLE.entries()) await exitWith(sim, person, pick + i, "hub");
  await world.stopHub();
  world.hubIsGone = true;
  for (const person of guarded) await world.leave(person);
  if (pick % 3 === 0) await sim.tower.stop(); // it finds everything on its file
  const online = sim.honest.filter((person) => !guarded.includes(person));
  for (const person of online) await (await world.user(person)).client.startExit().catch(ignoreNothing);
  await untilSettled(sim, { watched: sim.honest, online, isHubThere: false });
  await reclaimAll(sim);
  const wrong: string[] = [];
  for (const person of sim.honest) {
    const wallet = await walletOf(world, world.signerOf(person).address, sim.block);
    wrong.push(...missing(wallet, due.get(person) ?? new Map()).map((line) => `${person} of a hostile hub: ${line}`));
  }
  return [...wrong, ...(await unbalanced(sim))];
}

// ------------------------------------------------------------------------------------------------------------- both

function ignoreNothing(error: unknown): void {
  if (!hasCode(error, "NothingToExit", "ChannelExiting", "ExitRunning")) ignoreReverts(error);
}

interface Present {
  /** Whose channels must be settled. */
  readonly watched: readonly Person[];
  readonly online: readonly Person[];
  /** Otherwise a tower is. */
  readonly isHubThere: boolean;
}

/** Time goes on until no exit runs and nothing that anybody honest wants is locked. */
async function untilSettled(sim: Simulation, present: Present): Promise<void> {
  let before: bigint | undefined;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    await sim.mine(CONFIRMATIONS);
    for (let i = 0; i < 2; i++) await everybodyLooks(sim, present);
    const { exiting, locked } = await openOnChain(sim, present.watched);
    if (exiting.length === 0 && (locked === 0n || (round >= 4 && before === locked))) return;
    before = locked;
    await pass(sim.world, PERIOD + 60n);
  }
  const { exiting } = await openOnChain(sim, present.watched);
  if (exiting.length > 0) throw new Error(`the exits of ${exiting.join(", ")} are not settled`);
}

async function everybodyLooks(sim: Simulation, { online, isHubThere }: Present): Promise<void> {
  const { world } = sim;
  if (isHubThere) await world.pump();
  else await sim.tower.tick();
  for (const person of online) {
    const { client } = await world.user(person);
    await client.look();
    if (isHubThere) await client.level().catch(ignoreRefusals);
  }
}

/** Nothing is signed while an exit runs. */
function ignoreRefusals(error: unknown): void {
  if (!isInterrupted(error) && !isRefusal(error)) throw error;
}

async function openOnChain(
  sim: Simulation,
  people: readonly Person[],
): Promise<{ readonly exiting: readonly Person[]; readonly locked: bigint }> {
  const { manager } = sim.world.world;
  const exiting: Person[] = [];
  let locked = 0n;
  for (const person of people) {
    const address = sim.world.address(person);
    const { session, exitDeadline } = await manager.channelOf(address);
    if (exitDeadline > 0n) exiting.push(person);
    if (session > 0n) locked += await manager.lockedOf(address, session - 1n, ZERO_ADDRESS);
  }
  return { exiting, locked };
}

/** The contract has exactly what it owes: the reserve, claims, what channels hold, and what threads of the past lock. */
async function unbalanced(sim: Simulation): Promise<readonly string[]> {
  const { world } = sim;
  const { manager, token } = world.world;
  const wrong: string[] = [];
  for (const asset of [ZERO_ADDRESS, world.token]) {
    const holds =
      asset === ZERO_ADDRESS ? await ethers.provider.getBalance(world.world.address) : await token.balanceOf(manager);
    const owes = (await manager.reserveOf(asset)) + (await owedToUsers(sim, asset));
    if (holds !== owes) wrong.push(`the contract holds ${holds} of ${asset} and owes ${owes}`);
  }
  return wrong;
}

async function owedToUsers(sim: Simulation, asset: Address): Promise<bigint> {
  const { world } = sim;
  const { manager } = world.world;
  let sum = await manager.claimableOf(world.world.hub, asset);
  for (const person of PEOPLE) {
    const address = world.address(person);
    sum += await manager.claimableOf(address, asset);
    const { session } = await manager.channelOf(address);
    for (let past = 0n; past <= session; past++) {
      const ledger = await manager.ledgerOf(address, past, asset);
      const inside = ledger.depositedHub + ledger.depositedUser - ledger.withdrawnHub - ledger.withdrawnUser;
      sum += past === session ? inside : inside + (await manager.lockedOf(address, past, asset));
    }
  }
  return sum;
}
