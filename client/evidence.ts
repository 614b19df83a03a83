import {
  formatState,
  formatUpdate,
  hashState,
  next,
  type Address,
  type ChannelState,
  type Evidence,
  type Hash,
  type SignedUpdate,
  type WireThreadEvidence,
} from "../protocol";
import { baseOf, type ChannelRecord } from "./engine/record";

/** Where a channel is: what its evidence is bound to. */
export interface EvidencePlace {
  readonly chainId: number;
  readonly channelManager: Address;
  readonly hub: Address;
}

/**
 * Everything that proves a user's states to the contract. Own updates that build on what the hub has taken back since
 * prove nothing, and are left out.
 * @param threads Of the threads that are open in the newest state both signed.
 */
export function evidenceOf(
  record: ChannelRecord,
  { chainId, channelManager, hub }: EvidencePlace,
  threads: readonly WireThreadEvidence[],
): Evidence {
  const { user, session, doubleSigned, pending } = record;
  return {
    ...{ kind: "channel-evidence", version: 1, chainId, channelManager, hub, user, session: session.toString() },
    ...(doubleSigned === undefined
      ? {}
      : { doubleSigned: { ...doubleSigned, state: formatState(doubleSigned.state) } }),
    hubSigned: pending.map(formatUpdate),
    userSigned: provableOf(record).map(formatUpdate),
    threads: [...threads],
  };
}

function provableOf(record: ChannelRecord): readonly SignedUpdate[] {
  const known = new Set<Hash>();
  const note = (state: ChannelState): ChannelState => {
    known.add(hashState(state));
    return state;
  };
  record.pending.reduce((state, update) => note(next(state, update)), note(baseOf(record)));
  return record.issued
    .filter(({ updates: [first] }) => first !== undefined && known.has(first.previous))
    .flatMap(({ updates }) => updates);
}
