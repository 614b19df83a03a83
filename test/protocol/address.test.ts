import { expect } from "chai";
import { getAddress } from "ethers";
import fc from "fast-check";
import { checksumAddress, parseAddress, parseHash, ZERO_ADDRESS, ZERO_HASH } from "../../protocol";
import * as arbitrary from "./arbitraries";
import { expectThrow } from "./fixtures";

// From EIP-55, "Test Cases".
const CHECKSUMMED = [
  "0x52908400098527886E0F7030069857D2E4169EE7",
  "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
  "0xde709f2102306220921060314715629080e2fb77",
  "0x27b1fdb04752bbc536007a920d24acb045561c26",
  "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
  "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
  "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
  "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
];

describe("address", () => {
  it("refuses a wrong checksum and names the right one", () => {
    const given = "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    const expected = "the checksum of 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    expectThrow(() => parseAddress(given, "user"), "InvalidValue", { path: "user", expected, given });
  });

  for (const given of [
    undefined,
    null,
    5,
    "",
    "0x",
    ZERO_ADDRESS.slice(2),
    `${ZERO_ADDRESS}0`,
    `0X${"0".repeat(40)}`,
  ]) {
    it(`refuses ${typeof given} ${JSON.stringify(given)}`, () => {
      expectThrow(() => parseAddress(given), "InvalidValue", { path: "address", given });
    });
  }

  it("refuses ICAP, line ends and other hex", () => {
    for (const given of ["XE7338O073KYGTWWZN0F2WZ0R8PX5ZPPZS", `${ZERO_ADDRESS}\n`, `0x${"g".repeat(40)}`]) {
      expectThrow(() => parseAddress(given), "InvalidValue", { given });
    }
  });

  for (const given of CHECKSUMMED) {
    it(`reads and shows ${given}`, () => {
      const address = parseAddress(given);
      expect(address).to.equal(given.toLowerCase());
      expect(checksumAddress(address)).to.equal(given);
    });
  }

  it("reads all three spellings of one address as one, and shows it as ethers does", () => {
    fc.assert(
      fc.property(arbitrary.address, (address) => {
        const checksummed = checksumAddress(address);
        expect(checksummed).to.equal(getAddress(address));
        const upper = `0x${address.slice(2).toUpperCase()}`;
        for (const spelling of [address, checksummed, upper]) expect(parseAddress(spelling)).to.equal(address);
      }),
    );
  });

  it("reads hashes in either case, and nothing else", () => {
    expect(parseHash(`0x${"AB".repeat(32)}`)).to.equal(`0x${"ab".repeat(32)}`);
    for (const given of [undefined, 1n, "0x", `${ZERO_HASH}0`, ZERO_HASH.slice(2), ZERO_ADDRESS]) {
      expectThrow(() => parseHash(given, "root"), "InvalidValue", { path: "root", given });
    }
  });
});
