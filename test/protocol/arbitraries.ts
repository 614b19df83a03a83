import fc from "fast-check";
import {
  MAX_ASSETS,
  UINT128_MAX,
  UINT64_MAX,
  ZERO_HASH,
  type Address,
  type AssetState,
  type ChannelState,
  type ExchangeArgs,
  type ExchangeQuote,
  type Hash,
  type Hex,
  type Ledger,
  type Receipt,
  type RedeemLink,
  type Resolution,
  type Signature,
  type SignedUpdate,
  type Thread,
  type ThreadPayment,
  type ThreadUpdate,
} from "../../protocol";

// Random values of every signed type. The integers lean to their limits, as fast-check does.

export const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
export const hash: fc.Arbitrary<Hash> = bytes32.map(toHex);
export const address: fc.Arbitrary<Address> = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => toHex(bytes) as Address);
export const uint64 = fc.bigInt(0n, UINT64_MAX);
export const uint128 = fc.bigInt(0n, UINT128_MAX);

/** Any private key but zero and those at or above the order, which random bytes practically never are. */
export const privateKey = bytes32.filter((bytes) => bytes.some((byte) => byte !== 0) && bytes[0] !== 0xff);

export const assetState: fc.Arbitrary<AssetState> = fc.record({
  asset: address,
  balanceHub: uint128,
  balanceUser: uint128,
  locked: uint128,
  depositedHub: uint128,
  depositedUser: uint128,
  withdrawnHub: uint128,
  withdrawnUser: uint128,
});

export const channelState: fc.Arbitrary<ChannelState> = fc.record({
  user: address,
  session: uint64,
  nonce: uint64,
  assets: fc.array(assetState, { maxLength: MAX_ASSETS }),
  threadRoot: hash,
  recipient: address,
});

export const thread: fc.Arbitrary<Thread> = fc.record({
  salt: hash,
  sender: address,
  receiver: address,
  asset: address,
  balanceSender: uint128,
  balanceReceiver: uint128,
  updatable: fc.boolean(),
  expiry: uint64,
  app: address,
  appStateHash: hash,
});

export const threadPayment: fc.Arbitrary<ThreadPayment> = fc.record({ threadHash: hash, balanceReceiver: uint128 });

export const threadUpdate: fc.Arbitrary<ThreadUpdate> = fc.record({
  threadHash: hash,
  nonce: uint64,
  balanceReceiver: uint128,
  appStateHash: hash,
});

export const resolution: fc.Arbitrary<Resolution> = fc.record({
  channelManager: address,
  threadHash: hash,
  balanceReceiver: uint128,
});

const exchangeFields = {
  sellAsset: address,
  sellAmount: uint128,
  buyAsset: address,
  buyAmount: uint128,
  rate: uint128,
  quoteId: hash,
  expiresAt: uint64,
};

export const exchangeArgs: fc.Arbitrary<ExchangeArgs> = fc.record(exchangeFields);

export const exchangeQuote: fc.Arbitrary<ExchangeQuote> = fc.record({ user: address, ...exchangeFields });

/** As a purchase's id may be. */
export const purchaseId = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

export const receipt: fc.Arbitrary<Receipt> = fc.record({
  purchaseId,
  paymentId: hash,
  payer: address,
  payee: address,
  asset: address,
  amount: uint128,
  payeeNonce: uint64,
});

export const redeemLink: fc.Arbitrary<RedeemLink> = fc.record({ link: address, redeemer: address });

const side = fc.constantFrom("hub" as const, "user" as const);

const withdrawalArgs = fc.record(
  {
    recipient: address,
    assets: fc.array(fc.record({ asset: address, user: uint128, hub: uint128 }), {
      minLength: 1,
      maxLength: MAX_ASSETS,
    }),
    exchange: exchangeArgs,
  },
  { requiredKeys: ["recipient", "assets"] },
);

const ARGS = {
  Deposit: fc.record({ asset: address, depositedHub: uint128, depositedUser: uint128 }),
  Payment: fc.record({ recipient: side, asset: address, amount: uint128, payments: fc.array(hash, { maxLength: 5 }) }),
  Exchange: exchangeArgs,
  Withdrawal: withdrawalArgs,
  Settled: fc.record({ session: uint64, transactionHash: hash }),
};

const signature: fc.Arbitrary<Signature> = fc
  .oneof(fc.constant(64), fc.constant(65))
  .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
  .map(toHex);

/** Any update that is of its form, sensible or not, signed by either, both or nobody. */
export const signedUpdate: fc.Arbitrary<SignedUpdate> = fc.oneof(
  ...Object.entries(ARGS).map(([reason, args]) =>
    fc.record(
      { reason: fc.constant(reason), args, nonce: uint64, previous: hash, sigHub: signature, sigUser: signature },
      { requiredKeys: ["reason", "args", "nonce", "previous"] },
    ),
  ),
) as fc.Arbitrary<SignedUpdate>;

/** A row that both rules accept, with the ledger it is measured against: surplus deposits, unexecuted withdrawals. */
const backedRow = fc
  .record({
    asset: address,
    depositedHub: fc.bigInt(0n, UINT128_MAX / 2n),
    depositedUser: fc.bigInt(0n, UINT128_MAX / 2n),
    surplusHub: fc.bigInt(0n, UINT128_MAX / 2n),
    surplusUser: fc.bigInt(0n, UINT128_MAX / 2n),
    // Per mille of what is left, taken in this order.
    shares: fc.array(fc.bigInt(0n, 1000n), { minLength: 6, maxLength: 6 }),
  })
  .map(({ asset, depositedHub, depositedUser, surplusHub, surplusUser, shares }) => {
    let left = depositedHub + depositedUser;
    const take = (i: number): bigint => {
      const part = (left * (shares[i] ?? 0n)) / 1000n;
      left -= part;
      return part;
    };
    const [withdrawnHub, withdrawnUser, locked, balanceHub] = [take(0), take(1), take(2), take(3)];
    const asRow = { asset, depositedHub, depositedUser, withdrawnHub, withdrawnUser, locked, balanceHub };
    const onChain: Ledger = {
      depositedHub: depositedHub + surplusHub,
      depositedUser: depositedUser + surplusUser,
      withdrawnHub: (withdrawnHub * (shares[4] ?? 0n)) / 1000n,
      withdrawnUser: (withdrawnUser * (shares[5] ?? 0n)) / 1000n,
    };
    return { row: { ...asRow, balanceUser: left } satisfies AssetState, onChain };
  });

/** A state that every rule accepts, with its ledgers. */
export const backedState = fc
  .record({
    user: address,
    session: uint64,
    nonce: fc.bigInt(1n, UINT64_MAX),
    rows: fc.uniqueArray(backedRow, { maxLength: MAX_ASSETS, selector: ({ row }) => row.asset }),
    recipient: address,
  })
  .map(({ rows, ...rest }) => {
    const sorted = [...rows].sort((a, b) => (a.row.asset < b.row.asset ? -1 : 1));
    const assets = sorted.map(({ row }) => row);
    const threadRoot: Hash = assets.some(({ locked }) => locked > 0n) ? `0x${"01".repeat(32)}` : ZERO_HASH;
    const state: ChannelState = { ...rest, assets, threadRoot };
    return { state, ledgers: new Map(sorted.map(({ row, onChain }) => [row.asset, onChain])) };
  });

function toHex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes).toString("hex")}`;
}
