import { expect } from "chai";
import {
  CLIENT_ERRORS,
  clientError,
  errorFromWire,
  hasCode,
  messageOf,
  type ClientErrorCode,
} from "../../client/errors";
import { HUB_ERRORS } from "../../protocol";
import { CodedError } from "../../protocol/coded-error";
import { ERRORS } from "../../protocol/errors";

describe("client errors", () => {
  const codes = Object.keys(CLIENT_ERRORS) as ClientErrorCode[];

  for (const code of codes) {
    it(`${code} says what happened, why, and what to do`, () => {
      // A detail that is a text, a number or a list, as its sentence needs it.
      const details = new Proxy({}, { get: (_, name) => [`‹${String(name)}›`] }) as never;
      const error = clientError(code, details, new Error("the cause"));
      expect(error).to.be.instanceOf(CodedError).and.include({ code });
      expect(error.message)
        .to.match(/^\S.+\. Why: \S.+\. What to do: \S.+\.$/s)
        .and.not.include("undefined");
      expect((error.cause as Error).message).to.equal("the cause");
    });
  }

  it("have codes of their own, beside those of hub and protocol", () => {
    const others = new Set([...Object.keys(HUB_ERRORS), ...Object.keys(ERRORS)]);
    expect(codes.filter((code) => others.has(code))).to.deep.equal([]);
  });

  it("come from the wire with the hub's code, sentence and details", () => {
    const error = errorFromWire({ code: "LinkTaken", message: "It is taken.", details: { link: "0x1" } });
    expect(error).to.be.instanceOf(CodedError).and.include({ code: "LinkTaken", message: "It is taken." });
    expect(error.details).to.deep.equal({ link: "0x1" });
    for (const details of [undefined, null, "text", 5]) {
      expect(errorFromWire({ code: "NotFound", message: "No.", details }).details).to.deep.equal({});
    }
  });

  it("are told apart by code", () => {
    const error = clientError("Stopped", {});
    expect([hasCode(error), hasCode(error, "NoSigner", "Stopped"), hasCode(error, "NoSigner")]).to.deep.equal([
      ...[true, true, false],
    ]);
    expect(hasCode(new Error("Stopped"), "Stopped")).to.be.false;
    expect([messageOf(new Error("a")), messageOf("b"), messageOf(undefined)]).to.deep.equal(["a", "b", "undefined"]);
  });
});
