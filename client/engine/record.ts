import {
  formatState,
  formatUpdate,
  next,
  parseState,
  parseUpdate,
  toWire,
  unsignedState,
  type Address,
  type ChannelState,
  type ExchangeArgs,
  type Signature,
  type SignedUpdate,
  type WirePurchaseRequest,
  type WireUpdate,
} from "../../protocol";

export interface DoubleSigned {
  readonly state: ChannelState;
  readonly sigHub: Signature;
  readonly sigUser: Signature;
}

/** What an update that this side signed is for: how to ask the hub again. */
export type Purpose =
  { readonly kind: "purchase"; readonly request: Omit<WirePurchaseRequest, "updates"> } | { readonly kind: "update" };

/** Updates that this side signed and the hub has not countersigned: it could at any time. */
export interface Issued {
  readonly updates: readonly SignedUpdate[];
  readonly state: ChannelState;
  readonly sigUser: Signature;
  readonly purpose: Purpose;
}

/** A withdrawal that this side's own caller asked for. Nothing else is ever countersigned (W-1). */
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
  /** Verified updates of the hub on top of `doubleSigned`, the newest with the hub's signature. */
  readonly pending: readonly SignedUpdate[];
  readonly issued: readonly Issued[];
  /** The highest nonce that this side ever signed in this channel, in whichever session. */
  readonly highestSigned: bigint;
  /** Every own nonce is this modulo 65,536: two devices with one key never sign one nonce. */
  readonly device: bigint;
  readonly wish?: WithdrawalWish;
  /** False after a restore from a copy: then a newer state of the hub's is no incident. */
  readonly isComplete: boolean;
}

export const DEVICES = 65_536n;

/** The record of a client that starts with nothing. @param device From 0 to 65,535, random. */
export function newRecord(user: Address, session: bigint, device: bigint): ChannelRecord {
  return { user, session, pending: [], issued: [], highestSigned: 0n, device: device % DEVICES, isComplete: true };
}

export function baseOf({ user, session, doubleSigned }: ChannelRecord): ChannelState {
  return doubleSigned?.state ?? unsignedState(user, session, []);
}

/** What the next own update builds on: everything that both signed and that the hub signed on top. */
export function newestOf(record: ChannelRecord): ChannelState {
  return record.pending.reduce(next, baseOf(record));
}

/** The smallest nonce of this device above all of these. */
export function ownNonceAbove(record: ChannelRecord, ...floors: readonly bigint[]): bigint {
  const floor = [record.highestSigned, ...floors].reduce((a, b) => (a > b ? a : b));
  const candidate = floor - (floor % DEVICES) + record.device;
  return candidate > floor ? candidate : candidate + DEVICES;
}

/** Both have signed this state: whatever was on its way below it is void or in it. */
export function withDoubleSigned(record: ChannelRecord, doubleSigned: DoubleSigned): ChannelRecord {
  const { nonce } = doubleSigned.state;
  return {
    ...record,
    doubleSigned,
    pending: [],
    issued: record.issued.filter(({ state }) => state.nonce > nonce),
    highestSigned: record.highestSigned > nonce ? record.highestSigned : nonce,
  };
}

export function formatRecord(record: ChannelRecord): string {
  const { doubleSigned, pending, issued, ...rest } = record;
  return JSON.stringify({
    ...(toWire(rest) as object),
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
  readonly doubleSigned?: { readonly state: unknown; readonly sigHub: Signature; readonly sigUser: Signature };
  readonly pending: readonly WireUpdate[];
  readonly issued: readonly {
    readonly updates: readonly WireUpdate[];
    readonly state: unknown;
    readonly sigUser: Signature;
    readonly purpose: Purpose;
  }[];
  readonly wish?: {
    readonly recipient: Address;
    readonly assets: readonly { readonly asset: Address; readonly amount: string }[];
    readonly exchange?: Record<keyof ExchangeArgs, string>;
  };
}

/** Reads what `formatRecord` wrote. */
export function parseRecord(text: string): ChannelRecord {
  const stored = JSON.parse(text) as StoredRecord;
  const { user, isComplete, doubleSigned, wish } = stored;
  return {
    user,
    isComplete,
    session: BigInt(stored.session),
    highestSigned: BigInt(stored.highestSigned),
    device: BigInt(stored.device),
    pending: stored.pending.map((update) => parseUpdate(update)),
    issued: stored.issued.map(({ updates, state, sigUser, purpose }) => {
      return { updates: updates.map((update) => parseUpdate(update)), state: parseState(state), sigUser, purpose };
    }),
    ...(doubleSigned === undefined ? {} : { doubleSigned: { ...doubleSigned, state: parseState(doubleSigned.state) } }),
    ...(wish === undefined ? {} : { wish: parseWish(wish) }),
  };
}

function parseWish({ recipient, assets, exchange }: NonNullable<StoredRecord["wish"]>): WithdrawalWish {
  const amounts = assets.map(({ asset, amount }) => ({ asset, amount: BigInt(amount) }));
  if (exchange === undefined) return { recipient, assets: amounts };
  const { sellAsset, buyAsset, quoteId } = exchange as unknown as ExchangeArgs;
  const [sellAmount, buyAmount, rate, expiresAt] = [
    BigInt(exchange.sellAmount),
    BigInt(exchange.buyAmount),
    BigInt(exchange.rate),
    BigInt(exchange.expiresAt),
  ];
  return {
    recipient,
    assets: amounts,
    exchange: { sellAsset, sellAmount, buyAsset, buyAmount, rate, quoteId, expiresAt },
  };
}
