import {
  advance,
  checkSignature,
  hashState,
  isProtocolError,
  parseState,
  parseUpdate,
  verifyState,
  ZERO_ADDRESS,
  type Address,
  type ChannelState,
  type Domain,
  type Ledgers,
  type Signature,
  type SignedUpdate,
  type UpdateOf,
  type WireSync,
} from "../../protocol";
import { CodedError } from "../../protocol/coded-error";
import { baseOf, withDoubleSigned, type ChannelRecord, type DoubleSigned, type Issued } from "./record";

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
}

/** What follows from a sync. */
export interface Reconciled {
  readonly record: ChannelRecord;
  /** Own updates that the hub turned out to have countersigned. */
  readonly accepted: readonly Issued[];
  /** New updates of the hub that were verified. */
  readonly verified: readonly SignedUpdate[];
  /** The hub does not know what both have signed: show it. */
  readonly mustShow: boolean;
  /** Something is signed by the hub that this side cannot see on chain yet: look again later. */
  readonly waits: boolean;
  /** What the hub did against the rules; nothing of it is in `record`. */
  readonly incident?: CodedError;
}

/**
 * Compares a sync of the hub with this side's own record and takes over what it may. Pure: what is signed or sent follows
 * from the answer. Nothing is believed because the hub says so: states bear this side's own signature, or follow from one
 * that does by steps that only add, that the chain confirms, or that this side asked for.
 * Source: docs/protocol.md "Coming level".
 */
export function reconcile(record: ChannelRecord, sync: WireSync, context: ReconcileContext): Reconciled {
  const nothing = { record, accepted: [], verified: [], mustShow: false, waits: false };
  if (BigInt(sync.session) !== record.session) return { ...nothing, waits: true }; // one of both has not seen a settlement
  try {
    const based = takeBase(record, sync, context);
    if (based.mustShow) return { ...nothing, ...based };
    const { updates, ...rest } = takePending(based.record, sync, context);
    const taken = { ...based.record, pending: updates };
    return { ...nothing, accepted: based.accepted, verified: newOnes(record, updates), ...rest, record: taken };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { ...nothing, incident: error };
  }
}

interface Based {
  readonly record: ChannelRecord;
  readonly accepted: readonly Issued[];
  readonly mustShow: boolean;
  readonly incident?: CodedError;
}

/** The newest state that both signed: ours, one of those on their way, or one from another device of ours. */
function takeBase(record: ChannelRecord, sync: WireSync, context: ReconcileContext): Based {
  const own = baseOf(record);
  const shown = sync.doubleSigned === undefined ? undefined : parseDoubleSigned(sync.doubleSigned);
  const theirs = shown?.state.nonce ?? 0n;
  if (theirs < own.nonce) return { record, accepted: [], mustShow: true, ...olderIncident(record, theirs) };
  if (shown === undefined || hashState(shown.state) === hashState(own))
    return { record, accepted: [], mustShow: false };
  const error = verifyState(shown.state, shown.sigHub, shown.sigUser, context);
  if (error) throw error;
  const accepted = record.issued.filter(({ state }) => hashState(state) === hashState(shown.state));
  return { record: withDoubleSigned(record, shown), accepted, mustShow: false };
}

/** W-6: a hub that has forgotten is told; one that shows less than a complete record holds has done so on purpose or not. */
function olderIncident(record: ChannelRecord, given: bigint): { readonly incident?: CodedError } {
  if (!record.isComplete) return {};
  const { nonce } = baseOf(record);
  const message =
    `The hub shows state ${given} as the newest, but both have signed ${nonce}. Why: it was restored from a copy, or it ` +
    "hides what it signed. What to do: nothing; it is shown the newer state, and nothing of the older one is taken.";
  return { incident: new CodedError("HubBehind", message, { given, known: nonce }) };
}

interface Taken {
  readonly updates: readonly SignedUpdate[];
  readonly waits: boolean;
  readonly incident?: CodedError;
}

