import { expect } from "chai";
import fc from "fast-check";
import { bytesToHex, hexToBytes, writeHex, ZERO_HASH } from "../../protocol";
import { expectThrow } from "./fixtures";

describe("hex", () => {
  const bad: [string, unknown][] = [
    ["upper-case digits", "0xAB"],
    ["half a byte", "0xa"],
    ["another prefix", "0Xab"],
    ["no prefix", "abcd"],
    ["a letter that is no digit", "0x0g"],
    ["a letter beyond ASCII", "0x0\u0660"],
    ["one character", "0"],
    ["nothing", ""],
  ];
  for (const [what, given] of bad) {
    it(`refuses ${what}`, () => {
      expectThrow(() => hexToBytes(given as string), "InvalidValue", { path: "hex", given });
    });
  }

  for (const given of [undefined, null, 7n, 1, {}, new Uint8Array(2)]) {
    it(`refuses what is no text: ${typeof given}`, () => {
      expectThrow(() => writeHex(new Uint8Array(2), 0, 2, given, "Thread.salt"), "InvalidValue", {
        path: "Thread.salt",
        expected: "0x and 2 bytes in lower-case hex",
        given,
      });
    });
  }

  it("refuses another number of bytes than asked for", () => {
    for (const given of ["0x", "0x00", "0x000000"]) {
      expectThrow(() => writeHex(new Uint8Array(9), 0, 2, given, "p"), "InvalidValue", { given });
    }
  });

  it("gives back what it was given, in Node's own spelling", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const hex = bytesToHex(bytes);
        expect(hex).to.equal(`0x${Buffer.from(bytes).toString("hex")}`);
        expect(hexToBytes(hex)).to.deep.equal(bytes);
      }),
    );
  });

  it("writes between its neighbours and leaves them alone", () => {
    const target = new Uint8Array(6).fill(0xee);
    writeHex(target, 2, 3, "0x010203", "p");
    expect(bytesToHex(target)).to.equal("0xeeee010203ee");
  });

  it("has a zero of 32 bytes", () => {
    expect(hexToBytes(ZERO_HASH)).to.deep.equal(new Uint8Array(32));
  });
});
