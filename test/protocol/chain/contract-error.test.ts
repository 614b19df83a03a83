import { expect } from "chai";
import { ChannelManager__factory } from "../../../typechain-types";
import { isRevert, refusalOf } from "../../../protocol/chain/contract-error";

const manager = ChannelManager__factory.createInterface();
const data = manager.encodeErrorResult("NonceNotHigher", [7n, 5n]);

describe("refusalOf", () => {
  const places: Readonly<Record<string, unknown>> = {
    "on the error": { data },
    "in its data, as Hardhat's node has it": { code: -32603, data: { message: "…", data } },
    "in an inner error": { error: { code: 3, data } },
    "in ethers' info": { code: "CALL_EXCEPTION", data: null, info: { error: { code: -32000, data } } },
    "in its cause": new Error("failed", { cause: { data } }),
  };
  for (const [where, error] of Object.entries(places)) {
    it(`finds the contract's error ${where}`, () => {
      const refusal = refusalOf(error);
      expect(refusal.error).to.deep.include({ code: "NonceNotHigher", details: { standing: 7n, given: 5n } });
      expect(refusal.reason).to.equal(refusal.error?.message);
      expect(isRevert(error)).to.equal(true);
    });
  }

  it("writes addresses in their one spelling", () => {
    const address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    const { error } = refusalOf({ data: manager.encodeErrorResult("NotHub", [address]) });
    expect(error?.details).to.deep.equal({ caller: address.toLowerCase() });
  });

  it("survives an error that is its own cause, and anything else that was thrown", () => {
    const loop: { cause?: unknown; message: string } = { message: "loop" };
    loop.cause = loop;
    for (const thrown of [
      loop,
      undefined,
      null,
      5,
      "words",
      { data: "0x" },
      { data: "0x1234" },
      { data: "0xdeadbeef" },
    ]) {
      expect(refusalOf(thrown).error).to.equal(undefined);
    }
    expect(refusalOf("words").reason).to.equal("words");
  });
});

describe("isRevert", () => {
  it("H-9: goes by data and codes, never by words", () => {
    expect(isRevert({ code: "CALL_EXCEPTION", data: null, info: { error: { code: 3, message: "?" } } })).to.equal(true);
    expect(isRevert({ code: -32015 })).to.equal(true);
    expect(isRevert({ code: -32000, data: "0x" })).to.equal(true);
    expect(isRevert({ code: -32005, message: "execution reverted" })).to.equal(false);
    const busy = {
      code: "CALL_EXCEPTION",
      data: null,
      info: { error: { code: -32005, message: "execution reverted" } },
    };
    expect(isRevert(busy)).to.equal(false);
    expect(isRevert(new Error("revert"))).to.equal(false);
  });
});
