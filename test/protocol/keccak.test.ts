import { keccak_256 as pureKeccak } from "@noble/hashes/sha3.js";
import { expect } from "chai";
import { id, keccak256 as ethersKeccak } from "ethers";
import fc from "fast-check";
import { bytesToHex } from "../../protocol";
import { keccak256, keccakChosen, keccakOfText } from "../../protocol/keccak";

describe("keccak", () => {
  it("is Ethereum's: the hash of nothing, and the selector of transfer", () => {
    expect(bytesToHex(keccak256(new Uint8Array()))).to.equal(
      "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    );
    expect(bytesToHex(keccakOfText("transfer(address,uint256)")).slice(0, 10)).to.equal("0xa9059cbb");
  });

  it("agrees with ethers, across block lengths and beyond ASCII", () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    fc.assert(fc.property(bytes, (value) => bytesToHex(keccak256(value)) === ethersKeccak(value)));
    const text = fc.string({ unit: "grapheme" });
    fc.assert(fc.property(text, (value) => bytesToHex(keccakOfText(value)) === id(value)));
  });

  it("runs on WebAssembly here, and gives what it gave before that was compiled", async () => {
    expect(await keccakChosen).to.equal("wasm");
    const bytes = fc.uint8Array({ maxLength: 600 });
    fc.assert(fc.property(bytes, (value) => bytesToHex(keccak256(value)) === bytesToHex(pureKeccak(value))));
  });

  it("gives every caller bytes of its own", async () => {
    await keccakChosen;
    const first = keccakOfText("one");
    const copy = bytesToHex(first);
    keccakOfText("two");
    expect(bytesToHex(first)).to.equal(copy);
  });
});
