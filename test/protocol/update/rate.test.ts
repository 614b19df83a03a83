import { expect } from "chai";
import fc from "fast-check";
import { amountAtRate, amountToSell, RATE_ONE } from "../../../protocol";
import { uint128 } from "../arbitraries";

const rate = fc.oneof(uint128, fc.bigInt(1n, 4n * RATE_ONE));
const amount = fc.oneof(uint128, fc.bigInt(0n, 1000n));

describe("rate", () => {
  const bought: [sold: bigint, rate: bigint, bought: bigint][] = [
    [0n, RATE_ONE, 0n],
    [7n, RATE_ONE, 7n],
    [7n, 0n, 0n],
    [1n, RATE_ONE - 1n, 0n],
    [3n, RATE_ONE / 2n, 1n],
    [10n ** 18n, 2_000n * RATE_ONE, 2_000n * 10n ** 18n],
    [1_999n, RATE_ONE / 2_000n, 0n],
    [2_000n, RATE_ONE / 2_000n, 1n],
  ];
  for (const [sold, at, expected] of bought) {
    it(`${sold} sold at ${at} per 10^18 buy ${expected}`, () => {
      expect(amountAtRate(sold, at)).to.equal(expected);
    });
  }

  it("W-9: rounds against the taker, by less than one unit", () => {
    fc.assert(
      fc.property(amount, rate, (sold, at) => {
        const exact = sold * at;
        const given = amountAtRate(sold, at) * RATE_ONE;
        expect(given <= exact && exact - given < RATE_ONE).to.equal(true);
      }),
    );
  });

  it("W-9: an amount sold in parts never buys more than sold at once", () => {
    fc.assert(
      fc.property(fc.array(amount, { maxLength: 6 }), rate, (parts, at) => {
        const inParts = parts.reduce((sum, part) => sum + amountAtRate(part, at), 0n);
        expect(inParts <= amountAtRate(sum(parts), at)).to.equal(true);
      }),
    );
  });

  it("W-9: there and back at inverse rates gains nothing", () => {
    fc.assert(
      fc.property(amount, fc.bigInt(1n, 10n ** 36n), (sold, at) => {
        const inverse = 10n ** 36n / at;
        expect(amountAtRate(amountAtRate(sold, at), inverse) <= sold).to.equal(true);
      }),
    );
  });

  it("the amount to sell is the least that buys what is wanted", () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 30n), fc.bigInt(1n, 4n * RATE_ONE), (wanted, at) => {
        const sold = amountToSell(wanted, at) ?? 0n;
        expect(amountAtRate(sold, at) >= wanted).to.equal(true);
        expect(amountAtRate(sold - 1n, at) < wanted).to.equal(true);
      }),
    );
  });

  it("a rate of zero buys nothing, so there is no amount to sell", () => {
    expect(amountToSell(1n, 0n)).to.equal(undefined);
    expect(amountToSell(0n, RATE_ONE)).to.equal(0n);
  });
});

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
