import {
  digestOf,
  formatUpdate,
  hashState,
  hexToBytes,
  next,
  signDigest,
  ZERO_ADDRESS,
  type ChannelState,
  type Update,
} from "../../protocol";
import { CodedError } from "../../protocol/coded-error";
import { newestOf } from "../../hub/services/channel";
import type { Random } from "../invariants/walk/random";
import { developmentKey } from "../support/hub";
import type { Person } from "./action";
import type { Simulation } from "./simulation";

const ETHER = 10n ** 18n;

const KEYS: Readonly<Record<Person, number>> = { alice: 3, bob: 4, dave: 6 };

/** Signs something that gives itself the hub's money, and shows it to the hub. @throws Error if the hub takes it */
export async function forge(sim: Simulation, by: Person, random: Random): Promise<void> {
  const { world } = sim;
  await sim.turnDishonest(by);
  const user = world.address(by);
  const { hub, dispatch } = await world.hub();
  const newest = newestOf(await hub.services.channels.load(user));
  const update = forgery(newest, random);
  const state = after(newest, update);
  if (state === undefined) return;
  const key = hexToBytes(developmentKey(KEYS[by]));
  const sigUser = signDigest(digestOf(world.domain, hashState(state)), key);
  const body = { updates: [formatUpdate({ ...update, sigUser })] };
  const caller = { address: user, isAdmin: false };
  const answer = await dispatch("update", { params: { user }, body }, caller).catch((error: unknown) => error);
  if (!(answer instanceof CodedError)) throw new Error(`the hub took a forged ${update.reason}: ${String(answer)}`);
}

/** A state as a liar would compute it. */
function after(newest: ChannelState, update: Update): ChannelState | undefined {
  try {
    return next(newest, update);
  } catch {
    return undefined;
  }
}

function forgery(newest: ChannelState, random: Random): Update {
  const asset = ZERO_ADDRESS;
  const amount = 1n + random.upTo(ETHER);
  const head = { nonce: newest.nonce + 1n, previous: hashState(newest) };
  const row = newest.assets.find((each) => each.asset === asset);
  const payments = [`0x${"f0".repeat(32)}` as const];
  const { depositedHub, depositedUser } = row ?? { depositedHub: 0n, depositedUser: 0n };
  return random.pick<Update>([
    { ...head, reason: "Payment", args: { recipient: "user", asset, amount, payments } },
    { ...head, reason: "Deposit", args: { asset, depositedHub, depositedUser: depositedUser + amount } },
    { ...head, reason: "Payment", args: { recipient: "hub", asset, amount: 1n, payments }, nonce: newest.nonce },
    { ...head, reason: "Payment", args: { recipient: "hub", asset, amount: 1n, payments }, previous: payments[0]! },
  ]);
}
