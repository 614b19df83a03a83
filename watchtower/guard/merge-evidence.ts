import {
  resolvedBalance,
  type ThreadEvidence,
  type ThreadEvidenceContext,
  type ThreadResolution,
} from "../../protocol";

/** The better of what is known and what is given, kind by kind; both are of one thread, and verified. */
export function mergeEvidence(
  known: ThreadEvidence | undefined,
  given: ThreadEvidence,
  context: ThreadEvidenceContext,
): ThreadEvidence {
  if (known === undefined) return given;
  const { thread, sigSender, sigReceiver } = given;
  const payment = higher(known.payment, given.payment, ({ payment: each }) => each.balanceReceiver);
  const update = higher(known.update, given.update, ({ update: each }) => each.nonce);
  const merged: ThreadEvidence = {
    ...{ thread, sigSender, sigReceiver },
    ...(payment === undefined ? {} : { payment }),
    ...(update === undefined ? {} : { update }),
  };
  const resolution = betterResolution(merged, known.resolution, given.resolution, context);
  return resolution === undefined ? merged : { ...merged, resolution };
}

function higher<T>(known: T | undefined, given: T | undefined, of: (each: T) => bigint): T | undefined {
  if (known === undefined || given === undefined) return given ?? known;
  return of(given) > of(known) ? given : known;
}

/** Only one of the newest update counts. Of two that do, the one that pays more; where nobody can tell, the first. */
function betterResolution(
  merged: ThreadEvidence,
  known: ThreadResolution | undefined,
  given: ThreadResolution | undefined,
  { apps, domain }: ThreadEvidenceContext,
): ThreadResolution | undefined {
  const nonce = merged.update?.update.nonce ?? 0n;
  const [first, second] = [known, given].filter((each) => each?.nonce === nonce);
  if (first === undefined || second === undefined || merged.thread.updatable) return first ?? second;
  const worth = (resolution: ThreadResolution): bigint =>
    resolvedBalance({ ...merged, resolution }, apps, domain) ?? -1n;
  return worth(second) > worth(first) ? second : first;
}
