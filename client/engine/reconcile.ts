import {
  advance,
  checkSignature,
  checkState,
  hashState,
  isProtocolError,
  parseHash,
  parseState,
  parseUpdate,
  rowOf,
  toWire,
  type Address,
  type ChannelState,
  type CloseThreadArgs,
  type Domain,
  type Hash,
  type Ledgers,
  type ProtocolError,
  type Signature,
  type SignedUpdate,
  type WireSync,
} from "../../protocol";
import type { CodedError } from "../../protocol/coded-error";
import { clientError, hasCode } from "../errors";
import {
  aboveEverything,
  baseOf,
  differenceToWish,
  newestOf,
  withDoubleSigned,
  withThreads,
  type ChannelRecord,
  type DoubleSigned,
  type Issued,
} from "./record";

/** What this side holds against what the hub says. */
export interface ReconcileContext {
  readonly domain: Domain;
  readonly hub: Address;
  /** This side's own view of the chain. */
  readonly session: bigint;
  readonly ledgers: Ledgers;
  /** Assets that this side takes. */
  readonly assets: ReadonlySet<Address>;
  readonly nowSeconds: bigint;
  /** Why this side does not accept that a thread of its ends so, or nothing: evidence that it has says. */
  readonly closings: (args: CloseThreadArgs) => string | undefined;
  /** The hub said it in answer to a question asked since the record last changed. What it pushed may be old by now. */
  readonly isAnswer: boolean;
}

/** What follows from a sync. */
export interface Reconciled {
  readonly record: ChannelRecord;
  /** Own updates that the hub turned out to have countersigned. */
  readonly accepted: readonly Issued[];
  /** New updates of the hub that were verified. */
  readonly verified: readonly SignedUpdate[];
  /** It was overtaken by what is known since: ask. */
  readonly isStale: boolean;
  /** The hub does not know what both have signed: show it. */
  readonly mustShow: boolean;
  /** The hub has forgotten what it signed and this side has not signed yet: sign that, then show it. */
  readonly mustComplete: boolean;
  /** Something is signed by the hub that this side cannot see on chain yet: look again later. */
  readonly waits: boolean;
  /** What the hub did against the rules; nothing of it is in `record`. */
  readonly incident?: CodedError;
}

/**
 * Compares a sync of the hub with this side's own record and takes over what it may. Pure: what is signed or sent follows
 * from the answer. Nothing is believed because the hub says so: states bear this side's own signature, or follow from one
 * that does by steps that only add, that the chain confirms, or that this side asked for. What was once verified is never
 * lost to a later sync. Source: docs/protocol.md "Coming level".
 */
export function reconcile(record: ChannelRecord, sync: WireSync, context: ReconcileContext): Reconciled {
  const nothing = unchanged(record);
  const isSameSession = BigInt(sync.session) === record.session && context.session === record.session;
  if (!isSameSession) return { ...nothing, waits: true }; // one of both has not seen a settlement
  try {
    const based = takeBase(record, sync, context);
    if (based.stopsHere) return { ...nothing, ...based.reconciled };
    const taken = takePending(based.record, sync, context);
    const isDone = taken.incident === undefined && taken.waits !== true;
    const after = isDone ? completed(record, taken.record, based.accepted, sync, context) : taken.record;
    return { ...nothing, accepted: based.accepted, ...taken, record: withThreads(after, hashesIn(sync)) };
  } catch (error) {
    if (!hasCode(error)) throw error;
    return { ...nothing, incident: error };
  }
}

function unchanged(record: ChannelRecord): Reconciled {
  return {
    record,
    ...{ accepted: [], verified: [], isStale: false, mustShow: false, mustComplete: false, waits: false },
  };
}

type Partly = Partial<Omit<Reconciled, "record">>;

type Based =
  | { readonly stopsHere: true; readonly reconciled: Partly }
  | { readonly stopsHere: false; readonly record: ChannelRecord; readonly accepted: readonly Issued[] };

