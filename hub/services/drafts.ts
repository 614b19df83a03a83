import {
  checkSignature,
  hashState,
  protocolError,
  type Address,
  type ChannelState,
  type Domain,
  type Signature,
  type SignedUpdate,
  type Update,
} from "../../protocol";
import type { ChannelStore } from "../store/channel-store";
import type { Transaction } from "../store/database";
import { withDoubleSigned, type Channel, type Pending } from "./channel";

/**
 * A step of one channel that is checked but not signed. The lane of the channel is held from its making until it is
 * either committed or forgotten.
 */
export interface Draft {
  readonly user: Address;
  readonly state: ChannelState;
  /** The user has signed `state`. */
  readonly isCountersignature: boolean;
  /** What the channel becomes with the hub's signature; `before` is what the drafts before this one made of it. */
  readonly after: (before: Channel, sigHub: Signature) => Channel;
  readonly write: (tx: Transaction, store: ChannelStore, before: Channel, sigHub: Signature) => void;
}

/** The channel as it will be, for drafts on top of this one. Its newest signature is missing, so it is for no other use. */
export function provisional(draft: Draft, before: Channel): Channel {
  return draft.after(before, "0x");
}

/** Accepts updates that the user signed, each on top of the one before; the hub countersigns the last. */
export function draftCountersigned(channel: Channel, updates: readonly SignedUpdate[], state: ChannelState): Draft {
  const sigUser = updates.at(-1)?.sigUser ?? "0x";
  const after = (before: Channel, sigHub: Signature): Channel =>
    withDoubleSigned(before, state, sigHub, sigUser, updates);
  return {
    user: channel.user,
    state,
    isCountersignature: true,
    after,
    write: (tx, store, before, sigHub) => {
      for (const [i, update] of updates.entries()) {
        const isLast = i === updates.length - 1;
        const signed = isLast ? { ...update, sigHub } : update;
        store.insertUpdate(tx, channel.user, channel.session, { update: signed, isDelivered: true });
      }
      store.save(tx, after(before, sigHub));
    },
  };
}

/** An update that the hub signs first. `replaced` is taken back with it: an update that its user cannot have seen. */
export function draftOfHub(
  channel: Channel,
  update: Update,
  state: ChannelState,
  isDelivered: boolean,
  replaced?: Pending,
): Draft {
  const signed = (sigHub: Signature): Pending => ({ update: { ...update, sigHub }, isDelivered, state });
  return {
    user: channel.user,
    state,
    isCountersignature: false,
    after: (before, sigHub) => {
      const kept = before.pending.filter((each) => each !== replaced);
      return { ...before, pending: [...kept, signed(sigHub)] };
    },
    write: (tx, store, _before, sigHub) => {
      if (replaced !== undefined) {
        store.deleteUndelivered(tx, channel.user, channel.session, replaced.update.nonce);
      }
      store.insertUpdate(tx, channel.user, channel.session, signed(sigHub));
    },
  };
}

/** The user accepts what waits up to one update, by its signature under it; what is newer goes on waiting. */
export function countersign(channel: Channel, nonce: bigint, sigUser: Signature, domain: Domain): Channel {
  const accepted = channel.pending.find(({ update }) => update.nonce === nonce);
  if (accepted?.update.sigHub === undefined) throw new Error("nothing waits for this countersignature");
  const error = checkSignature(channel.user, hashState(accepted.state), sigUser, domain);
  if (error) throw error;
  return withDoubleSigned(channel, accepted.state, accepted.update.sigHub, sigUser);
}

/** @throws InvalidSignature, MalformedSignature's sentence included, or the missing signature by name */
export function requireUserSignature(
  channel: Channel,
  update: SignedUpdate,
  state: ChannelState,
  domain: Domain,
): void {
  if (update.sigUser === undefined) {
    throw protocolError("InvalidValue", { path: "update.sigUser", expected: "the user's signature", given: undefined });
  }
  const error = checkSignature(channel.user, hashState(state), update.sigUser, domain);
  if (error) throw error;
}
