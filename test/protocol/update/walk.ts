import fc from "fast-check";
import {
  amountAtRate,
  hashState,
  ledgerOf,
  next,
  RATE_ONE,
  rowOf,
  unsignedState,
  ZERO_ADDRESS,
  ZERO_HASH,
  type Address,
  type ChannelState,
  type ExchangeArgs,
  type Ledger,
  type Ledgers,
  type Side,
  type Update,
  type WithdrawalArgs,
} from "../../../protocol";

// Random walks of one channel: money comes on chain, both sides sign updates, the chain executes withdrawals.

/** What a walk has come to. */
export interface Place {
  readonly state: ChannelState;
  readonly ledgers: Ledgers;
}

const KINDS = ["fund", "execute", "deposit", "payHub", "payUser", "empty", "exchange", "withdraw", "sell"] as const;

/** Numbers that become an update once it is known what the channel holds. */
export interface Move {
  readonly kind: (typeof KINDS)[number];
  /** Which of the walk's assets; `other` is what is bought. */
  readonly asset: number;
  readonly other: number;
  readonly amount: bigint;
  /** Per mille of what is there. */
  readonly shareUser: bigint;
  readonly shareHub: bigint;
  readonly rate: bigint;
  /** Nonces that are skipped. */
  readonly gap: bigint;
}

const share = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(0n, 1000n) },
  { weight: 6, arbitrary: fc.bigInt(0n, 600n) },
);

/** @param most The largest deposit, in base units. */
export function moveUpTo(most: bigint): fc.Arbitrary<Move> {
  return fc.record({
    kind: fc.constantFrom(...KINDS, "fund", "deposit", "payHub", "payUser", "execute"),
    asset: fc.nat(7),
    other: fc.nat(7),
    amount: fc.oneof(fc.bigInt(1n, 30n), fc.bigInt(1n, most)),
    shareUser: share,
    shareHub: share,
    rate: fc.oneof(fc.bigInt(1n, 3n * RATE_ONE), fc.bigInt(RATE_ONE, 10n ** 6n * RATE_ONE)),
    gap: fc.oneof(fc.constant(0n), fc.bigInt(0n, 2n ** 20n)),
  });
}

export function startOf(user: Address): Place {
  return { state: unsignedState(user, 0n, []), ledgers: new Map() };
}

/** An update with who signs it first. */
export interface Proposal {
  readonly author: Side;
  readonly update: Update;
}

/** The update of a move; nothing for a move of the chain, and where there is nothing to move. */
export function proposalOf(place: Place, move: Move, assets: readonly Address[]): Proposal | undefined {
  const part = partOf(place, move, assets);
  if (part === undefined) return undefined;
  const { author, ...what } = part;
  const { state } = place;
  return { author, update: { ...what, nonce: state.nonce + 1n + move.gap, previous: hashState(state) } as Update };
}

type Part = { readonly author: Side } & Pick<Update, "reason" | "args">;

function partOf({ state, ledgers }: Place, move: Move, assets: readonly Address[]): Part | undefined {
  const asset = pick(assets, move.asset);
  const row = rowOf(state, asset);
  switch (move.kind) {
    case "fund":
    case "execute":
      return undefined;
    case "deposit": {
      const { depositedHub, depositedUser } = ledgerOf(ledgers, asset);
      if (depositedHub + depositedUser === row.depositedHub + row.depositedUser) return undefined;
      return {
        author: move.gap % 2n === 0n ? "hub" : "user",
        reason: "Deposit",
        args: { asset, depositedHub, depositedUser },
      };
    }
    case "payHub":
      return payment("user", asset, portion(row.balanceUser, move.shareUser));
    case "payUser":
      return payment("hub", asset, portion(row.balanceHub, move.shareHub));
    case "empty":
      return { author: "user", reason: "Payment", args: { recipient: "hub", asset, amount: 0n, payments: [] } };
    case "exchange": {
      const args = exchangeOf(state, move, assets);
      return args === undefined ? undefined : { author: "user", reason: "Exchange", args };
    }
    case "withdraw":
      return withdrawal(state, ledgers, move, assets);
    case "sell": {
      const exchange = exchangeOf(state, move, assets);
      return exchange === undefined ? undefined : withdrawal(state, ledgers, move, assets, exchange);
    }
  }
}

