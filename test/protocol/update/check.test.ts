import { expect } from "chai";
import {
  advance,
  check,
  hashState,
  MAX_ASSETS,
  MAX_NONCE_STEP,
  next,
  parseAddress,
  UINT128_MAX,
  UINT64_MAX,
  ZERO_ADDRESS,
  ZERO_HASH,
  zeroAsset,
  type Address,
  type ArgsByReason,
  type ChannelState,
  type ErrorCode,
  type ErrorDetails,
  type ExchangeArgs,
  type Ledger,
  type Reason,
  type Side,
  type Update,
  type UpdateContext,
} from "../../../protocol";
import { channelState, CONTRACT, expectError, expectThrow, ledger, PAYEE, TOKEN } from "../fixtures";
import { updateContext, updateOf } from "../fixtures";

const STATE = channelState();
const NOW = updateContext().nowSeconds;
const PAYMENT_ID = `0x${"1d".repeat(32)}` as const;

const EXCHANGE: ExchangeArgs = {
  sellAsset: ZERO_ADDRESS,
  sellAmount: 5n,
  buyAsset: TOKEN,
  buyAmount: 12n,
  rate: 25n * 10n ** 17n, // 5 sold are worth 12.5
  quoteId: ZERO_HASH,
  expiresAt: NOW,
};

function update<Each extends Reason>(reason: Each, args: ArgsByReason[Each]): Update {
  return updateOf(STATE, reason, args);
}

const pay = (recipient: Side, amount: bigint, payments = [PAYMENT_ID], asset: Address = ZERO_ADDRESS): Update =>
  update("Payment", { recipient, asset, amount, payments });

const sell = (change: Partial<ExchangeArgs> = {}): Update => update("Exchange", { ...EXCHANGE, ...change });

const takeOut = (user: bigint, hub = 0n, change: Partial<ArgsByReason["Withdrawal"]> = {}): Update =>
  update("Withdrawal", { recipient: ZERO_ADDRESS, assets: [{ asset: ZERO_ADDRESS, user, hub }], ...change });

const deposit = (depositedHub: bigint, depositedUser: bigint, asset: Address = ZERO_ADDRESS): Update =>
  update("Deposit", { asset, depositedHub, depositedUser });

/** The chain has more than the state accounts for, of ETH. */
const ahead = (change: Partial<Ledger>): Partial<UpdateContext> => ({
  ledgers: new Map([
    [ZERO_ADDRESS, ledger(change)],
    [TOKEN, ledger()],
  ]),
});

const byHub: Partial<UpdateContext> = { author: "hub" };