/** The newest state that both signed: ours, one of those on their way, or one from another device of ours. */
function takeBase(record: ChannelRecord, sync: WireSync, context: ReconcileContext): Based {
  const own = baseOf(record);
  const shown = sync.doubleSigned === undefined ? undefined : parseDoubleSigned(sync.doubleSigned);
  const theirs = shown?.state.nonce ?? 0n;
  if (theirs < own.nonce) return { stopsHere: true, reconciled: older(record, theirs, context) };
  if (shown === undefined || theirs === 0n || hashState(shown.state) === hashState(own)) {
    return { stopsHere: false, record, accepted: [] };
  }
  if (theirs === own.nonce) throw contradiction("two states with one nonce", theirs);
  const error = verifyShown(record, shown, context);
  if (isProtocolError(error, "NotBacked")) return { stopsHere: true, reconciled: { waits: true } };
  if (error) throw error;
  const accepted = record.issued.filter(({ state }) => hashState(state) === hashState(shown.state));
  return { stopsHere: false, record: withDoubleSigned(record, shown, hashesIn(sync)), accepted };
}

/** As the contract would; a signature that this side has made, or has checked when it took the update, is good. */
function verifyShown(record: ChannelRecord, shown: DoubleSigned, context: ReconcileContext): ProtocolError | undefined {
  const { state, sigHub, sigUser } = shown;
  const hash = hashState(state);
  const isTheirs = record.pending.at(-1)?.sigHub === sigHub && hashState(newestOf(record)) === hash;
  const isOwn = record.issued.some((each) => each.sigUser === sigUser && hashState(each.state) === hash);
  return (
    checkState(state, context) ??
    (isTheirs ? undefined : checkSignature(context.hub, hash, sigHub, context.domain)) ??
    (isOwn ? undefined : checkSignature(record.user, hash, sigUser, context.domain))
  );
}

/** W-6: a hub that has forgotten is told; one that shows less than a complete record holds has done so on purpose or not. */
function older(record: ChannelRecord, given: bigint, { isAnswer }: ReconcileContext): Partly {
  if (!isAnswer) return { isStale: true };
  const incident = behind(record, given, baseOf(record).nonce);
  return { mustShow: true, ...incident };
}

function behind({ isComplete }: ChannelRecord, given: bigint, known: bigint): { readonly incident?: CodedError } {
  if (!isComplete) return {};
  return { incident: clientError("HubBehind", { given, known }) };
}

type Taken = Partly & { readonly record: ChannelRecord };

/** What the hub signed on top, one step after the other, as far as it may be taken. */
function takePending(record: ChannelRecord, sync: WireSync, context: ReconcileContext): Taken {
  const base = baseOf(record);
  const given = sync.updates.map((update, i) => parseUpdate(update, `sync.updates.${i}`));
  const pending = given.filter(({ nonce }) => nonce > base.nonce);
  const known = record.pending;
  const isLonger = startsWith(pending, known);
  if (!isLonger && startsWith(known, pending)) return shorter(record, pending, context);
  const [start, steps] = isLonger ? [newestOf(record), pending.slice(known.length)] : [base, pending];
  const verified = verifySteps(record, start, steps, context);
  if (!("state" in verified)) return { record, ...verified };
  if (!isLonger && !isBetter(verified.state, newestOf(record))) {
    return { record, incident: contradiction("something else than it had signed before", verified.state.nonce) };
  }
  return { record: { ...record, pending }, verified: steps };
}

/** An older push; or an answer of a hub that has forgotten what it signed. */
function shorter(record: ChannelRecord, pending: readonly SignedUpdate[], { isAnswer }: ReconcileContext): Taken {
  if (!isAnswer) return { record };
  const given = pending.at(-1)?.nonce ?? baseOf(record).nonce;
  return { record, mustComplete: true, mustShow: true, ...behind(record, given, newestOf(record).nonce) };
}

type Verified = { readonly state: ChannelState } | { readonly waits: true } | { readonly incident: CodedError };

/** Each step by the rules; of the signatures the last one, since each state follows from the one before. */
function verifySteps(
  record: ChannelRecord,
  start: ChannelState,
  steps: readonly SignedUpdate[],
  context: ReconcileContext,
): Verified {
  let state = start;
  for (const update of steps) {
    try {
      state = takeStep(record, state, update, context);
    } catch (error) {
      if (!hasCode(error)) throw error;
      return isNotSeenYet(update, error) ? { waits: true } : { incident: error };
    }
  }
  const last = steps.at(-1);
  const wrong = last && checkSignature(context.hub, hashState(state), last.sigHub ?? "0x", context.domain);
  return wrong === undefined ? { state } : { incident: wrong };
}

