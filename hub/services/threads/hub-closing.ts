import { CodedError } from "../../../protocol/coded-error";
import type { ThreadRow } from "../../store/thread-store";
import { newestThreads, type Channel } from "../channel";
import type { Channels } from "../channels";
import type { Draft } from "../drafts";

/**
 * The hub's own closing of a leg, which waits for its user like a payment. Its lane is held.
 * @returns Nothing where the leg is not in the channel's newest state, or where the channel takes nothing now.
 */
export function draftClosing(
  channels: Channels,
  { hash, thread, senderSession, receiverSession }: ThreadRow,
  channel: Channel,
  outcome: bigint,
): Draft | undefined {
  const open = newestThreads(channel);
  const session = channel.user === thread.sender ? senderSession : receiverSession;
  if (channel.session !== session || !open.includes(hash)) return undefined;
  const others = open.filter((each) => each !== hash);
  try {
    return channels.draftOfHub(channel, "CloseThread", { thread, balanceReceiver: outcome, others });
  } catch (error) {
    if (error instanceof CodedError) return undefined; // its channel exits, or the view is old: it is tried again
    throw error;
  }
}
