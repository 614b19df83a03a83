import { expect } from "chai";
import { hashMessage, verifyMessage, Wallet } from "ethers";
import fc from "fast-check";
import {
  checksumAddress,
  formatSignIn,
  parseSignIn,
  personalDigest,
  signDigest,
  type SignInMessage,
} from "../../protocol";
import { expectCoded } from "../support/expect-coded";
import * as arbitrary from "./arbitraries";
import { USER } from "./fixtures";

const MESSAGE: SignInMessage = {
  domain: "hub.example:3000",
  address: USER.address,
  uri: "https://hub.example:3000/api/hub",
  chainId: 31337,
  nonce: "0123456789abcdef",
  issuedAt: "2026-09-21T12:00:00.000Z",
  expirationTime: "2026-09-21T12:05:00.000Z",
};
const TEXT = formatSignIn(MESSAGE);

const time = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => new Date(seconds * 1000).toISOString());
const message: fc.Arbitrary<SignInMessage> = fc.record({
  domain: fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,30}[a-z0-9])?(:[1-9][0-9]{0,3})?$/),
  address: arbitrary.address,
  uri: fc.webUrl().filter((url) => url.length <= 512),
  chainId: fc.integer({ min: 1, max: 2 ** 50 }),
  nonce: fc.stringMatching(/^[A-Za-z0-9]{8,64}$/),
  issuedAt: time,
  expirationTime: time,
});

describe("sign-in message", () => {
  describe("refuses", () => {
    const changed: [string, (text: string) => string][] = [
      ["the address in lower case", (text) => text.replace(checksumAddress(USER.address), USER.address)],
      ["another version", (text) => text.replace("Version: 1", "Version: 2")],
      ["another statement", (text) => text.replace("This moves no money", "This moves all money")],
      ["no nonce", (text) => text.replace(/Nonce: .*\n/, "")],
      ["a nonce of seven characters", (text) => text.replace(/Nonce: .*/, "Nonce: 1234567")],
      ["no expiration", (text) => text.replace(/\nExpiration Time.*/, "")],
      ["a line more", (text) => `${text}\nResources:\n- https://elsewhere.example`],
      ["a line feed at the end", (text) => `${text}\n`],
      ["Windows line ends", (text) => text.replaceAll("\n", "\r\n")],
      ["a line before", (text) => `Sign this, too.\n${text}`],
      ["chain ids with leading zeros", (text) => text.replace("Chain ID: ", "Chain ID: 0")],
      ["the fields in another order", (text) => text.replace(/(Nonce: .*)\n(Issued At: .*)/, "$2\n$1")],
    ];
    for (const [what, change] of changed) {
      it(what, async () => {
        expect(change(TEXT)).to.not.equal(TEXT);
        await expectCoded(() => parseSignIn(change(TEXT)), "InvalidValue");
      });
    }

    it("W-2: 32 bytes, which could be the hash of a state", async () => {
      await expectCoded(() => parseSignIn(`0x${"5a".repeat(32)}`), "InvalidValue");
      await expectCoded(() => parseSignIn("Z".repeat(32)), "InvalidValue");
    });

    it("to write parts that would change the form", async () => {
      for (const part of [
        { domain: "a b" },
        { uri: "https://a\nNonce: 12345678" },
        { nonce: "short" },
        { issuedAt: "now" },
      ]) {
        await expectCoded(() => formatSignIn({ ...MESSAGE, ...part }), "InvalidValue");
      }
    });
  });

  it("is the text of EIP-4361", () => {
    expect(TEXT.split("\n")).to.deep.equal([
      "hub.example:3000 wants you to sign in with your Ethereum account:",
      checksumAddress(USER.address),
      "",
      "Sign in to this payment hub. This moves no money and signs no payment.",
      "",
      "URI: https://hub.example:3000/api/hub",
      "Version: 1",
      "Chain ID: 31337",
      "Nonce: 0123456789abcdef",
      "Issued At: 2026-09-21T12:00:00.000Z",
      "Expiration Time: 2026-09-21T12:05:00.000Z",
    ]);
  });

  it("reads what it writes, and one text alone for each message", () => {
    fc.assert(
      fc.property(message, (each) => {
        const text = formatSignIn(each);
        expect(parseSignIn(text)).to.deep.equal(each);
        expect(formatSignIn(parseSignIn(text))).to.equal(text);
      }),
    );
  });
});

describe("personalDigest", () => {
  it("W-2: is what every wallet signs of a text, so never the digest of a typed statement", () => {
    expect(personalDigest("hello")).to.equal("0x50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(personalDigest(text)).to.equal(hashMessage(text));
      }),
    );
  });

  it("is signed by a wallet as by this toolkit", async () => {
    const wallet = new Wallet(`0x${Buffer.from(USER.key).toString("hex")}`);
    const signature = signDigest(personalDigest(TEXT), USER.key);
    expect(await wallet.signMessage(TEXT)).to.equal(signature);
    expect(verifyMessage(TEXT, signature).toLowerCase()).to.equal(USER.address);
  });
});
