import { formatState, formatUpdate, type Address } from "../protocol";
import type { ChannelRecord } from "./engine/record";

/** Everything that proves a user's state to the contract, in one document that needs nothing else. */
export interface Evidence {
  readonly kind: "channel-evidence";
  readonly version: 1;
  readonly chainId: number;
  readonly channelManager: Address;
  readonly hub: Address;
  readonly user: Address;
  readonly session: string;
  /** The newest state that both signed: what an exit or a challenge uses. */
  readonly doubleSigned?: { readonly state: object; readonly sigHub: string; readonly sigUser: string };
  /** What the hub signed on top: the user can complete it at any time. */
  readonly hubSigned: readonly object[];
  /** What the user signed on top: the hub could complete it. */
  readonly userSigned: readonly object[];
}

export function evidenceOf(record: ChannelRecord, chainId: number, channelManager: Address, hub: Address): Evidence {
  const { user, session, doubleSigned, pending, issued } = record;
  return {
    kind: "channel-evidence",
    version: 1,
    chainId,
    channelManager,
    hub,
    user,
    session: session.toString(),
    ...(doubleSigned === undefined
      ? {}
      : { doubleSigned: { ...doubleSigned, state: formatState(doubleSigned.state) } }),
    hubSigned: pending.map(formatUpdate),
    userSigned: issued.flatMap(({ updates }) => updates.map(formatUpdate)),
  };
}
