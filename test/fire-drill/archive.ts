import { hashState, next, unsignedState, type Address, type ChannelState } from "../../protocol";
import type { ChannelStore } from "../../hub/store/channel-store";
import { unsigned, type SignedState } from "../support/world";

const EVERYTHING = 1_000_000;

/** Every state of a session that both sides have ever signed, oldest first; before them the one that nobody signs. */
export async function everyState(store: ChannelStore, user: Address, session: bigint): Promise<readonly SignedState[]> {
  let state = unsignedState(user, session, []);
  const states: SignedState[] = [];
  for (const { update } of await store.updatesAfter(user, session, 0n, EVERYTHING)) {
    if (update.previous !== hashState(state)) throw new Error(`a hole before the update with nonce ${update.nonce}`);
    state = next(state, update);
    const { sigHub, sigUser } = update;
    if (sigHub !== undefined && sigUser !== undefined) states.push([struct(state), sigHub, sigUser]);
  }
  const zero = unsignedState(
    user,
    session,
    state.assets.map(({ asset }) => asset),
  );
  return [unsigned(struct(zero)), ...states];
}

/** As the contract's interface wants it. */
export function struct(state: ChannelState): SignedState[0] {
  return { ...state, assets: state.assets.map((row) => ({ ...row })) };
}
