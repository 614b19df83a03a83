import {
  formatState,
  formatUpdate,
  next,
  parseExchangeArgs,
  parseState,
  parseUpdate,
  threadRoot,
  threadsAfter,
  toWire,
  unsignedState,
  type Address,
  type ChannelState,
  type ExchangeArgs,
  type Hash,
  type Signature,
  type SignedUpdate,
  type WithdrawalArgs,
  type WirePurchaseRequest,
  type WireThreadNote,
  type WireUpdate,
} from "../../protocol";

export interface DoubleSigned {
  readonly state: ChannelState;
  readonly sigHub: Signature;
  readonly sigUser: Signature;
}

/** What an update that this side signed is for: how to ask the hub again. */
export type Purpose =
  | { readonly kind: "purchase"; readonly request: Omit<WirePurchaseRequest, "updates"> }
  | { readonly kind: "update" }
  | { readonly kind: "openThread"; readonly hash: Hash }
  | { readonly kind: "closeThread"; readonly hash: Hash; readonly evidence?: WireThreadNote };

/** Updates that this side signed and the hub has not countersigned: it could at any time. */
export interface Issued {
  readonly updates: readonly SignedUpdate[];
  readonly state: ChannelState;
  readonly sigUser: Signature;
  readonly purpose: Purpose;
}

/** A withdrawal that this side's own caller asked for. No other one is ever countersigned (W-1). */
export interface WithdrawalWish {
  /** Zero: the user. */
  readonly recipient: Address;
  readonly assets: readonly { readonly asset: Address; readonly amount: bigint }[];
  readonly exchange?: ExchangeArgs;
}

/** What this side knows of its channel, on disk before anything is sent. */
export interface ChannelRecord {
  readonly user: Address;
  readonly session: bigint;
  readonly doubleSigned?: DoubleSigned;
  /** Hashes of the threads that are open in `doubleSigned`: what its root is made of, as far as this side knows. */
  readonly threads: readonly Hash[];
  /** Verified updates of the hub on top of `doubleSigned`, the newest with the hub's signature. */
  readonly pending: readonly SignedUpdate[];
  readonly issued: readonly Issued[];
  /** The highest nonce that this side ever signed in this channel, in whichever session. */
  readonly highestSigned: bigint;
  /** Every own nonce is this modulo 65,536: two devices with one key never sign one nonce. */
  readonly device: bigint;
  /** Asked for and not countersigned yet, oldest first. One whose answer is unknown stays: the hub may still sign it. */
  readonly wishes: readonly WithdrawalWish[];
  /** False for a new store, until the hub has answered once: the key may have signed elsewhere, or before a loss. */
  readonly isComplete: boolean;
}

export const DEVICES = 65_536n;

/** Own nonces that are left out where this key may have signed something that the record does not know. */
const SKIPPED_NONCES = 1_000n;

/** The record of a client that starts with nothing. @param device From 0 to 65,535, random. */
export function newRecord(user: Address, session: bigint, device: bigint): ChannelRecord {
  return {
    ...{ user, session, threads: [], pending: [], issued: [], wishes: [], highestSigned: 0n, isComplete: false },
    device: device % DEVICES,
  };
}

export function baseOf({ user, session, doubleSigned }: ChannelRecord): ChannelState {
  return doubleSigned?.state ?? unsignedState(user, session, []);
}

const newestStates = new WeakMap<
  readonly SignedUpdate[],
  { readonly base: ChannelState; readonly state: ChannelState }
>();

/**
 * What the next own update builds on: everything that both signed and that the hub signed on top. Remembered with the
 * list of what waits, because every step asks for it several times, and its hash is remembered with it.
 */
export function newestOf(record: ChannelRecord): ChannelState {
  const [base, { pending }] = [baseOf(record), record];
  if (pending.length === 0) return base;
  const known = newestStates.get(pending);
  if (known?.base === base) return known.state;
  const state = pending.reduce(next, base);
  newestStates.set(pending, { base, state });
  return state;
}

/** Hashes of the threads that are open in the newest state, as far as this side knows. */
export function newestThreads({ threads, pending }: ChannelRecord): readonly Hash[] {
  return pending.reduce(threadsAfter, threads);
}

