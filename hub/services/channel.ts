import {
  next,
  rowOf,
  threadsAfter,
  unsignedState,
  type Address,
  type ChannelState,
  type Hash,
  type Signature,
  type Update,
} from "../../protocol";
import type { ChannelRow, ChannelStore, PendingUpdate } from "../store/channel-store";

/** An update of the hub that waits for the user's signature, with the state it leads to. */
export interface Pending extends PendingUpdate {
  readonly state: ChannelState;
}

/** A channel as the hub works with it: plain data, replaced as a whole once a step is on disk. */
export interface Channel extends ChannelRow {
  /** Each builds on the one before, the first on `doubleSigned`. */
  readonly pending: readonly Pending[];
}

/** Most updates that wait for one user. A user that stays away longer is paid custodially. */
export const MAX_UNCOUNTERSIGNED = 256;

/** A channel that nobody has used. */
export function newChannel(user: Address, session: bigint, needsProof: boolean): Channel {
  return { user, session, threads: [], ledgers: new Map(), needsProof, version: 0n, pending: [] };
}

/** The newest state that both signed; before any, the unsigned zero. */
export function baseOf({ user, session, doubleSigned }: ChannelRow): ChannelState {
  return doubleSigned?.state ?? unsignedState(user, session, []);
}

/** What the next update builds on. */
export function newestOf(channel: Channel): ChannelState {
  return channel.pending.at(-1)?.state ?? baseOf(channel);
}

/** Hub and user balance of an asset in the newest state. */
export function balancesOf(channel: Channel, asset: Address): { readonly hub: bigint; readonly user: bigint } {
  const { balanceHub, balanceUser } = rowOf(newestOf(channel), asset);
  return { hub: balanceHub, user: balanceUser };
}

/** Hashes of the threads that are open in the newest state. */
export function newestThreads({ threads, pending }: Channel): readonly Hash[] {
  return pending.map(({ update }) => update).reduce(threadsAfter, threads);
}

/**
 * Both have signed this state: nothing waits any more, except what was built on top of it.
 * @param updates The user's own that led there, on top of whatever waited.
 */
export function withDoubleSigned(
  channel: Channel,
  state: ChannelState,
  sigHub: Signature,
  sigUser: Signature,
  updates: readonly Update[] = [],
): Channel {
  const pending = channel.pending.filter((each) => each.state.nonce > state.nonce);
  const accepted = channel.pending.filter((each) => each.state.nonce <= state.nonce).map(({ update }) => update);
  const threads = [...accepted, ...updates].reduce(threadsAfter, channel.threads);
  return { ...channel, doubleSigned: { state, sigHub, sigUser }, threads, pending, version: channel.version + 1n };
}

/** The channel with what the store says of it, waiting updates replayed. */
export async function loadChannel(store: ChannelStore, user: Address): Promise<Channel | undefined> {
  const row = await store.load(user);
  if (row === undefined) return undefined;
  const base = baseOf(row);
  const updates = await store.updatesAfter(user, row.session, base.nonce, MAX_UNCOUNTERSIGNED);
  let state = base;
  const pending = updates.map(({ update, isDelivered }): Pending => {
    state = next(state, update);
    return { update, isDelivered, state };
  });
  return { ...row, pending };
}

/** Whether deposits are on chain that no state has yet: they could not be signed when they were seen. */
export function isUncredited(channel: Channel): boolean {
  const state = newestOf(channel);
  return [...channel.ledgers].some(([asset, { depositedHub, depositedUser }]) => {
    const row = rowOf(state, asset);
    return depositedHub > row.depositedHub || depositedUser > row.depositedUser;
  });
}
