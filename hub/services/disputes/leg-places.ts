import type { Address } from "../../../protocol";
import type { EndedLeg } from "../../store/ended-session-store";
import type { Store } from "../../store/store";
import type { ThreadRow } from "../../store/thread-store";
import type { Channels } from "../channels";
import { legOf } from "../threads/view";

/**
 * Where a leg's stake is: in a channel that goes on, in one that exits, in a session that the contract has settled and
 * pays the leg out of, or nowhere any more.
 */
export type Place = "live" | "exiting" | "ended" | "gone";

export interface LegPlace {
  readonly user: Address;
  readonly place: Place;
  /** Of `ended`: what the contract has to pay. A leg may be in two sessions where an older state was settled. */
  readonly unpaid: readonly EndedLeg[];
}

/** Sender's leg first. */
export async function placesOf(
  row: ThreadRow,
  { store, channels }: { readonly store: Store; readonly channels: Channels },
): Promise<readonly [LegPlace, LegPlace]> {
  const unpaid = await store.endedSessions.legsOf(row.hash);
  const place = async (user: Address, session: bigint | undefined): Promise<LegPlace> => {
    const own = unpaid.filter((leg) => leg.user === user);
    if (own.length > 0) return { user, place: "ended", unpaid: own };
    if (legOf(row, user) !== "open") return { user, place: "gone", unpaid: [] };
    const channel = await channels.load(user);
    if (channel.session !== session) return { user, place: "gone", unpaid: [] };
    return { user, place: channel.exit === undefined ? "live" : "exiting", unpaid: [] };
  };
  const { sender, receiver } = row.thread;
  return [await place(sender, row.senderSession), await place(receiver, row.receiverSession)];
}
