import {
  checkSignature,
  checkState,
  hashState,
  hubError,
  parseState,
  parseThreadEvidence,
  protocolError,
  threadHashOf,
  threadReceiptOf,
  threadRoot,
  verifyThreadEvidence,
  type Address,
  type ChannelState,
  type Domain,
  type Signature,
  type ThreadEvidence,
  type ThreadEvidenceContext,
  type WireGuardRequest,
  type WireWatchReceipts,
} from "../../protocol";
import type { ChannelView } from "../../protocol/chain/channel-view";
import type { Clock } from "../clock";
import type { TowerFee } from "../config";
import type { GuardedChannel, TowerStore } from "../store/tower-store";
import { bookFee, readFee, requirePaid, type FeePayment } from "./fees";
import { mergeEvidence } from "./merge-evidence";
import { receiptOf, wireReceipts, type ReceiptSigner } from "./receipts";

export interface RegistrationDeps {
  readonly store: TowerStore;
  readonly signer: ReceiptSigner;
  readonly domain: Domain;
  readonly hub: Address;
  readonly evidence: ThreadEvidenceContext;
  readonly fee?: TowerFee;
  readonly clock: Clock;
  /** The channel at the newest block, with the ledgers of these assets. */
  readonly readChannel: (user: Address, assets: readonly Address[]) => Promise<ChannelView>;
}

/** What was asked for, in the tower's own types; the signatures are good. */
interface Given {
  readonly state: ChannelState;
  readonly sigHub: Signature;
  readonly sigUser: Signature;
  readonly threads: readonly ThreadEvidence[];
  readonly fee?: FeePayment;
}

/**
 * Takes a state that both have signed into its care, in place of an older one. The two signatures are the order: whoever
 * brings them can only make the tower guard something newer. The same again gives the same receipt; evidence that is
 * better than what is there is added to it.
 * @throws InvalidValue, InvalidSignature, ThreadRootMismatch and what else the contract would say to the state,
 * TowerFeeUnpaid, FeeProofRefused, GuardedIsNewer, GuardedDiffers
 */
export async function guard(deps: RegistrationDeps, request: WireGuardRequest): Promise<WireWatchReceipts> {
  const given = read(deps, request);
  const { state } = given;
  const view = await deps.readChannel(
    state.user,
    state.assets.map(({ asset }) => asset),
  );
  const { domain, hub } = deps;
  const wrong = checkState(state, { domain, hub, session: view.session, ledgers: view.ledgers });
  if (wrong !== undefined) throw wrong;
  return commit(deps, given, view.exitDeadline !== 0n);
}

/** Everything that needs no chain, signatures first: a stranger's request costs the tower no question to its node. */
function read(deps: RegistrationDeps, { signed, threads, fee }: WireGuardRequest): Given {
  const state = parseState(signed.state, "body.signed.state");
  const [sigHub, sigUser] = [signed.sigHub.toLowerCase() as Signature, signed.sigUser.toLowerCase() as Signature];
  if (state.nonce === 0n) {
    const expected = "above 0: the unsigned state needs no guard";
    throw protocolError("InvalidValue", { path: "body.signed.state.nonce", expected, given: "0" });
  }
  const hash = hashState(state);
  const wrong =
    checkSignature(deps.hub, hash, sigHub, deps.domain) ?? checkSignature(state.user, hash, sigUser, deps.domain);
  if (wrong !== undefined) throw wrong;
  const parsed = threads.map((each, i) => parseThreadEvidence(each, `body.threads.${i}`));
  requireThreads(deps, state, parsed);
  const base = { state, sigHub, sigUser, threads: parsed };
  if (fee === undefined || deps.fee === undefined) return base;
  return { ...base, fee: readFee(fee, state.user, deps.fee, deps.hub, deps.domain) };
}

/** Exactly the threads of the state: with one missing, no leg of the session could be paid. */
function requireThreads({ evidence }: RegistrationDeps, state: ChannelState, given: readonly ThreadEvidence[]): void {
  if (threadRoot(given.map(threadHashOf)) !== state.threadRoot) {
    throw protocolError("ThreadRootMismatch", { threadRoot: state.threadRoot });
  }
  for (const each of given) {
    const wrong = verifyThreadEvidence(each, evidence);
    if (wrong !== undefined) throw wrong;
  }
}

/** One durable step: what is answered is on disk. */
function commit(deps: RegistrationDeps, given: Given, isExiting: boolean): WireWatchReceipts {
  const { store, clock, fee } = deps;
  const { user, session } = given.state;
  const now = BigInt(Math.floor(clock.now() / 1000));
  if (fee !== undefined && given.fee !== undefined) {
    const payment = given.fee;
    store.write(() => bookFee(store, user, payment, fee, now)); // paid is paid, whatever is wrong with the rest
  }
  store.write(() => {
    if (fee !== undefined) requirePaid(store, user, fee, now);
    keepState(deps, given, now);
    for (const evidence of given.threads) keepThread(deps, user, session, evidence, now);
    store.dropThreads(user, session, given.threads.map(threadHashOf));
    if (isExiting || given.threads.length > 0) store.setActive(user, true);
  });
  return currentReceipts(deps, user);
}

function keepState({ store, signer }: RegistrationDeps, given: Given, receivedAt: bigint): void {
  const { state, sigHub, sigUser } = given;
  const stateHash = hashState(state);
  const standing = store.channel(state.user);
  if (standing !== undefined && requireNewer(standing, state) === "same") return;
  const kept = { state, stateHash, receivedAt };
  const sigReceipt = signer.signState(receiptOf(signer.tower, kept));
  store.saveChannel({ ...kept, sigHub, sigUser, sigReceipt });
}

/** @throws GuardedIsNewer, GuardedDiffers */
function requireNewer({ state: standing, stateHash }: GuardedChannel, given: ChannelState): "newer" | "same" {
  const { session, nonce } = standing;
  if (given.session < session || (given.session === session && given.nonce < nonce)) {
    throw hubError("GuardedIsNewer", { session, standing: nonce, given: given.nonce });
  }
  if (given.session > session || given.nonce > nonce) return "newer";
  const hash = hashState(given);
  if (hash !== stateHash) throw hubError("GuardedDiffers", { nonce, standing: stateHash, given: hash });
  return "same";
}

/** A receipt is signed anew only where there is more to promise. */
function keepThread(
  { store, signer, evidence: context }: RegistrationDeps,
  user: Address,
  session: bigint,
  given: ThreadEvidence,
  now: bigint,
): void {
  const hash = threadHashOf(given);
  const known = store.threads(user, session).find((each) => each.hash === hash);
  const evidence = mergeEvidence(known?.evidence, given, context);
  const promise = threadReceiptOf(signer.tower, user, evidence, known?.receivedAt ?? now);
  const isSame =
    known !== undefined &&
    show(promise) === show(threadReceiptOf(signer.tower, user, known.evidence, known.receivedAt));
  if (isSame) return;
  const sigReceipt = signer.signThread({ ...promise, receivedAt: now });
  store.saveThread({ user, session, hash, evidence, receivedAt: now, sigReceipt });
}

/** @throws NotFound */
export function currentReceipts(
  { store, signer }: Pick<RegistrationDeps, "store" | "signer">,
  user: Address,
): WireWatchReceipts {
  const channel = store.channel(user);
  if (channel === undefined) throw hubError("NotFound", { what: `state of ${user} that is guarded` });
  return wireReceipts(signer, channel, store.threads(user, channel.state.session));
}

function show(value: object): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? each.toString() : each));
}
