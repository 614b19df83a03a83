import { expect } from "chai";
import fc from "fast-check";
import {
  check,
  checkState,
  next,
  rowOf,
  type Address,
  type ChannelState,
  type ExchangeArgs,
  type Side,
  type Update,
  ZERO_ADDRESS,
} from "../../../protocol";
import { PAYEE, TOKEN, updateContext, USER } from "../fixtures";
import { executed, funded, moveUpTo, pick, proposalOf, startOf, type Move, type Place, type Proposal } from "./walk";

const ASSETS: readonly Address[] = [ZERO_ADDRESS, PAYEE.address, TOKEN].sort();
const COUNTERS = ["depositedHub", "depositedUser", "withdrawnHub", "withdrawnUser"] as const;

/** One number of an update, changed: what comes out is sometimes still an update that may be accepted. */
interface Bend {
  readonly which: number;
  readonly by: bigint;
}

type BentMove = Move & { readonly bend?: Bend };

const by = fc.oneof(fc.bigInt(-3n, 3n), fc.bigInt(-(2n ** 130n), 2n ** 130n));
const bend: fc.Arbitrary<Bend> = fc.record({ which: fc.nat(7), by });

/** What each side has had of an asset, deposits apart: what an update can take from or give to it. */
function worth(state: ChannelState, asset: Address, side: Side): bigint {
  const row = rowOf(state, asset);
  return side === "hub"
    ? row.balanceHub + row.withdrawnHub - row.depositedHub
    : row.balanceUser + row.withdrawnUser - row.depositedUser;
}

function exchangeIn({ reason, args }: Update): ExchangeArgs | undefined {
  if (reason === "Exchange") return args;
  return reason === "Withdrawal" ? args.exchange : undefined;
}

/** Calls `inspect` with every update that both sides accept, along a walk. */
function walk(moves: readonly BentMove[], inspect: (before: Place, proposal: Proposal, after: Place) => void): number {
  let place = startOf(USER.address);
  let steps = 0;
  for (const move of moves) {
    if (move.kind === "fund") {
      const side = move.gap % 2n === 0n ? "hub" : "user";
      place = { ...place, ledgers: funded(place.ledgers, pick(ASSETS, move.asset), move.amount, side) };
    }
    if (move.kind === "execute") place = { ...place, ledgers: executed(place) };
    const proposal = proposalOf(place, move, ASSETS);
    if (proposal === undefined) continue;
    const { author } = proposal;
    const update = move.bend === undefined ? proposal.update : bent(proposal.update, move.bend);
    const context = updateContext({ author, nonceFloor: 0n, session: 0n, ledgers: place.ledgers });
    const refusal = check(place.state, update, context);
    if (move.bend === undefined) expect(refusal, refusal?.message).to.equal(undefined);
    if (refusal !== undefined) continue;
    const after = { ...place, state: next(place.state, update) };
    inspect(place, { author, update }, after);
    place = after;
    steps++;
  }
  return steps;
}

/** Changes one of the numbers in the arguments. */
function bent(update: Update, { which, by }: Bend): Update {
  let left = which;
  const change = (value: unknown): unknown => {
    if (typeof value === "bigint") return left-- === 0 ? value + by : value;
    if (Array.isArray(value)) return value.map(change);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, change(item)]));
  };
  return { ...update, args: change(update.args) } as Update;
}

function everyWalk(inspect: Parameters<typeof walk>[1]): void {
  const straight = moveUpTo(2n ** 100n);
  const move: fc.Arbitrary<BentMove> = fc.oneof(
    { weight: 3, arbitrary: straight },
    { weight: 1, arbitrary: fc.tuple(straight, bend).map(([each, bend]) => ({ ...each, bend })) },
  );
  fc.assert(
    fc.property(fc.array(move, { minLength: 5, maxLength: 60, size: "max" }), (moves) => {
      walk(moves, inspect);
    }),
    { numRuns: 150 },
  );
}

describe("any walk of accepted updates", () => {
  it("A-4: leads from one state that the contract would settle to the next", () => {
    everyWalk((_, __, { state, ledgers }) => {
      const refusal = checkState(state, updateContext({ session: 0n, ledgers }));
      expect(refusal, refusal?.message).to.equal(undefined);
    });
  });

  it("N-1, O-3: never lowers a counter or a nonce and never drops a row", () => {
    everyWalk(({ state: before }, _, { state: after }) => {
      expect(after.nonce > before.nonce).to.equal(true);
      for (const row of before.assets) {
        const later = after.assets.find(({ asset }) => asset === row.asset);
        expect(COUNTERS.every((counter) => later![counter] >= row[counter])).to.equal(true);
      }
    });
  });

  it("makes no money: what one side gains the other loses", () => {
    everyWalk(({ state: before }, _, { state: after }) => {
      for (const asset of ASSETS) {
        const sum = (state: ChannelState): bigint => worth(state, asset, "hub") + worth(state, asset, "user");
        expect(sum(after)).to.equal(sum(before));
      }
    });
  });

  it("H-1: gives to a side only what the other signed first", () => {
    everyWalk(({ state: before }, { author, update }, { state: after }) => {
      if (exchangeIn(update) !== undefined) return;
      for (const asset of ASSETS) {
        expect(worth(after, asset, author) <= worth(before, asset, author), update.reason).to.equal(true);
        const moves = update.reason === "Payment" && update.args.amount > 0n && update.args.asset === asset;
        expect(worth(after, asset, author) < worth(before, asset, author), update.reason).to.equal(moves);
      }
    });
  });

  it("W-9: exchanges at the rate against the taker, and credits nothing twice", () => {
    everyWalk(({ state: before }, { update }, { state: after }) => {
      const exchange = exchangeIn(update);
      if (exchange === undefined) return;
      const { sellAsset, buyAsset, rate } = exchange;
      const sold = worth(before, sellAsset, "user") - worth(after, sellAsset, "user");
      const bought = worth(after, buyAsset, "user") - worth(before, buyAsset, "user");
      expect(sold).to.equal(exchange.sellAmount);
      expect(bought).to.equal(exchange.buyAmount);
      expect(bought * 10n ** 18n <= sold * rate).to.equal(true);
    });
  });

  it("is long enough to say something", () => {
    const moves = fc.sample(fc.array(moveUpTo(10n ** 20n), { minLength: 60, maxLength: 60, size: "max" }), {
      numRuns: 20,
      seed: 20260921,
    });
    const reasons = new Set<string>();
    const steps = moves.reduce((sum, each) => sum + walk(each, (_, { update }) => reasons.add(update.reason)), 0);
    expect(steps).to.be.greaterThan(200);
    expect([...reasons].sort()).to.deep.equal(["Deposit", "Exchange", "Payment", "Withdrawal"]);
  });
});
