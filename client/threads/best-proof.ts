import { bestBalance, type ThreadEvidenceContext } from "../../protocol";
import { provenOf, threadEvidenceOf, type OwnThread } from "./own-thread";

/** What a thread pays the receiver, and whether the hub can see that itself: not what an app of others decides. */
export interface Proof {
  readonly outcome: bigint;
  readonly isForHub: boolean;
}

/** The best that this side can prove. Of an updatable thread, what both have signed last. */
export function bestProof(own: OwnThread, context: ThreadEvidenceContext): Proof {
  const outcome = provenOf(own);
  const evidence = threadEvidenceOf(own);
  if (evidence === undefined) return { outcome, isForHub: false };
  return { outcome, isForHub: own.thread.updatable || bestBalance(evidence, context) >= outcome };
}