/** Whether a list of open threads is the one that a state was signed with. */
export function isListOf(threads: readonly Hash[], { threadRoot: root }: Pick<ChannelState, "threadRoot">): boolean {
  return new Set(threads).size === threads.length && threadRoot(threads) === root;
}

/** The list that the root of a state is made of, out of what this side knows and what it is shown. */
function threadsIn(state: ChannelState, record: ChannelRecord, shown: readonly Hash[]): readonly Hash[] {
  const newest = newestThreads(record);
  const waiting = record.pending.map((_, i) => record.pending.slice(0, i + 1).reduce(threadsAfter, record.threads));
  const own = record.issued.map(({ updates }) => updates.reduce<readonly Hash[]>(threadsAfter, newest));
  return [record.threads, ...waiting, ...own, shown].find((list) => isListOf(list, state)) ?? record.threads;
}

/** Takes a list that the hub shows where this side's own does not fit the newest state both signed. */
export function withThreads(record: ChannelRecord, shown: readonly Hash[]): ChannelRecord {
  const base = baseOf(record);
  return isListOf(record.threads, base) || !isListOf(shown, base) ? record : { ...record, threads: shown };
}

/** The smallest nonce of this device above all of these. */
export function ownNonceAbove(record: ChannelRecord, ...floors: readonly bigint[]): bigint {
  const floor = [record.highestSigned, ...floors].reduce((a, b) => (a > b ? a : b));
  const candidate = floor - (floor % DEVICES) + record.device;
  return candidate > floor ? candidate : candidate + DEVICES;
}

/** Both have signed this state: whatever was on its way below it is void or in it. */
export function withDoubleSigned(
  record: ChannelRecord,
  doubleSigned: DoubleSigned,
  shownThreads: readonly Hash[] = [],
): ChannelRecord {
  const { nonce } = doubleSigned.state;
  const done = record.pending.filter((update) => update.reason === "Withdrawal" && update.nonce <= nonce);
  return {
    ...record,
    doubleSigned,
    threads: threadsIn(doubleSigned.state, record, shownThreads),
    pending: [],
    wishes: done.reduce(withoutWishOf, record.wishes),
    issued: record.issued.filter(({ state }) => state.nonce > nonce),
    highestSigned: record.highestSigned > nonce ? record.highestSigned : nonce,
  };
}

/**
 * This key may have signed states that the record does not know: from another device, or before a store was lost. Nothing
 * is signed any more at, or a thousand own steps above, everything that anybody has shown.
 */
export function aboveEverything(record: ChannelRecord, ...shown: readonly bigint[]): ChannelRecord {
  const highest = [record.highestSigned, ...shown].reduce((a, b) => (a > b ? a : b));
  return { ...record, highestSigned: highest === 0n ? 0n : highest + SKIPPED_NONCES * DEVICES };
}

/** The next session: nothing of the last one can be signed any more. */
export function inSession(record: ChannelRecord, session: bigint): ChannelRecord {
  const { user, highestSigned, device, isComplete } = record;
  return { user, session, threads: [], pending: [], issued: [], wishes: [], highestSigned, device, isComplete };
}

/** Asked for twice is asked for once, as long as it has not happened. */
export function withWish(record: ChannelRecord, wish: WithdrawalWish): ChannelRecord {
  return hasWish(record, wish) ? record : { ...record, wishes: [...record.wishes, wish] };
}

export function hasWish({ wishes }: ChannelRecord, wish: WithdrawalWish): boolean {
  return wishes.some((each) => sameWish(each, wish));
}

export function withoutWish(record: ChannelRecord, wish: WithdrawalWish): ChannelRecord {
  return { ...record, wishes: record.wishes.filter((each) => !sameWish(each, wish)) };
}

function sameWish(a: WithdrawalWish, b: WithdrawalWish): boolean {
  return JSON.stringify(toWire(a)) === JSON.stringify(toWire(b));
}

function withoutWishOf(wishes: readonly WithdrawalWish[], update: SignedUpdate): readonly WithdrawalWish[] {
  if (update.reason !== "Withdrawal") return wishes;
  const answered = wishes.find((wish) => differenceToWish(wish, update.args) === undefined);
  return wishes.filter((wish) => wish !== answered);
}

