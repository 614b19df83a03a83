import { expect } from "chai";
import fc from "fast-check";
import {
  reclaimPayouts,
  remaining,
  settlementPayouts,
  threadPayouts,
  threadSum,
  unsignedState,
  withdrawalPayouts,
  ZERO_ADDRESS,
  ZERO_LEDGER,
} from "../../protocol";
import * as arbitrary from "./arbitraries";
import { channelState, context, ledger, row, thread, TOKEN, USER } from "./fixtures";

describe("payouts", () => {
  it("pays a withdrawal's unexecuted part, and nothing the second time", () => {
    const state = channelState({ assets: [row(), row({ asset: TOKEN, withdrawnHub: 25n, withdrawnUser: 17n })] });
    expect(withdrawalPayouts(state, context().ledgers)).to.deep.equal([
      { asset: ZERO_ADDRESS, amountUser: 0n, amountHub: 0n },
      { asset: TOKEN, amountUser: 7n, amountHub: 5n },
    ]);
    const executed = new Map([[TOKEN, ledger({ withdrawnHub: 25n, withdrawnUser: 17n })]]);
    const again = withdrawalPayouts({ ...state, assets: state.assets.slice(1) }, executed);
    expect(again).to.deep.equal([{ asset: TOKEN, amountUser: 0n, amountHub: 0n }]);
  });

  it("settles balances, deposits not accounted for, and withdrawals not executed", () => {
    const onChain = { depositedHub: 103n, depositedUser: 35n, withdrawnHub: 18n, withdrawnUser: 9n };
    const payouts = settlementPayouts(channelState({ assets: [row()] }), new Map([[ZERO_ADDRESS, onChain]]));
    const amounts = { amountUser: 50n + 5n + 1n, amountHub: 40n + 3n + 2n, locked: 10n };
    expect(payouts).to.deep.equal([{ asset: ZERO_ADDRESS, ...amounts }]);
  });

  it("settles the unsigned state by who deposited", () => {
    const onChain = ledger({ withdrawnHub: 0n, withdrawnUser: 0n });
    const payouts = settlementPayouts(unsignedState(USER.address, 3n, [TOKEN]), new Map([[TOKEN, onChain]]));
    expect(payouts).to.deep.equal([{ asset: TOKEN, amountUser: 30n, amountHub: 100n, locked: 0n }]);
  });

  it("A-4: settles exactly deposits minus withdrawals, nobody below zero, for every backed state", () => {
    fc.assert(
      fc.property(arbitrary.backedState, ({ state, ledgers }) => {
        const executed = withdrawalPayouts(state, ledgers);
        for (const [i, { asset, amountUser, amountHub, locked }] of settlementPayouts(state, ledgers).entries()) {
          expect(amountUser + amountHub + locked).to.equal(remaining(ledgers.get(asset)!));
          expect(amountUser >= 0n && amountHub >= 0n && locked >= 0n).to.equal(true);
          // What the user gets does not depend on whether somebody executed the withdrawal first.
          const after = { ...ledgers.get(asset)!, ...withdrawnBy(state.assets[i]!) };
          const [later] = settlementPayouts({ ...state, assets: [state.assets[i]!] }, new Map([[asset, after]]));
          expect(later!.amountUser + executed[i]!.amountUser).to.equal(amountUser);
          expect(later!.amountHub + executed[i]!.amountHub).to.equal(amountHub);
        }
      }),
    );
  });

  const reclaims: [string, Partial<ReturnType<typeof ledger>>, bigint, bigint][] = [
    ["both their own", {}, 20n, 80n],
    ["the user no more than what is left", { withdrawnHub: 115n }, 5n, 0n],
    ["the hub everything where the user withdrew more than it deposited", { withdrawnUser: 31n }, 0n, 79n],
    ["nobody anything where more was withdrawn than deposited", { withdrawnUser: 131n }, 0n, 0n],
  ];
  for (const [what, overrides, amountUser, amountHub] of reclaims) {
    it(`N-1: reclaims for ${what}`, () => {
      expect(reclaimPayouts(ledger(overrides))).to.deep.equal({ amountUser, amountHub });
    });
  }

  it("N-1: reclaims exactly what is left, the user at most its own, whatever the counters", () => {
    const counters = fc.record({
      depositedHub: arbitrary.uint128,
      depositedUser: arbitrary.uint128,
      withdrawnHub: arbitrary.uint128,
      withdrawnUser: arbitrary.uint128,
    });
    fc.assert(
      fc.property(counters, (onChain) => {
        const { amountUser, amountHub } = reclaimPayouts(onChain);
        expect(amountUser + amountHub).to.equal(remaining(onChain));
        expect(amountUser >= 0n && amountHub >= 0n && amountUser <= onChain.depositedUser).to.equal(true);
      }),
    );
    expect(reclaimPayouts(ZERO_LEDGER)).to.deep.equal({ amountUser: 0n, amountHub: 0n });
  });

  it("pays both legs of a thread so that the hub is neutral, for any outcome", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 100n), (balanceReceiver) => {
        const { sender, receiver } = threadPayouts(thread(), balanceReceiver);
        const rest = 100n - balanceReceiver;
        expect(sender).to.deep.equal({ amountUser: rest, amountHub: balanceReceiver });
        expect(receiver).to.deep.equal({ amountUser: balanceReceiver, amountHub: rest });
        expect(sender.amountHub + receiver.amountHub).to.equal(threadSum(thread()));
      }),
    );
  });
});

function withdrawnBy(given: ReturnType<typeof row>): { withdrawnHub: bigint; withdrawnUser: bigint } {
  return { withdrawnHub: given.withdrawnHub, withdrawnUser: given.withdrawnUser };
}
