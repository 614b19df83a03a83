import { expect } from "chai";
import type { TObject } from "typebox";
import { ERRORS, HUB_ERRORS, hubError, isHubError, OPERATIONS, statusOf, type Operation } from "../../../protocol";

const ALL = Object.entries(OPERATIONS) as [string, Operation][];

describe("operations", () => {
  it("have one route each", () => {
    const routes = ALL.map(([, { method, path }]) => `${method} ${path.replace(/:\w+/g, ":x")}`);
    expect(new Set(routes).size).to.equal(routes.length);
  });

  for (const [name, { method, path, params, query, body }] of ALL) {
    it(`${name} describes the parameters of its path, and carries a body only where one is posted`, () => {
      const named = [...path.matchAll(/:(\w+)/g)].map(([, parameter]) => parameter);
      expect(Object.keys((params as TObject | undefined)?.properties ?? {})).to.deep.equal(named);
      if (method === "GET") expect(body).to.equal(undefined);
      else expect(query).to.equal(undefined);
    });
  }

  it("H-4: are closed to others unless they say otherwise, and what changes a channel is its owner's", () => {
    const open = ALL.filter(([, { access }]) => access === "public").map(([name]) => name);
    expect(open.sort()).to.deep.equal(
      [
        ...["answerChallenge", "createChallenge", "getAuthStatus", "getConfig", "getExchangeRates", "getGasPrice"],
        "getLink",
      ].sort(),
    );
    for (const [name, { method, path, access }] of ALL) {
      if (method === "POST" && path.startsWith("/channel/")) expect(access, name).to.equal("owner");
      expect(access === "admin", name).to.equal(path.startsWith("/admin/"));
      if (access === "owner") expect(path, name).to.contain(":user");
    }
  });

  for (const [name, { params, query, body, response }] of ALL) {
    it(`${name} takes and gives nothing that its schema does not name`, () => {
      for (const schema of [params, query, body, response]) {
        if (schema !== undefined) expect(schema).to.have.property("additionalProperties", false);
      }
    });
  }
});

describe("statusOf", () => {
  it("is the registry's for a hub's code, 409 for a matter of the moment, 400 for another of the protocol's", () => {
    for (const [code, { status }] of Object.entries(HUB_ERRORS)) expect(statusOf(code), code).to.equal(status);
    for (const code of ["OutOfSync", "NonceTooLow", "NotFresh"]) expect(statusOf(code), code).to.equal(409);
    for (const code of ["InvalidValue", "NonceTooHigh", "WrongAuthor"]) expect(statusOf(code), code).to.equal(400);
    expect(statusOf("KeyInUse")).to.equal(undefined);
  });

  it("has no code twice: a code says one thing", () => {
    expect(Object.keys(HUB_ERRORS).filter((code) => code in ERRORS)).to.deep.equal([]);
  });
});

describe("hubError", () => {
  it("says what, why and what to do, and is recognised", () => {
    const error = hubError("AmountTooSmall", { asset: "0x00" as never, amount: 1n, minimum: 5n });
    expect(error.message).to.equal(
      "1 of 0x00 is below the minimum of 5. Why: dust would block its payee. What to do: pay at least the minimum.",
    );
    expect(isHubError(error, "AmountTooSmall")).to.equal(true);
    expect(isHubError(error, "NotFound")).to.equal(false);
    expect(isHubError(new Error("AmountTooSmall"), "AmountTooSmall")).to.equal(false);
  });
});
