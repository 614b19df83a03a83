import { expect } from "chai";
import {
  addressOfPrivateKey,
  channelManagerDomain,
  checksumAddress,
  digestOf,
  type ErrorCode,
  type ErrorDetails,
  hashState,
  hashThread,
  hexToBytes,
  isProtocolError,
  parseAddress,
  signDigest,
  zeroAsset,
  ZERO_ADDRESS,
  ZERO_HASH,
  type Address,
  type ArgsByReason,
  type AssetState,
  type ChannelContext,
  type ChannelState,
  type Hash,
  type Ledger,
  type Reason,
  type Signature,
  type Thread,
  type Update,
  type UpdateContext,
} from "../../protocol";

// Everything defaults; a test overrides what it is about.

export interface Party {
  readonly key: Uint8Array;
  readonly address: Address;
}

/** A party whose key is one byte, repeated. */
export function party(byte: number): Party {
  const key = new Uint8Array(32).fill(byte);
  return { key, address: addressOfPrivateKey(key) };
}

export const HUB = party(0x11);
export const USER = party(0x22);
export const PAYEE = party(0x33);
export const STRANGER = party(0x44);

export const TOKEN = parseAddress(`0x${"70".repeat(20)}`);
export const APP = parseAddress(`0x${"a9".repeat(20)}`);
export const CONTRACT = parseAddress(`0x${"c0".repeat(20)}`);
export const DOMAIN = channelManagerDomain(31337n, checksumAddress(CONTRACT));
export const THREAD_ROOT: Hash = `0x${"5e".repeat(32)}`;

/** A conserved row: hub 40, user 50, locked 10 of deposits 100 and 30, of which 20 and 10 were withdrawn. */
export function row(overrides: Partial<AssetState> = {}): AssetState {
  return {
    asset: ZERO_ADDRESS,
    balanceHub: 40n,
    balanceUser: 50n,
    locked: 10n,
    depositedHub: 100n,
    depositedUser: 30n,
    withdrawnHub: 20n,
    withdrawnUser: 10n,
    ...overrides,
  };
}

export function channelState(overrides: Partial<ChannelState> = {}): ChannelState {
  return {
    user: USER.address,
    session: 3n,
    nonce: 7n,
    assets: [row(), row({ asset: TOKEN, balanceHub: 50n, locked: 0n })],
    threadRoot: THREAD_ROOT,
    recipient: ZERO_ADDRESS,
    ...overrides,
  };
}

/** The counters that `row()` has accounted for exactly. */
export function ledger(overrides: Partial<Ledger> = {}): Ledger {
  return { depositedHub: 100n, depositedUser: 30n, withdrawnHub: 20n, withdrawnUser: 10n, ...overrides };
}

export function context(overrides: Partial<ChannelContext> = {}): ChannelContext {
  const ledgers = new Map([ZERO_ADDRESS, TOKEN].map((asset) => [asset, ledger()]));
  return { domain: DOMAIN, hub: HUB.address, session: 3n, ledgers, ...overrides };
}

/** What a side knows of `channelState()`, asked to accept an update that the user signed first. */
export function updateContext(overrides: Partial<UpdateContext> = {}): UpdateContext {
  return { ...context(), author: "user", nonceFloor: 7n, nowSeconds: 1_800_000_000n, ...overrides };
}

/** An update of a state, at the next nonce. */
export function updateOf<Each extends Reason>(
  state: ChannelState,
  reason: Each,
  args: ArgsByReason[Each],
  overrides: { readonly nonce?: bigint; readonly previous?: Hash } = {},
): Update {
  return { reason, args, nonce: state.nonce + 1n, previous: hashState(state), ...overrides } as Update;
}

export function thread(overrides: Partial<Thread> = {}): Thread {
  return {
    salt: ZERO_HASH,
    sender: USER.address,
    receiver: PAYEE.address,
    asset: ZERO_ADDRESS,
    balanceSender: 90n,
    balanceReceiver: 10n,
    updatable: false,
    expiry: 1_800_000_000n,
    app: ZERO_ADDRESS,
    appStateHash: ZERO_HASH,
    ...overrides,
  };
}

export function zeroRow(asset: Address = ZERO_ADDRESS): AssetState {
  return zeroAsset(asset);
}

export function signHash(structHash: Hash, signer: Party, domain = DOMAIN): Signature {
  return signDigest(digestOf(domain, structHash), signer.key);
}

export function signState(state: ChannelState, signer: Party, domain = DOMAIN): Signature {
  return signHash(hashState(state), signer, domain);
}

export function signThread(terms: Thread, signer: Party, domain = DOMAIN): Signature {
  return signHash(hashThread(terms), signer, domain);
}

/** A signature whose bytes are changed by `change`. */
export function tampered(signature: Signature, change: (bytes: Uint8Array) => void): Signature {
  const bytes = hexToBytes(signature);
  change(bytes);
  return `0x${Buffer.from(bytes).toString("hex")}`;
}

/** The answer of a check is this error with these details (others may stand beside them). */
export function expectError<Code extends ErrorCode>(
  error: unknown,
  code: Code,
  details: Partial<ErrorDetails<Code>> = {},
): void {
  expect(error, `expected ${code}`).to.be.instanceOf(Error);
  expect((error as { code?: unknown }).code).to.equal(code);
  if (isProtocolError(error, code)) expect(error.details).to.deep.include(details);
}

/** The call throws this error with these details. */
export function expectThrow<Code extends ErrorCode>(
  call: () => unknown,
  code: Code,
  details: Partial<ErrorDetails<Code>> = {},
): void {
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  expectError(thrown, code, details);
}
