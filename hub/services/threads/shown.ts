import {
  hashThread,
  protocolError,
  threadRoot,
  verifyThreadEvidence,
  ZERO_HASH,
  type ChannelState,
  type Hash,
  type ThreadEvidence,
} from "../../../protocol";
import type { ThreadRow } from "../../store/thread-store";
import type { Channel } from "../channel";
import type { ShownThreads } from "../channels";
import type { ThreadsDeps } from "./threads";
import { evidenceOf } from "./view";

/** What a restored hub takes over of the threads in a state that their user shows. */
export async function shownThreads(
  channel: Channel,
  state: ChannelState | undefined,
  shown: readonly ThreadEvidence[],
  deps: ThreadsDeps,
): Promise<ShownThreads> {
  if (state === undefined || state.threadRoot === ZERO_HASH) return { hashes: [], write: () => undefined };
  const all = new Map(shown.map((evidence) => [hashThread(evidence.thread), evidence]));
  for (const row of await deps.store.threads.openIn(channel.user)) {
    if (!all.has(row.hash) && row.sigReceiver !== undefined) all.set(row.hash, evidenceOf(row));
  }
  const hashes = requireListed(state, [...all.keys()], shown);
  const rows: ThreadRow[] = [];
  for (const hash of hashes) {
    const evidence = all.get(hash);
    if (evidence === undefined || (await deps.store.threads.load(hash)) !== undefined) continue;
    rows.push(await rowOf(hash, evidence, deps));
  }
  return {
    hashes,
    write: (tx) => {
      for (const row of rows) deps.store.threads.insert(tx, row);
    },
  };
}

/** Those shown alone, or with those the hub still knows: whichever the root is made of. */
function requireListed(state: ChannelState, all: readonly Hash[], shown: readonly ThreadEvidence[]): readonly Hash[] {
  const own = shown.map(({ thread }) => hashThread(thread));
  const found = [own, all].find((list) => new Set(list).size === list.length && threadRoot(list) === state.threadRoot);
  if (found !== undefined) return found;
  throw protocolError("ThreadNotInRoot", { threadHash: all[0] ?? ZERO_HASH, threadRoot: state.threadRoot });
}

async function rowOf(hash: Hash, evidence: ThreadEvidence, deps: ThreadsDeps): Promise<ThreadRow> {
  const { domain, challengePeriodSeconds, apps, channels, clock } = deps;
  const wrong = verifyThreadEvidence(evidence, { domain, challengePeriodSeconds, apps });
  if (wrong) throw wrong;
  const [sender, receiver] = [
    await channels.load(evidence.thread.sender),
    await channels.load(evidence.thread.receiver),
  ];
  return {
    ...{ hash, ...evidence, status: "open", senderLeg: "open", receiverLeg: "open" },
    ...{ senderSession: sender.session, receiverSession: receiver.session, createdAtMs: clock.now() },
  };
}
