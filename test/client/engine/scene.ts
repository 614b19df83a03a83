import {
  addressOfPrivateKey,
  channelManagerDomain,
  digestOf,
  formatState,
  formatUpdate,
  hashState,
  hexToBytes,
  next,
  parseAddress,
  signDigest,
  unsignedState,
  ZERO_ADDRESS,
  type Address,
  type ArgsByReason,
  type ChannelState,
  type Ledger,
  type Reason,
  type Signature,
  type SignedUpdate,
  type Update,
  type WireSync,
} from "../../../protocol";
import { newRecord, type ChannelRecord, type DoubleSigned } from "../../../client/engine/record";
import type { ReconcileContext } from "../../../client/engine/reconcile";

const HUB_KEY = hexToBytes(`0x${"11".repeat(32)}`);
export const USER_KEY = `0x${"22".repeat(32)}`;

export const HUB = addressOfPrivateKey(HUB_KEY);
export const USER = addressOfPrivateKey(hexToBytes(USER_KEY));
export const DOMAIN = channelManagerDomain(31_337n, parseAddress(`0x${"c0".repeat(20)}`));
export const TOKEN = parseAddress(`0x${"70".repeat(20)}`);
export const STRANGER = parseAddress(`0x${"5e".repeat(20)}`);
export const PAYMENT_ID = `0x${"ab".repeat(32)}` as const;
export const NOW_SECONDS = 1_800_000_000n;
export const DEVICE = 7n;

export function signHub(state: ChannelState): Signature {
  return signDigest(digestOf(DOMAIN, hashState(state)), HUB_KEY);
}

export function signUser(state: ChannelState): Signature {
  return signDigest(digestOf(DOMAIN, hashState(state)), hexToBytes(USER_KEY));
}

export function both(state: ChannelState): DoubleSigned {
  return { state, sigHub: signHub(state), sigUser: signUser(state) };
}

/** 100 of the hub's and 100 of the user's, in ETH, at a nonce. */
export function funded(nonce = 10n, overrides: Partial<ChannelState> = {}): ChannelState {
  const row = { locked: 0n, withdrawnHub: 0n, withdrawnUser: 0n };
  const amounts = { balanceHub: 100n, balanceUser: 100n, depositedHub: 100n, depositedUser: 100n };
  return { ...unsignedState(USER, 0n, []), nonce, assets: [{ asset: ZERO_ADDRESS, ...amounts, ...row }], ...overrides };
}

/** A step that the hub signs, with the state it leads to. */
export function hubStep<Name extends Reason>(
  state: ChannelState,
  reason: Name,
  args: ArgsByReason[Name],
  nonce = state.nonce + 1n,
): { readonly update: SignedUpdate; readonly state: ChannelState } {
  const update = { reason, args, nonce, previous: hashState(state) } as Update;
  const after = next(state, update);
  return { update: { ...update, sigHub: signHub(after) }, state: after };
}

export function pays(amount: bigint, asset: Address = ZERO_ADDRESS): ArgsByReason["Payment"] {
  return { recipient: "user", asset, amount, payments: [PAYMENT_ID] };
}

export function syncOf(
  base: DoubleSigned | undefined,
  updates: readonly SignedUpdate[] = [],
  overrides: Partial<WireSync> = {},
): WireSync {
  const newest = updates.at(-1)?.nonce ?? base?.state.nonce ?? 0n;
  return {
    session: "0",
    ...(base === undefined ? {} : { doubleSigned: { ...base, state: formatState(base.state) } }),
    updates: updates.map(formatUpdate),
    nonceFloor: newest.toString(),
    ...overrides,
  };
}

export const LEDGER: Ledger = { depositedHub: 100n, depositedUser: 100n, withdrawnHub: 0n, withdrawnUser: 0n };

export function contextOf(overrides: Partial<ReconcileContext> = {}): ReconcileContext {
  return {
    ...{ domain: DOMAIN, hub: HUB, session: 0n, nowSeconds: NOW_SECONDS, isAnswer: true },
    closings: () => "nobody has shown why",
    ledgers: new Map([[ZERO_ADDRESS, LEDGER]]),
    assets: new Set([ZERO_ADDRESS, TOKEN]),
    ...overrides,
  };
}

/** A record that knows all its key signed, level with `funded()`. */
export function levelRecord(overrides: Partial<ChannelRecord> = {}): ChannelRecord {
  const doubleSigned = both(funded());
  return { ...newRecord(USER, 0n, DEVICE), isComplete: true, doubleSigned, highestSigned: 10n, ...overrides };
}
