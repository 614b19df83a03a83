import { expect } from "chai";
import { Type } from "typebox";
import { closed, purchaseRequestSchema, validate, ZERO_ADDRESS, ZERO_HASH } from "../../../protocol";
import { expectThrow, PAYEE } from "../fixtures";

const PAYMENT = { type: "PT_CHANNEL", recipient: PAYEE.address, asset: ZERO_ADDRESS, amount: "5" };
const UPDATE = {
  reason: "Payment",
  args: { recipient: "hub", asset: ZERO_ADDRESS, amount: "5", payments: [ZERO_HASH] },
  nonce: "1",
  previous: ZERO_HASH,
};
const PURCHASE = { id: "p1", payments: [PAYMENT], updates: [UPDATE] };

function purchase(change: object): unknown {
  return { ...PURCHASE, ...change };
}

describe("validate", () => {
  type Case = [string, unknown, string];
  const refusals: Case[] = [
    ["what is no object", "x", "body"],
    ["nothing", undefined, "body"],
    ["an id with a space", purchase({ id: "a b" }), "body.id"],
    ["no payments", purchase({ payments: [] }), "body.payments"],
    ["W-5: an amount that is a number", purchase({ payments: [{ ...PAYMENT, amount: 5 }] }), "body.payments.0.amount"],
    [
      "W-5: an amount of another shape",
      purchase({ payments: [{ ...PAYMENT, amount: { wei: "5" } }] }),
      "body.payments.0.amount",
    ],
    [
      "a second payment that is wrong",
      purchase({ payments: [PAYMENT, { ...PAYMENT, recipient: "0x" }] }),
      "body.payments.1.recipient",
    ],
    ["an update without its nonce", purchase({ updates: [{ ...UPDATE, nonce: undefined }] }), "body.updates.0.nonce"],
  ];
  for (const [what, given, path] of refusals) {
    it(`refuses ${what}, naming ${path}`, () => {
      expectThrow(() => validate(purchaseRequestSchema, given, "body"), "InvalidValue", { path });
    });
  }

  it("names what is wrong with what was meant, also beside another one of another kind", () => {
    const link = { type: "PT_LINK", link: PAYEE.address, asset: ZERO_ADDRESS, amount: 5 };
    const given = purchase({ payments: [{ ...PAYMENT, amount: 5 }, link] });
    expectThrow(() => validate(purchaseRequestSchema, given, "body"), "InvalidValue", {
      path: "body.payments.0.amount",
      expected: "string",
    });
  });

  it("refuses a field that it does not know, by name", () => {
    const expected = "without the unknown memo";
    expectThrow(() => validate(purchaseRequestSchema, purchase({ memo: "x" }), "body"), "InvalidValue", { expected });
  });

  it("says what is missing, and what a list or a number must be, as parts of a sentence", () => {
    const cases: [unknown, string][] = [
      [{ payments: [PAYMENT], updates: [UPDATE] }, "body must be with the missing id,"],
      [purchase({ id: 5 }), "body.id must be string,"],
      [purchase({ payments: [] }), "body.payments must be of its form: it must not have fewer than 1 items,"],
    ];
    for (const [given, sentence] of cases) {
      expect(() => validate(purchaseRequestSchema, given, "body")).to.throw(sentence);
    }
  });

  it("says which pattern a text must match, and shows what was given", () => {
    const schema = closed({ id: Type.String({ pattern: "^[a-z]+$" }) });
    expectThrow(() => validate(schema, { id: "A1" }, "query"), "InvalidValue", {
      path: "query.id",
      expected: "text that matches ^[a-z]+$",
      given: "A1",
    });
  });

  it("gives back the value itself", () => {
    expect(validate(purchaseRequestSchema, PURCHASE, "body")).to.equal(PURCHASE);
  });
});