function takeStep(
  record: ChannelRecord,
  state: ChannelState,
  update: SignedUpdate,
  context: ReconcileContext,
): ChannelState {
  const refused = reasonAgainst(record, update, context);
  if (refused !== undefined) throw unsolicited(update, refused);
  return advance(state, update, { ...context, author: "hub", nonceFloor: 0n });
}

/** W-1: payments only add, deposits are checked on chain, a withdrawal must be one that was asked for. */
function reasonAgainst({ wishes }: ChannelRecord, update: SignedUpdate, context: ReconcileContext): string | undefined {
  switch (update.reason) {
    case "Payment":
    case "Deposit":
      return context.assets.has(update.args.asset) ? undefined : "this side does not take the asset";
    case "Withdrawal": {
      const differences = wishes.map((wish) => differenceToWish(wish, update.args));
      return differences.includes(undefined) ? undefined : (differences.at(-1) ?? "nobody asked for it");
    }
    case "Exchange":
    case "OpenThread":
    case "Settled":
      return "the hub never signs it first";
    case "CloseThread":
      return context.closings(update.args);
  }
}

/**
 * A deposit, or an executed withdrawal, that this side's node does not show yet is no lie: the hub's node may be ahead, or
 * need less depth.
 */
function isNotSeenYet({ reason }: SignedUpdate, error: CodedError): boolean {
  if (isProtocolError(error, "NotBacked")) return true;
  return reason !== "Deposit" && (isProtocolError(error, "NotFresh") || isProtocolError(error, "WithdrawalPending"));
}

/** The hub may fold payments into a newer update as long as the user loses nothing by it. */
function isBetter(state: ChannelState, known: ChannelState): boolean {
  if (state.nonce <= known.nonce) return false;
  return [...known.assets, ...state.assets].every(({ asset }) => {
    const [was, is] = [rowOf(known, asset), rowOf(state, asset)];
    return is.balanceUser >= was.balanceUser && is.withdrawnUser === was.withdrawnUser;
  });
}

/**
 * A record is complete from the first answer on: what this key signed elsewhere or before a loss is below it. The same
 * when a state appears that bears this key's signature and that this side did not send.
 */
function completed(
  before: ChannelRecord,
  after: ChannelRecord,
  accepted: readonly Issued[],
  { nonceFloor }: WireSync,
  { isAnswer }: ReconcileContext,
): ChannelRecord {
  const isForeign = hashState(baseOf(before)) !== hashState(baseOf(after)) && accepted.length === 0;
  const isFirst = !before.isComplete && isAnswer;
  if (!isForeign && !isFirst) return after;
  const above = aboveEverything(after, baseOf(after).nonce, newestOf(after).nonce, BigInt(nonceFloor));
  return { ...above, isComplete: before.isComplete || isAnswer };
}

function startsWith(updates: readonly SignedUpdate[], beginning: readonly SignedUpdate[]): boolean {
  return beginning.every((update, i) => sameStep(update, updates[i]));
}

function sameStep(a: SignedUpdate, b: SignedUpdate | undefined): boolean {
  if (b === undefined || a.nonce !== b.nonce || a.previous !== b.previous || a.reason !== b.reason) return false;
  return JSON.stringify(toWire(a.args)) === JSON.stringify(toWire(b.args));
}

function unsolicited({ reason, nonce }: SignedUpdate, why: string): CodedError {
  return clientError("Unsolicited", { reason, nonce, why });
}

function contradiction(shown: string, nonce: bigint): CodedError {
  return clientError("HubContradicts", { shown, nonce });
}

function hashesIn({ threads }: WireSync): readonly Hash[] {
  return (threads ?? []).map((hash, i) => parseHash(hash, `sync.threads.${i}`));
}

export function parseDoubleSigned({ state, sigHub, sigUser }: NonNullable<WireSync["doubleSigned"]>): DoubleSigned {
  return {
    state: parseState(state, "sync.doubleSigned.state"),
    sigHub: sigHub.toLowerCase() as Signature,
    sigUser: sigUser.toLowerCase() as Signature,
  };
}
