import { expect } from "chai";
import fc from "fast-check";
import { Compile } from "typebox/compile";
import {
  checksumAddress,
  formatUpdate,
  parseExchangeArgs,
  parseQuote,
  parseUpdate,
  signedUpdateSchema,
  toWire,
  type WireUpdate,
} from "../../../protocol";
import * as arbitrary from "../arbitraries";
import { channelState, expectThrow, PAYEE, signState, TOKEN, updateOf, USER } from "../fixtures";

const PAYMENT_ID = `0x${"1d".repeat(32)}` as const;

/** A payment as it travels, with one of its arguments, or of its own fields, changed. */
function wirePayment(args: object = {}, own: object = {}): WireUpdate {
  const payment = { recipient: "hub" as const, asset: TOKEN, amount: 5n, payments: [PAYMENT_ID] };
  const wire = formatUpdate(updateOf(channelState(), "Payment", payment));
  return { ...wire, ...own, args: { ...wire.args, ...args } } as WireUpdate;
}

describe("parseUpdate", () => {
  const refusals: [string, WireUpdate, string][] = [
    ["an amount beyond 128 bits", wirePayment({ amount: `${2n ** 128n}` }), "update.args.amount"],
    ["a negative amount", wirePayment({ amount: "-1" }), "update.args.amount"],
    ["a nonce beyond 64 bits", wirePayment({}, { nonce: `${2n ** 64n}` }), "update.nonce"],
    ["a payment id that is no hash", wirePayment({ payments: [PAYMENT_ID, "0x00"] }), "update.args.payments.1"],
    ["a short asset", wirePayment({ asset: "0x00" }), "update.args.asset"],
  ];
  for (const [what, given, path] of refusals) {
    it(`refuses ${what}, naming ${path}`, () => {
      expectThrow(() => parseUpdate(given), "InvalidValue", { path });
    });
  }

  it("refuses an address with a wrong checksum", () => {
    const user = checksumAddress(USER.address);
    const swapped = user.replace(/[a-f]/, (digit) => digit.toUpperCase());
    expect(swapped).not.to.equal(user);
    expectThrow(() => parseUpdate(wirePayment({ asset: swapped })), "InvalidValue", { path: "update.args.asset" });
  });

  it("names where the update stood", () => {
    const given = wirePayment({}, { previous: "0x" });
    expectThrow(() => parseUpdate(given, "sync.updates.3"), "InvalidValue", { path: "sync.updates.3.previous" });
  });

  it("reads addresses, hashes and signatures in any case into the one spelling", () => {
    const sigUser = signState(channelState(), USER).toUpperCase().replace("0X", "0x");
    const given = wirePayment(
      { asset: checksumAddress(PAYEE.address), payments: [PAYMENT_ID.toUpperCase().replace("0X", "0x")] },
      { sigUser },
    );
    const parsed = parseUpdate(given);
    expect(parsed.args).to.deep.include({ asset: PAYEE.address, payments: [PAYMENT_ID] });
    expect(parsed.sigUser).to.equal(sigUser.toLowerCase());
    expect(parsed).not.to.have.property("sigHub");
  });

  it("gives every update back that was formatted, in the form of its schema", () => {
    const schema = Compile(signedUpdateSchema);
    fc.assert(
      fc.property(arbitrary.signedUpdate, (update) => {
        const wire: unknown = JSON.parse(JSON.stringify(formatUpdate(update)));
        expect(schema.Check(wire)).to.equal(true);
        expect(parseUpdate(wire as WireUpdate)).to.deep.equal(update);
      }),
      { numRuns: 300 },
    );
  });

  it("formats what it parsed as it was", () => {
    fc.assert(
      fc.property(arbitrary.signedUpdate, (update) => {
        const wire = formatUpdate(update);
        expect(formatUpdate(parseUpdate(wire))).to.deep.equal(wire);
      }),
    );
  });
});

describe("parseQuote", () => {
  it("gives every quote and every exchange back", () => {
    fc.assert(
      fc.property(arbitrary.exchangeQuote, ({ user, ...args }) => {
        expect(parseQuote(toWire({ user, ...args }) as never)).to.deep.equal({ user, ...args });
        expect(parseExchangeArgs(toWire(args) as never)).to.deep.equal(args);
      }),
    );
  });

  it("names the field that does not fit", () => {
    const [quote] = fc.sample(arbitrary.exchangeQuote, { numRuns: 1, seed: 1 });
    const given = { ...(toWire(quote) as object), rate: `${2n ** 128n}` };
    expectThrow(() => parseQuote(given as never), "InvalidValue", { path: "quote.rate" });
  });
});

describe("toWire", () => {
  it("writes integers as decimal strings, wherever they stand, and leaves the rest", () => {
    const given = { amount: 5n, list: [1n, { deep: 2n ** 128n }], text: "x", count: 3, none: null, yes: true };
    expect(toWire(given)).to.deep.equal({
      ...{ amount: "5", list: ["1", { deep: `${2n ** 128n}` }], text: "x", count: 3, none: null, yes: true },
    });
  });
});