/** What the hub signed on top, one step after the other, as far as it may be taken. */
function takePending(record: ChannelRecord, sync: WireSync, context: ReconcileContext): Taken {
  const base = baseOf(record);
  const given = sync.updates.map((update, i) => parseUpdate(update, `sync.updates.${i}`));
  const pending = given.filter(({ nonce }) => nonce > base.nonce);
  let state = base;
  for (const update of pending) {
    try {
      state = takeStep(record, state, update, context);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      if (isNotSeenYet(update, error)) return { updates: [], waits: true };
      return { updates: [], waits: false, incident: error };
    }
  }
  const last = pending.at(-1);
  if (last === undefined) return { updates: [], waits: false };
  const error = checkSignature(context.hub, hashState(state), last.sigHub ?? "0x", context.domain);
  return error ? { updates: [], waits: false, incident: error } : { updates: pending, waits: false };
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

/** W-1: payments only add, deposits are checked on chain, a withdrawal must be the one that was asked for. */
function reasonAgainst(record: ChannelRecord, update: SignedUpdate, { assets }: ReconcileContext): string | undefined {
  switch (update.reason) {
    case "Payment":
      return assets.has(update.args.asset) ? undefined : "this side does not take the asset";
    case "Deposit":
      return assets.has(update.args.asset) ? undefined : "this side does not take the asset";
    case "Withdrawal":
      return differenceToWish(record, update);
    case "Exchange":
    case "Settled":
      return "the hub never signs it first";
  }
}

function differenceToWish({ wish, user }: ChannelRecord, { args }: UpdateOf<"Withdrawal">): string | undefined {
  if (wish === undefined) return "nobody asked for it";
  const recipient = wish.recipient === user ? ZERO_ADDRESS : wish.recipient;
  if (args.recipient !== recipient) return `it pays ${args.recipient} instead of ${recipient}`;
  const wanted = new Map(wish.assets.map(({ asset, amount }) => [asset, amount]));
  for (const { asset, user: amount } of args.assets) {
    if (amount !== (wanted.get(asset) ?? 0n)) return `it takes ${amount} of ${asset} from the user`;
    wanted.delete(asset);
  }
  if ([...wanted.values()].some((amount) => amount !== 0n)) return "it leaves something out";
  return sameExchange(wish.exchange, args.exchange) ? undefined : "its exchange is another one";
}

function sameExchange(a: object | undefined, b: object | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Object.entries(a).every(([name, value]) => Reflect.get(b, name) === value);
}

/** A deposit that this side's node does not show yet is no lie: the hub's node may be ahead, or need less depth. */
function isNotSeenYet({ reason }: SignedUpdate, error: CodedError): boolean {
  return reason === "Deposit"
    ? isProtocolError(error, "NotBacked")
    : isProtocolError(error, "NotBacked") || isProtocolError(error, "NotFresh");
}

function unsolicited({ reason, nonce }: SignedUpdate, why: string): CodedError {
  const message =
    `The hub signed a ${reason} (nonce ${nonce}) that this side does not accept: ${why}. Why: only what this side asked ` +
    "for, or what only adds, is signed. What to do: nothing is signed; look at the incident, and leave if it goes on.";
  return new CodedError("Unsolicited", message, { reason, nonce, why });
}

function newOnes(record: ChannelRecord, updates: readonly SignedUpdate[]): readonly SignedUpdate[] {
  const known = new Set(record.pending.map(({ nonce }) => nonce));
  return updates.filter(({ nonce }) => !known.has(nonce));
}

export function parseDoubleSigned({ state, sigHub, sigUser }: NonNullable<WireSync["doubleSigned"]>): DoubleSigned {
  return {
    state: parseState(state, "sync.doubleSigned.state"),
    sigHub: sigHub.toLowerCase() as Signature,
    sigUser: sigUser.toLowerCase() as Signature,
  };
}
