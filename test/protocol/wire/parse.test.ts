import { expect } from "chai";
import { Compile } from "typebox/compile";
import { parseSignature, parseUint, signatureSchema, UINT256_MAX, UINT64_MAX } from "../../../protocol";
import { expectThrow, signThread, thread, USER } from "../fixtures";

const SIGNATURE = signThread(thread(), USER);

describe("wire/parse", () => {
  it("reads signatures of 65 and 64 bytes, in either case", () => {
    const compact = SIGNATURE.slice(0, -2);
    expect(parseSignature(SIGNATURE.toUpperCase().replace("X", "x"))).to.equal(SIGNATURE);
    expect(parseSignature(compact)).to.equal(compact);
  });

  for (const given of [
    undefined,
    5,
    "",
    "0x",
    `${SIGNATURE}0`,
    `${SIGNATURE}00`,
    SIGNATURE.slice(2),
    `${SIGNATURE}\n`,
  ]) {
    it(`refuses ${String(given).slice(-8) || "nothing"} as a signature`, () => {
      expectThrow(() => parseSignature(given, "sigUser"), "InvalidValue", { path: "sigUser", given });
      expect(Compile(signatureSchema).Check(given)).to.equal(false);
    });
  }

  it("reads integers up to their limit", () => {
    expect(parseUint("0", UINT64_MAX, "p")).to.equal(0n);
    expect(parseUint("18446744073709551615", UINT64_MAX, "p")).to.equal(UINT64_MAX);
    expect(parseUint(`${UINT256_MAX}`, UINT256_MAX, "p")).to.equal(UINT256_MAX);
    expectThrow(() => parseUint("18446744073709551616", UINT64_MAX, "amount"), "InvalidValue", {
      path: "amount",
      expected: "a decimal string from 0 to 18446744073709551615",
    });
  });
});
