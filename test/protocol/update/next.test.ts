import { expect } from "chai";
import {
  hashState,
  next,
  parseAddress,
  rowOf,
  unsignedState,
  ZERO_ADDRESS,
  ZERO_HASH,
  zeroAsset,
  type ChannelState,
  type ExchangeArgs,
} from "../../../protocol";
import { channelState, expectThrow, PAYEE, row, TOKEN, updateOf, USER } from "../fixtures";

const STATE = channelState();
const BETWEEN = parseAddress(`0x${"3b".repeat(20)}`);

const EXCHANGE: ExchangeArgs = {
  sellAsset: ZERO_ADDRESS,
  sellAmount: 5n,
  buyAsset: TOKEN,
  buyAmount: 10n,
  rate: 2n * 10n ** 18n,
  quoteId: ZERO_HASH,
  expiresAt: 0n,
};

/** What of `rows[0]` and `rows[1]` an update changes; everything else must stay. */
function changes(before: ChannelState, after: ChannelState): Record<string, unknown>[] {
  return after.assets.map((each) => {
    const old = rowOf(before, each.asset);
    return Object.fromEntries(Object.entries(each).filter(([name, value]) => old[name as keyof typeof old] !== value));
  });
}

describe("next", () => {
  describe("knows no state where", () => {
    it("a side would pay more than it has", () => {
      const toHub = updateOf(STATE, "Payment", { recipient: "hub", asset: ZERO_ADDRESS, amount: 51n, payments: [] });
      const details = { asset: ZERO_ADDRESS, balance: 50n, needed: 51n };
      expectThrow(() => next(STATE, toHub), "BalanceTooLow", { side: "user", ...details });
      const toUser = updateOf(STATE, "Payment", { recipient: "user", asset: TOKEN, amount: 51n, payments: [] });
      expectThrow(() => next(STATE, toUser), "BalanceTooLow", { ...details, side: "hub", asset: TOKEN });
    });

    it("a side would pay of an asset that is not there", () => {
      const update = updateOf(STATE, "Payment", { recipient: "hub", asset: BETWEEN, amount: 1n, payments: [] });
      expectThrow(() => next(STATE, update), "BalanceTooLow", { asset: BETWEEN, balance: 0n, needed: 1n });
    });

    it("the hub would sell more than it holds in the channel", () => {
      const update = updateOf(STATE, "Exchange", { ...EXCHANGE, buyAmount: 51n });
      expectThrow(() => next(STATE, update), "BalanceTooLow", { side: "hub", asset: TOKEN, needed: 51n });
    });

    it("the user would sell more than it has", () => {
      const update = updateOf(STATE, "Exchange", { ...EXCHANGE, sellAmount: 51n });
      expectThrow(() => next(STATE, update), "BalanceTooLow", { side: "user", asset: ZERO_ADDRESS });
    });

    for (const side of ["user", "hub"] as const) {
      it(`the ${side} would withdraw more than it has`, () => {
        const amounts = { asset: TOKEN, user: 0n, hub: 0n, [side]: 51n };
        const update = updateOf(STATE, "Withdrawal", { recipient: ZERO_ADDRESS, assets: [amounts] });
        expectThrow(() => next(STATE, update), "BalanceTooLow", { side, asset: TOKEN, balance: 50n, needed: 51n });
      });
    }

    it("a counter would fall", () => {
      const given = { asset: ZERO_ADDRESS, depositedHub: 100n, depositedUser: 29n };
      expectThrow(() => next(STATE, updateOf(STATE, "Deposit", given)), "CounterLowered", {
        asset: ZERO_ADDRESS,
        counter: "depositedUser",
        standing: 30n,
        given: 29n,
      });
      const lower = { ...given, depositedHub: 99n, depositedUser: 30n };
      expectThrow(() => next(STATE, updateOf(STATE, "Deposit", lower)), "CounterLowered", { counter: "depositedHub" });
    });

    it("a session that ended before would be settled again", () => {
      const update = updateOf(STATE, "Settled", { session: 2n, transactionHash: ZERO_HASH });
      expectThrow(() => next(STATE, update), "SessionMismatch", { current: 3n, given: 2n });
    });
  });

  it("credits each side's own deposit to itself", () => {
    const args = { asset: TOKEN, depositedHub: 103n, depositedUser: 37n };
    expect(changes(STATE, next(STATE, updateOf(STATE, "Deposit", args)))).to.deep.equal([
      {},
      { depositedHub: 103n, depositedUser: 37n, balanceHub: 53n, balanceUser: 57n },
    ]);
  });

  it("puts a new asset in its place by address", () => {
    const args = { asset: BETWEEN, depositedHub: 0n, depositedUser: 4n };
    const after = next(STATE, updateOf(STATE, "Deposit", args));
    expect(after.assets.map(({ asset }) => asset)).to.deep.equal([ZERO_ADDRESS, BETWEEN, TOKEN]);
    expect(rowOf(after, BETWEEN)).to.deep.equal({ ...zeroAsset(BETWEEN), depositedUser: 4n, balanceUser: 4n });
    const first = next(unsignedState(USER.address, 0n, []), updateOf(STATE, "Deposit", args));
    expect(first.assets.map(({ asset }) => asset)).to.deep.equal([BETWEEN]);
  });

  it("moves a payment, and nothing but it", () => {
    const args = { asset: ZERO_ADDRESS, amount: 40n, payments: [ZERO_HASH] };
    const toUser = next(STATE, updateOf(STATE, "Payment", { recipient: "user", ...args }));
    expect(changes(STATE, toUser)).to.deep.equal([{ balanceHub: 0n, balanceUser: 90n }, {}]);
    const toHub = next(STATE, updateOf(STATE, "Payment", { recipient: "hub", ...args }));
    expect(changes(STATE, toHub)).to.deep.equal([{ balanceHub: 80n, balanceUser: 10n }, {}]);
  });

  it("raises the nonce alone for an empty payment", () => {
    const args = { recipient: "hub" as const, asset: ZERO_ADDRESS, amount: 0n, payments: [] };
    expect(next(STATE, updateOf(STATE, "Payment", args, { nonce: 99n }))).to.deep.equal({ ...STATE, nonce: 99n });
  });

  it("exchanges: sold to the hub, bought from it", () => {
    expect(changes(STATE, next(STATE, updateOf(STATE, "Exchange", EXCHANGE)))).to.deep.equal([
      { balanceUser: 45n, balanceHub: 45n },
      { balanceUser: 60n, balanceHub: 40n },
    ]);
  });

  it("withdraws from both sides, for the recipient named", () => {
    const assets = [
      { asset: ZERO_ADDRESS, user: 50n, hub: 0n },
      { asset: TOKEN, user: 1n, hub: 2n },
    ];
    const after = next(STATE, updateOf(STATE, "Withdrawal", { recipient: PAYEE.address, assets }));
    expect(after.recipient).to.equal(PAYEE.address);
    expect(changes(STATE, after)).to.deep.equal([
      { balanceUser: 0n, withdrawnUser: 60n },
      { balanceUser: 49n, balanceHub: 48n, withdrawnUser: 11n, withdrawnHub: 22n },
    ]);
  });

  it("exchanges before it withdraws, so that what was bought can leave at once", () => {
    const args = { recipient: ZERO_ADDRESS, assets: [{ asset: TOKEN, user: 60n, hub: 0n }], exchange: EXCHANGE };
    expect(changes(STATE, next(STATE, updateOf(STATE, "Withdrawal", args)))).to.deep.equal([
      { balanceUser: 45n, balanceHub: 45n },
      { balanceUser: 0n, balanceHub: 40n, withdrawnUser: 70n },
    ]);
  });

  it("goes on at zero in the session after the one that was settled, from any state of it", () => {
    const settled = { session: 3n, transactionHash: ZERO_HASH };
    expect(next(STATE, updateOf(STATE, "Settled", settled))).to.deep.equal(unsignedState(USER.address, 4n, []));
    const missed = { session: 8n, transactionHash: ZERO_HASH };
    expect(next(STATE, updateOf(STATE, "Settled", missed)).session).to.equal(9n);
  });

  it("keeps a row whose balances are gone, and leaves the state it began with as it was", () => {
    const before = channelState({ assets: [row({ balanceHub: 0n, balanceUser: 90n, locked: 10n })] });
    const hash = hashState(before);
    const assets = [{ asset: ZERO_ADDRESS, user: 90n, hub: 0n }];
    const after = next(before, updateOf(before, "Withdrawal", { recipient: ZERO_ADDRESS, assets }));
    expect(after.assets).to.have.length(1);
    expect(hashState({ ...before })).to.equal(hash);
  });
});

describe("rowOf", () => {
  it("is the row of an asset, or the zero row", () => {
    expect(rowOf(STATE, TOKEN)).to.equal(STATE.assets[1]);
    expect(rowOf(STATE, BETWEEN)).to.deep.equal(zeroAsset(BETWEEN));
  });
});