function payment(author: Side, asset: Address, amount: bigint): Part | undefined {
  const recipient = author === "hub" ? "user" : "hub";
  if (amount === 0n) return undefined;
  return { author, reason: "Payment", args: { recipient, asset, amount, payments: [ZERO_HASH] } };
}

function exchangeOf(state: ChannelState, move: Move, assets: readonly Address[]): ExchangeArgs | undefined {
  const [sellAsset, buyAsset] = [pick(assets, move.asset), pick(assets, move.other)];
  const sellAmount = portion(rowOf(state, sellAsset).balanceUser, move.shareUser);
  const buyAmount = amountAtRate(sellAmount, move.rate);
  const isPossible = sellAsset !== buyAsset && buyAmount > 0n && buyAmount <= rowOf(state, buyAsset).balanceHub;
  if (!isPossible) return undefined;
  return { sellAsset, sellAmount, buyAsset, buyAmount, rate: move.rate, quoteId: ZERO_HASH, expiresAt: 2n ** 63n };
}

function withdrawal(
  state: ChannelState,
  ledgers: Ledgers,
  move: Move,
  assets: readonly Address[],
  exchange?: ExchangeArgs,
): Part | undefined {
  if (hasPending({ state, ledgers })) return undefined;
  const exchanged =
    exchange === undefined
      ? state
      : next(state, { reason: "Exchange", args: exchange, nonce: 0n, previous: ZERO_HASH });
  const chosen = [...new Set([pick(assets, move.asset), pick(assets, move.other)])].sort();
  const taken = chosen.map((asset) => {
    const { balanceUser, balanceHub } = rowOf(exchanged, asset);
    return { asset, user: portion(balanceUser, move.shareHub), hub: portion(balanceHub, move.shareUser) };
  });
  if (taken.every(({ user, hub }) => user + hub === 0n)) return undefined;
  const recipient = move.gap % 2n === 0n ? ZERO_ADDRESS : RECIPIENT;
  const args: WithdrawalArgs = { recipient, assets: taken, ...(exchange === undefined ? {} : { exchange }) };
  return { author: "hub", reason: "Withdrawal", args };
}

const RECIPIENT = `0x${"be".repeat(20)}` as Address;

/** Whether the chain has a withdrawal of the state still to execute. */
export function hasPending({ state, ledgers }: Place): boolean {
  return state.assets.some((row) => {
    const executed = ledgerOf(ledgers, row.asset);
    return row.withdrawnUser !== executed.withdrawnUser || row.withdrawnHub !== executed.withdrawnHub;
  });
}

/** The chain after a deposit on one side. */
export function funded(ledgers: Ledgers, asset: Address, amount: bigint, side: Side): Ledgers {
  const ledger = ledgerOf(ledgers, asset);
  const counter = side === "hub" ? "depositedHub" : "depositedUser";
  return new Map([...ledgers, [asset, { ...ledger, [counter]: ledger[counter] + amount }]]);
}

/** The chain after it executed a state's withdrawals. */
export function executed({ state, ledgers }: Place): Ledgers {
  const rows = state.assets.map(({ asset, withdrawnHub, withdrawnUser }): readonly [Address, Ledger] => [
    asset,
    { ...ledgerOf(ledgers, asset), withdrawnHub, withdrawnUser },
  ]);
  return new Map([...ledgers, ...rows]);
}

export function pick<Item>(items: readonly Item[], index: number): Item {
  return items[index % items.length]!;
}

/** At least one unit where there is anything. */
function portion(whole: bigint, perMille: bigint): bigint {
  const part = (whole * perMille) / 1000n;
  return part === 0n && whole > 0n && perMille > 0n ? 1n : part;
}
