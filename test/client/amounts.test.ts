import { expect } from "chai";
import fc from "fast-check";
import { parseAmount, parseAmounts } from "../../client/amounts";
import { isProtocolError, parseAddress, UINT128_MAX, ZERO_ADDRESS } from "../../protocol";

const TOKEN = parseAddress(`0x${"70".repeat(20)}`);

describe("amounts as callers write them", () => {
  const read = (given: unknown): unknown => parseAmount(given, TOKEN, "amount");

  it("are of ETH, of the hub's token, or of a named asset; integers or decimal strings", () => {
    for (const given of [5n, "5"]) {
      expect(read({ amountWei: given })).to.deep.equal({ asset: ZERO_ADDRESS, amount: 5n });
      expect(read({ amountToken: given })).to.deep.equal({ asset: TOKEN, amount: 5n });
      expect(read({ asset: TOKEN, amount: given })).to.deep.equal({ asset: TOKEN, amount: 5n });
    }
    expect(parseAmounts({ amountWei: 1n, amountToken: 2n }, TOKEN, "amount")).to.have.length(2);
  });

  describe("W-5: are refused, never read as zero, when they are", () => {
    const SHAPES: readonly (readonly [what: string, given: unknown])[] = [
      ["nothing", undefined],
      ["null", null],
      ["a bare number", 5],
      ["a bare bigint", 5n],
      ["a bare string", "5"],
      ["a list", [5n]],
      ["empty", {}],
      ["of another version: amountUSD", { amountUSD: "5" }],
      ["of another version: wei", { wei: "5", token: "0" }],
      ["misspelt", { amountwei: 5n }],
      ["right and wrong at once", { amountWei: 5n, amountDai: 1n }],
      ["an asset without an amount", { asset: TOKEN }],
      ["an amount without an asset", { amount: 5n }],
      ["an asset with the other kind of amount", { asset: TOKEN, amountWei: 5n }],
      ["a number, which loses digits", { amountWei: 5 }],
      ["an undefined amount", { asset: TOKEN, amount: undefined }],
      ["an amount that is null", { amountWei: null }],
      ["an object of a number library", { amountWei: { _hex: "0x05" } }],
      ["hexadecimal", { amountWei: "0x5" }],
      ["a decimal fraction", { amountWei: "0.5" }],
      ["in exponential form", { amountWei: "5e18" }],
      ["negative", { amountWei: "-5" }],
      ["a negative bigint", { amountWei: -5n }],
      ["empty text", { amountWei: "" }],
      ["text with a blank", { amountWei: " 5" }],
      ["above 2^128 - 1", { amountWei: UINT128_MAX + 1n }],
      ["of something that is no asset", { asset: "ETH", amount: 5n }],
      ["zero", { amountWei: 0n }],
      ["of two assets where one is meant", { amountWei: 1n, amountToken: 1n }],
    ];
    for (const [what, given] of SHAPES) {
      it(what, () => {
        try {
          read(given);
        } catch (error) {
          expect(isProtocolError(error, "InvalidValue"), String(error)).to.equal(true);
          return;
        }
        expect.fail("it was taken");
      });
    }

    it("anything at all but the shapes above", () => {
      fc.assert(
        fc.property(fc.anything(), (given) => {
          try {
            read(given);
          } catch {
            return true;
          }
          return typeof given === "object" && given !== null && Object.keys(given).length <= 2;
        }),
        { numRuns: 500 },
      );
    });
  });

  it("W-5: of a token are refused where the hub serves none", () => {
    expect(() => parseAmount({ amountToken: 1n }, undefined, "amount")).to.throw(/serves no token/);
  });
});
