import {
  checkSignature,
  hashAppState,
  hashThreadUpdate,
  protocolError,
  threadSum,
  ZERO_HASH,
  type Address,
  type Domain,
  type Hex,
  type ProtocolError,
  type ThreadUpdate,
} from "../../protocol";
import type { Proposal } from "./peer-message";
import { shareOf } from "./standing";
import { peerOf, standingOf, type OwnThread } from "./own-thread";
import { sameContent, type UpdateContent } from "./waiting-updates";

/** What the other party of an updatable thread wants to agree to. */
export interface UpdateOffer {
  readonly record: OwnThread;
  readonly update: ThreadUpdate;
  /** What the update's app state hash is of, where the other party sent it. */
  readonly appState?: Hex;
  /** What this side gains by it, in base units; negative: loses. */
  readonly gain: bigint;
}

/** Decides whether to sign. It must not wait for another step on the same thread. */
export type UpdatePolicy = (offer: UpdateOffer) => boolean | Promise<boolean>;

export interface UpdateWish {
  readonly balanceReceiver: bigint;
  /** The app's new state; default: the standing one stays. `null`: none, so that no app can decide any more. */
  readonly appState?: Hex | null;
}

/** Takes what costs nothing: no loss, and the same app state. */
export const acceptsGains: UpdatePolicy = ({ record, update, gain }) =>
  gain >= 0n && update.appStateHash === standingOf(record).appStateHash;

/** Nobody may use the nonces up: the highest one would end the thread at once. */
const MAX_NONCE_STEP = 2n ** 32n;

/** The highest nonce at which this side has signed anything, or both have. */
export function highestNonce(record: OwnThread): bigint {
  const [standing, own] = [standingOf(record).nonce, record.ownUpdate?.update.nonce ?? 0n];
  return standing > own ? standing : own;
}

export function contentOf(record: OwnThread, { balanceReceiver, appState }: UpdateWish): UpdateContent {
  if (appState === undefined) return { balanceReceiver, appStateHash: standingOf(record).appStateHash };
  return { balanceReceiver, appStateHash: appState === null ? ZERO_HASH : hashAppState(appState) };
}

/** Whether a proposal is none at all. */
export function problemOf(
  record: OwnThread,
  { update, signature, appState }: Proposal,
  { user, domain }: { readonly user: Address; readonly domain: Domain },
): ProtocolError | undefined {
  const { hash, thread } = record;
  const { nonce, balanceReceiver, threadHash, appStateHash } = update;
  const [sum, limit] = [threadSum(thread), highestNonce(record) + MAX_NONCE_STEP];
  if (!thread.updatable || nonce === 0n) return protocolError("UpdateNotAllowed", { threadHash: hash });
  if (threadHash !== hash) return protocolError("ThreadHashMismatch", { expected: hash, given: threadHash });
  if (nonce > limit) return protocolError("NonceTooHigh", { limit, given: nonce });
  if (balanceReceiver > sum) return protocolError("BalanceAboveSum", { sum, given: balanceReceiver });
  if (appState !== undefined && hashAppState(appState) !== appStateHash) {
    return protocolError("AppStateMismatch", { expected: appStateHash, given: hashAppState(appState) });
  }
  return checkSignature(peerOf(record, user), hashThreadUpdate(update), signature, domain);
}

/** What stands already costs nothing, and what the app has decided is owed. */
export function isOwed(record: OwnThread, update: ThreadUpdate): boolean {
  if (sameContent(standingOf(record), update)) return true;
  return update.appStateHash === ZERO_HASH && update.balanceReceiver === record.resolved;
}

export function offerOf(record: OwnThread, { update, appState }: Proposal, user: Address): UpdateOffer {
  const before = shareOf(record, user, standingOf(record).balanceReceiver);
  const gain = shareOf(record, user, update.balanceReceiver) - before;
  return { record, update, gain, ...(appState === undefined ? {} : { appState }) };
}
