import { loadChannel } from "../../hub/services/channel";
import { ZERO_ADDRESS } from "../../protocol";
import type { ChaosWorld } from "../chaos/chaos-world";
import { inState, plus, treasuryOf, type Holdings } from "../fire-drill/holdings";
import { PEOPLE } from "./action";

/** Everything of the hub's: its account, the reserve, claims, and its part of every channel that goes on. */
export async function hubTotal(world: ChaosWorld, sinceBlock: number): Promise<Holdings> {
  const store = await world.store();
  let total = await treasuryOf(world, sinceBlock);
  for (const person of PEOPLE) {
    const address = world.address(person);
    const { session } = await world.world.manager.channelOf(address);
    const channel = await loadChannel(store.channels, address);
    const state = channel?.session === session ? channel.doubleSigned?.state : undefined;
    const inside =
      state === undefined ? await collateralOf(world, address, session) : inState(world, state, "balanceHub");
    total = plus(total, inside);
  }
  return total;
}

/** Of a session in which nothing is signed, all that the hub put in is its own. */
async function collateralOf(world: ChaosWorld, user: string, session: bigint): Promise<Holdings> {
  const amounts = new Map<typeof ZERO_ADDRESS, bigint>();
  for (const asset of [ZERO_ADDRESS, world.token]) {
    const { depositedHub, withdrawnHub } = await world.world.manager.ledgerOf(user, session, asset);
    amounts.set(asset, depositedHub - withdrawnHub);
  }
  return amounts;
}