/** What a withdrawal has that the wish has not; the hub's own part may be anything (W-1). `recipient` zero: the user. */
export function differenceToWish(wish: WithdrawalWish, args: WithdrawalArgs): string | undefined {
  if (args.recipient !== wish.recipient) return `it pays ${args.recipient} instead of ${wish.recipient}`;
  const wanted = new Map(wish.assets.map(({ asset, amount }) => [asset, amount]));
  for (const { asset, user: amount } of args.assets) {
    if (amount !== (wanted.get(asset) ?? 0n)) return `it takes ${amount} of ${asset} from the user`;
    wanted.delete(asset);
  }
  if ([...wanted.values()].some((amount) => amount !== 0n)) return "it leaves something out";
  return sameExchange(wish.exchange, args.exchange) ? undefined : "its exchange is another one";
}

function sameExchange(a: ExchangeArgs | undefined, b: ExchangeArgs | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return EXCHANGE_FIELDS.every((name) => a[name] === b[name]);
}

const EXCHANGE_FIELDS = [
  ...(["sellAsset", "sellAmount", "buyAsset", "buyAmount", "rate", "quoteId", "expiresAt"] as const),
];

export function formatRecord(record: ChannelRecord): string {
  const { user, session, highestSigned, device, isComplete, threads, wishes, doubleSigned, pending, issued } = record;
  return JSON.stringify({
    ...{ user, isComplete, threads, wishes: toWire(wishes) },
    ...{ session: session.toString(), highestSigned: highestSigned.toString(), device: device.toString() },
    doubleSigned: doubleSigned && { ...doubleSigned, state: formatState(doubleSigned.state) },
    pending: pending.map(formatUpdate),
    issued: issued.map(({ updates, state, sigUser, purpose }) => {
      return { updates: updates.map(formatUpdate), state: formatState(state), sigUser, purpose };
    }),
  });
}

interface StoredRecord {
  readonly user: Address;
  readonly session: string;
  readonly highestSigned: string;
  readonly device: string;
  readonly isComplete: boolean;
  /** Absent in what versions without threads wrote. */
  readonly threads?: readonly Hash[];
  readonly doubleSigned?: { readonly state: unknown; readonly sigHub: Signature; readonly sigUser: Signature };
  readonly pending: readonly WireUpdate[];
  readonly issued: readonly {
    readonly updates: readonly WireUpdate[];
    readonly state: unknown;
    readonly sigUser: Signature;
    readonly purpose: Purpose;
  }[];
  readonly wishes: readonly StoredWish[];
}

interface StoredWish {
  readonly recipient: Address;
  readonly assets: readonly { readonly asset: Address; readonly amount: string }[];
  readonly exchange?: Parameters<typeof parseExchangeArgs>[0];
}

/** Reads what `formatRecord` wrote. */
export function parseRecord(text: string): ChannelRecord {
  const stored = JSON.parse(text) as StoredRecord;
  const { user, isComplete, doubleSigned } = stored;
  return {
    user,
    isComplete,
    threads: stored.threads ?? [],
    session: BigInt(stored.session),
    highestSigned: BigInt(stored.highestSigned),
    device: BigInt(stored.device),
    pending: stored.pending.map((update) => parseUpdate(update)),
    issued: stored.issued.map(({ updates, state, sigUser, purpose }) => {
      return { updates: updates.map((update) => parseUpdate(update)), state: parseState(state), sigUser, purpose };
    }),
    wishes: stored.wishes.map(parseWish),
    ...(doubleSigned === undefined ? {} : { doubleSigned: { ...doubleSigned, state: parseState(doubleSigned.state) } }),
  };
}

function parseWish({ recipient, assets, exchange }: StoredWish): WithdrawalWish {
  const amounts = assets.map(({ asset, amount }) => ({ asset, amount: BigInt(amount) }));
  return {
    recipient,
    assets: amounts,
    ...(exchange === undefined ? {} : { exchange: parseExchangeArgs(exchange) }),
  };
}
