import { ethers, network } from "hardhat";
import { unsignedState, ZERO_ADDRESS } from "../../protocol";
import { isInterrupted, type User } from "../chaos/chaos-world";
import { Cut } from "../chaos/seams";
import { everyState, struct } from "../fire-drill/archive";
import { pass } from "../fire-drill/drills";
import { seededRandom } from "../invariants/walk/random";
import { unsigned, type SignedState } from "../support/world";
import type { Action, Attack, Mishap, OnChain, Person } from "./action";
import { forge } from "./forgeries";
import { lossyWire } from "./lossy-wire";
import { CONFIRMATIONS, type Simulation } from "./simulation";

/** What the contract does not let anybody do has not happened. */
export async function onChain(sim: Simulation, action: OnChain): Promise<void> {
  const { by } = action;
  const { manager, token } = { manager: sim.world.world.manager, token: sim.world.token };
  if (action.kind === "exit") {
    await (await sim.clientOf(by))?.startExit();
    return;
  }
  const signer = sim.world.signerOf(by);
  const [asset, value] = action.token ? [token, 0n] : [ZERO_ADDRESS, action.amount];
  await manager.connect(signer).deposit(signer, asset, action.amount, false, { value });
}

export async function mishap(sim: Simulation, action: Mishap): Promise<void> {
  const { world } = sim;
  switch (action.kind) {
    case "leave":
      if (!sim.dishonest.has(action.by)) sim.away.add(action.by);
      return world.leave(action.by);
    case "come back":
      sim.away.delete(action.by);
      await sim.clientOf(action.by);
      return;
    case "restart hub":
      await world.stopHub();
      await world.hub();
      return;
    case "crash":
      world.cut = new Cut(action.by, action.at, action.again);
      return;
    case "storm":
      sim.storm = lossyWire(seededRandom(action.seed), action.loss);
      return;
    case "calm":
      sim.storm = undefined;
      return;
    case "gas":
      await network.provider.send("hardhat_setNextBlockBaseFeePerGas", [`0x${action.baseFee.toString(16)}`]);
      return sim.mine(1);
    case "time":
      return pass(world, BigInt(action.seconds));
    case "fork":
      return fork(sim, action);
  }
}

/** A few blocks happen, everybody sees them or not, and others take their place. */
async function fork(sim: Simulation, { what, keeps, isSeen }: Extract<Mishap, { kind: "fork" }>): Promise<void> {
  const before = await ethers.provider.getBlockNumber();
  const snapshot: unknown = await network.provider.send("evm_snapshot", []);
  await onChain(sim, what);
  if (isSeen) await look(sim);
  const depth = (await ethers.provider.getBlockNumber()) - before;
  if (depth >= CONFIRMATIONS) return; // nobody promises anything about a fork as long as that
  await network.provider.send("evm_revert", [snapshot]);
  if (keeps) await onChain(sim, what);
  await sim.mine(CONFIRMATIONS);
  await look(sim);
}

/** The hub reads the newest block, and so does every client that is there. */
async function look(sim: Simulation): Promise<void> {
  const { hub, life } = await sim.world.hub();
  await hub.watcher.poll().catch((error: unknown) => {
    if (!life.isDead) throw error;
  });
  for (const person of sim.honest) {
    const client = await sim.clientOf(person);
    await client?.look();
    await client?.level().catch((error: unknown) => {
      if (!isInterrupted(error)) throw error;
    });
  }
}

export async function attack(sim: Simulation, action: Attack): Promise<void> {
  if (action.kind === "old exit") await oldExit(sim, action.by, action.pick);
  else await forge(sim, action.by, seededRandom(action.seed));
}

/** A user exits with something it has signed before, and is never seen again. */
async function oldExit(sim: Simulation, by: Person, pick: number): Promise<void> {
  await sim.turnDishonest(by);
  await exitWith(sim, by, pick);
}

/** Exits with a state of the past, or with the newest where the contract knows that the one picked is too old. */
export async function exitWith(
  sim: Simulation,
  person: Person,
  pick: number,
  by = person as User | "hub",
): Promise<void> {
  const { world } = sim;
  const states = await pastStates(sim, person);
  const manager = world.world.manager.connect(by === "hub" ? world.world.hub : world.signerOf(by));
  for (const state of [states[pick % states.length], states.at(-1)]) {
    if (state === undefined) return;
    const isTaken = await manager.startExit(...state).then(() => true, ignoreReverts);
    if (isTaken === true) return;
  }
}

/** All states that both have signed in this session, and the one that nobody signs. */
export async function pastStates(sim: Simulation, person: Person): Promise<readonly SignedState[]> {
  const { world } = sim;
  const address = world.address(person);
  const { session } = await world.world.manager.channelOf(address);
  const states = await everyState((await world.store()).channels, address, session);
  const zero = unsigned(struct(unsignedState(address, session, [ZERO_ADDRESS])));
  return [zero, ...states.slice(1)];
}

export function ignoreReverts(error: unknown): void {
  if (!String(error).includes("reverted")) throw error;
}

/** Sends again what somebody sent before, word for word. The answer is nobody's. */
export async function replay(sim: Simulation, { pick }: Extract<Action, { kind: "replay" }>): Promise<void> {
  const { sends } = sim.heard;
  await sends[pick % Math.max(1, sends.length)]?.().catch(() => undefined);
}
