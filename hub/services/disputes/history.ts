import {
  hashState,
  next,
  threadRoot,
  threadsAfter,
  unsignedState,
  ZERO_HASH,
  type ChannelState,
  type Hash,
} from "../../../protocol";
import type { ChannelStore, DoubleSigned } from "../../store/channel-store";
import { newestThreads, type Channel } from "../channel";

/** Longer histories are not replayed: what happened long ago in them counts as unknown. */
const MAX_REPLAYED = 10_000;

/** A state of the past, with the signatures that are known of it. */
export type PastState = Pick<DoubleSigned, "state"> & Partial<Omit<DoubleSigned, "state">>;

/** The state that a channel had at a nonce in its session; nothing if the hub's history does not lead there. */
async function stateAt(
  store: Pick<ChannelStore, "updatesAfter">,
  { user, session, doubleSigned }: Pick<Channel, "user" | "session" | "doubleSigned">,
  nonce: bigint,
): Promise<PastState | undefined> {
  if (doubleSigned?.state.nonce === nonce) return doubleSigned;
  let state: ChannelState = unsignedState(user, session, []);
  if (nonce === 0n) return { state };
  for (const { update } of await store.updatesAfter(user, session, 0n, MAX_REPLAYED)) {
    if (update.nonce > nonce || update.previous !== hashState(state)) break; // a restored database lacks what came before
    state = next(state, update);
    const { sigHub, sigUser } = update;
    if (update.nonce !== nonce) continue;
    return { state, ...(sigHub === undefined ? {} : { sigHub }), ...(sigUser === undefined ? {} : { sigUser }) };
  }
  return undefined;
}

/** Exits whose standing states are kept in memory: they are asked for again and again while a window runs. */
const CACHED = 64;

/** States of the past, as `stateAt` finds them. */
export class PastStates {
  readonly #store: Pick<ChannelStore, "updatesAfter">;
  readonly #found = new Map<string, PastState | undefined>();

  constructor(store: Pick<ChannelStore, "updatesAfter">) {
    this.#store = store;
  }

  async at(channel: Channel, nonce: bigint): Promise<PastState | undefined> {
    const newest = channel.doubleSigned?.state.nonce ?? 0n;
    const key = `${channel.user}:${channel.session}:${nonce}:${newest}`;
    if (this.#found.has(key)) return this.#found.get(key);
    const found = await stateAt(this.#store, channel, nonce);
    if (this.#found.size >= CACHED) this.#found.clear();
    this.#found.set(key, found);
    return found;
  }
}

/** The threads that a settled root is made of; nothing if no list that the hub knows gives it. */
export async function threadsOfRoot(
  store: Pick<ChannelStore, "threadUpdates">,
  channel: Channel,
  nonce: bigint,
  root: Hash,
): Promise<readonly Hash[] | undefined> {
  if (root === ZERO_HASH) return [];
  const past = await store.threadUpdates(channel.user, channel.session, nonce);
  const lists = [channel.threads, newestThreads(channel), past.reduce(threadsAfter, [])];
  return lists.find((list) => threadRoot(list) === root);
}