describe("check", () => {
  type Refusal = {
    [Code in ErrorCode]: [string, Update, Partial<UpdateContext>, Code, Partial<ErrorDetails<Code>>];
  }[ErrorCode];

  describe("refuses, of any update,", () => {
    const other: Update = { ...pay("hub", 1n), previous: ZERO_HASH };
    const at = (nonce: bigint): Update => ({ ...pay("hub", 1n), nonce });
    const refusals: Refusal[] = [
      ["one of another state", other, {}, "OutOfSync", { expected: hashState(STATE), given: ZERO_HASH }],
      ["H-14: the state's own nonce", at(7n), {}, "NonceTooLow", { floor: 7n, given: 7n }],
      ["H-14: a nonce that may be signed", at(9n), { nonceFloor: 9n }, "NonceTooLow", { floor: 9n, given: 9n }],
      ["an older nonce, whatever the floor", at(6n), { nonceFloor: 0n }, "NonceTooLow", { floor: 7n, given: 6n }],
      [
        "a jump that uses nonces up",
        at(8n + MAX_NONCE_STEP),
        {},
        "NonceTooHigh",
        { limit: 7n + MAX_NONCE_STEP, given: 8n + MAX_NONCE_STEP },
      ],
      ["another session", pay("hub", 1n), { session: 4n }, "SessionMismatch", { current: 4n, given: 3n }],
      ["a settlement that a side claims", settled(), {}, "WrongAuthor", { reason: "Settled", author: "user" }],
      ["a settlement that the hub claims", settled(), byHub, "WrongAuthor", { reason: "Settled", author: "hub" }],
    ];
    each(refusals);

    it("nonces beyond 64 bits", () => {
      const state = channelState({ nonce: UINT64_MAX });
      const given = updateOf(state, "Payment", { recipient: "hub", asset: TOKEN, amount: 1n, payments: [PAYMENT_ID] });
      expectError(check(state, given, updateContext()), "InvalidValue", { path: "ChannelState.nonce" });
    });

    it("what is wrong with its place before what is wrong with it", () => {
      const given: Update = { ...pay("user", 1_000n), previous: ZERO_HASH, nonce: 0n };
      expectError(check(STATE, given, updateContext()), "OutOfSync");
    });
  });

  describe("refuses, of a payment,", () => {
    const tooMuch = { asset: ZERO_ADDRESS, balance: 50n, needed: 51n };
    each([
      ["H-1: the user's own to itself", pay("user", 1n), {}, "WrongAuthor", { reason: "Payment", author: "user" }],
      ["the hub's to itself", pay("hub", 1n), byHub, "WrongAuthor", { reason: "Payment", author: "hub" }],
      ["an empty one of the user to itself", pay("user", 0n, []), {}, "WrongAuthor", { author: "user" }],
      ["an empty one of the hub", pay("user", 0n, []), byHub, "NothingMoves", {}],
      ["an amount for nothing", pay("hub", 1n, []), {}, "NothingMoves", {}],
      ["H-2: ids without an amount", pay("hub", 0n), {}, "NothingMoves", {}],
      ["H-2: ids without an amount from the hub", pay("user", 0n), byHub, "NothingMoves", {}],
      ["more than the user has", pay("hub", 51n), {}, "BalanceTooLow", { side: "user", ...tooMuch }],
      ["more than the hub has", pay("user", 41n), byHub, "BalanceTooLow", { side: "hub", balance: 40n, needed: 41n }],
      ["an amount beyond 128 bits", pay("hub", UINT128_MAX + 1n), {}, "BalanceTooLow", { side: "user" }],
      ["a negative amount", pay("hub", -1n), {}, "InvalidValue", { path: "update.args.amount" }],
    ]);
  });

  describe("refuses, of a deposit,", () => {
    each([
      ["one that credits nothing", deposit(100n, 30n), {}, "NothingMoves", {}],
      ["one of an asset without deposits", deposit(0n, 0n, PAYEE.address), {}, "NothingMoves", {}],
      [
        "A-2: one that is not on chain",
        deposit(100n, 31n),
        {},
        "NotBacked",
        { asset: ZERO_ADDRESS, onChainHub: 100n, onChainUser: 30n },
      ],
      ["the hub's, beyond the chain", deposit(101n, 30n), ahead({ depositedUser: 90n }), "NotBacked", {}],
      [
        "a counter that falls as the other rises",
        deposit(99n, 32n),
        ahead({ depositedUser: 32n }),
        "CounterLowered",
        { asset: ZERO_ADDRESS, counter: "depositedHub", standing: 100n, given: 99n },
      ],
      ["a counter beyond 128 bits", deposit(UINT128_MAX + 1n, 30n), {}, "InvalidValue", {}],
    ]);

    it("a ninth asset (N-4)", () => {
      const assets = Array.from({ length: MAX_ASSETS + 1 }, (_, i) => parseAddress(`0x${`${i}0`.padStart(40, "0")}`));
      const deposited: Ledger = { depositedHub: 0n, depositedUser: 1n, withdrawnHub: 0n, withdrawnUser: 0n };
      const ledgers = new Map(assets.map((asset) => [asset, deposited]));
      const rows = assets.slice(0, MAX_ASSETS).map((asset) => ({ ...zeroAsset(asset), ...deposited, balanceUser: 1n }));
      const full = channelState({ assets: rows, threadRoot: ZERO_HASH });
      const ninth = updateOf(full, "Deposit", { asset: assets[MAX_ASSETS]!, depositedHub: 0n, depositedUser: 1n });
      expectError(check(full, ninth, updateContext({ ledgers })), "TooManyAssets", { count: 9n, limit: 8n });
    });
  });

  describe("refuses, of an exchange,", () => {
    each([
      ["one that the hub begins", sell(), byHub, "WrongAuthor", { reason: "Exchange", author: "hub" }],
      ["one into itself", sell({ buyAsset: ZERO_ADDRESS }), {}, "SameAsset", { asset: ZERO_ADDRESS }],
      ["one that sells nothing", sell({ sellAmount: 0n, buyAmount: 0n }), {}, "NothingMoves", {}],
      ["one that buys nothing", sell({ sellAmount: 1n, rate: 1n, buyAmount: 0n }), {}, "NothingMoves", {}],
      ["W-9: a unit more", sell({ buyAmount: 13n }), {}, "ExchangeRateWrong", { expected: 12n, given: 13n }],
      ["W-9: a unit less", sell({ buyAmount: 11n }), {}, "ExchangeRateWrong", { expected: 12n, given: 11n }],
      ["an expired quote", sell({ expiresAt: NOW - 1n }), {}, "QuoteExpired", { nowSeconds: NOW }],
      ["more than the user has", sell({ sellAmount: 60n, buyAmount: 150n }), {}, "BalanceTooLow", { side: "user" }],
      ["more than the hub has", sell({ sellAmount: 24n, buyAmount: 60n }), {}, "BalanceTooLow", { side: "hub" }],
      ["a negative amount", sell({ sellAmount: -4n, buyAmount: -10n }), {}, "InvalidValue", {}],
    ]);
  });

  describe("refuses, of a withdrawal,", () => {
    const executed = { asset: ZERO_ADDRESS, recipient: ZERO_ADDRESS };
    const asset = (which: Address, user = 1n): { asset: Address; user: bigint; hub: bigint } => ({
      asset: which,
      user,
      hub: 0n,
    });
    const first = { exchange: { ...EXCHANGE, buyAmount: 13n } };
    const expired = { exchange: { ...EXCHANGE, expiresAt: 0n } };
    const none: Update = update("Withdrawal", { recipient: ZERO_ADDRESS, assets: [] });
    const both = [asset(TOKEN), asset(ZERO_ADDRESS)];
    const twice = [asset(TOKEN), asset(TOKEN)];
    each([
      ["W-1: one that the user signs first", takeOut(1n), {}, "WrongAuthor", { reason: "Withdrawal", author: "user" }],
      ["one without assets", none, byHub, "NothingMoves", {}],
      ["one of nothing", takeOut(0n), byHub, "NothingMoves", {}],
      [
        "one to the contract",
        takeOut(1n, 0n, { recipient: CONTRACT }),
        byHub,
        "InvalidRecipient",
        { recipient: CONTRACT },
      ],
      ["more than the user has", takeOut(51n), byHub, "BalanceTooLow", { side: "user", balance: 50n }],
      ["more than the hub has", takeOut(0n, 41n), byHub, "BalanceTooLow", { side: "hub", balance: 40n }],
      ["assets out of order", takeOut(0n, 0n, { assets: both }), byHub, "AssetsNotAscending", { next: ZERO_ADDRESS }],
      ["an asset twice", takeOut(0n, 0n, { assets: twice }), byHub, "AssetsNotAscending", { previous: TOKEN }],
      ["an exchange off its rate", takeOut(1n, 0n, first), byHub, "ExchangeRateWrong", { expected: 12n }],
      ["an expired quote in it", takeOut(1n, 0n, expired), byHub, "QuoteExpired", { expiresAt: 0n }],
      [
        "one while the user's last is not executed",
        takeOut(1n),
        { ...byHub, ...ahead({ withdrawnUser: 9n }) },
        "WithdrawalPending",
        executed,
      ],
      [
        "one while the hub's last is not executed",
        takeOut(1n),
        { ...byHub, ...ahead({ withdrawnHub: 19n }) },
        "WithdrawalPending",
        executed,
      ],
      ["a negative amount", takeOut(-1n, 2n), byHub, "InvalidValue", {}],
    ]);
  });

  describe("accepts", () => {
    const accepted: [string, Update, Partial<UpdateContext>][] = [
      ["the user's payment of all it has", pay("hub", 50n), {}],
      ["the hub's payment of all it has", pay("user", 40n), byHub],
      ["the user's empty payment", pay("hub", 0n, []), {}],
      ["a deposit on chain, from the user", deposit(100n, 35n), ahead({ depositedUser: 35n })],
      [
        "a deposit on chain, from the hub",
        deposit(110n, 35n),
        { ...byHub, ...ahead({ depositedHub: 110n, depositedUser: 35n }) },
      ],
      ["part of what is on chain", deposit(100n, 33n), ahead({ depositedUser: 35n })],
      ["an exchange in its quote's last second", sell(), {}],
      ["a withdrawal of both sides", takeOut(50n, 40n), byHub],
      ["a withdrawal to somebody else", takeOut(1n, 0n, { recipient: PAYEE.address }), byHub],
      ["a withdrawal that exchanges first", takeOut(45n, 0n, { exchange: EXCHANGE }), byHub],
      ["the last nonce within a step", { ...pay("hub", 1n), nonce: 7n + MAX_NONCE_STEP }, {}],
      ["a nonce above the floor", { ...pay("hub", 1n), nonce: 12n }, { nonceFloor: 11n }],
    ];
    for (const [what, given, context] of accepted) {
      it(what, () => {
        expect(check(STATE, given, updateContext(context))).to.equal(undefined);
        expect(advance(STATE, given, updateContext(context))).to.deep.equal(next(STATE, given));
      });
    }
  });

  it("is what advance throws", () => {
    expectThrow(() => advance(STATE, pay("user", 1n), updateContext()), "WrongAuthor");
    expectThrow(() => advance(STATE, deposit(100n, 31n), updateContext()), "NotBacked");
  });

  it("passes on what is a bug and no answer", () => {
    const given = { ...updateContext(), ledgers: undefined as never };
    expect(() => check(STATE, pay("hub", 1n), given)).to.throw(TypeError);
  });

  function settled(): Update {
    return update("Settled", { session: 3n, transactionHash: ZERO_HASH });
  }

  function each(refusals: Refusal[]): void {
    for (const [what, given, context, code, details] of refusals) {
      it(`${what}: ${code}`, () => {
        expectError(check(STATE, given, updateContext(context)), code, details);
      });
    }
  }
});

/** Only what a state holds can be checked: what never changes it is not looked at. */
describe("check, of the states it begins with,", () => {
  it("asks the contract's rules of what comes after, so that a bad state is not carried on", () => {
    const bad: ChannelState = channelState({ assets: [{ ...STATE.assets[0]!, balanceHub: 41n }, STATE.assets[1]!] });
    const given = updateOf(bad, "Payment", { recipient: "hub", asset: TOKEN, amount: 1n, payments: [PAYMENT_ID] });
    expectError(check(bad, given, updateContext()), "NotConserved", { asset: ZERO_ADDRESS });
  });
});
