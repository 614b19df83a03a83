import { expect } from "chai";
import { hexlify, Signature as EthersSignature, SigningKey, verifyMessage, Wallet } from "ethers";
import fc from "fast-check";
import {
  addressOfPrivateKey,
  bytesToHex,
  isProtocolError,
  hexToBytes,
  recoverAddress,
  signDigest,
  toCompactSignature,
  ZERO_ADDRESS,
  ZERO_HASH,
  type Hash,
  type ProtocolError,
  type Signature,
} from "../../protocol";
import * as arbitrary from "./arbitraries";
import { expectError, expectThrow, HUB, tampered, USER } from "./fixtures";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const DIGEST: Hash = `0x${"5a".repeat(32)}`;
const GOOD = signDigest(DIGEST, USER.key);

function word(value: bigint): string {
  return value.toString(16).padStart(64, "0");
}

/** The second signature of the same key and digest that plain ECDSA would accept: s mirrored, v flipped. */
function mirrored(signature: Signature): Signature {
  const { r, s, v } = EthersSignature.from(signature);
  return `0x${r.slice(2)}${word(ORDER - BigInt(s))}${v === 27 ? "1c" : "1b"}`;
}

describe("signature", () => {
  describe("sig: refuses", () => {
    const malformed: [string, Signature, RegExp][] = [
      ["high s", mirrored(GOOD), /above half the order/],
      ["the lowest high s", `0x${word(1n)}${word((ORDER + 1n) / 2n)}1b`, /above half the order/],
      ["v 0", tampered(GOOD, (bytes) => (bytes[64] = 0)), /v is 0/],
      ["v 1", tampered(GOOD, (bytes) => (bytes[64] = 1)), /v is 1/],
      ["v 26", tampered(GOOD, (bytes) => (bytes[64] = 26)), /v is 26/],
      ["v 29", tampered(GOOD, (bytes) => (bytes[64] = 29)), /v is 29/],
      ["v 255", tampered(GOOD, (bytes) => (bytes[64] = 255)), /v is 255/],
      ["63 bytes", GOOD.slice(0, 2 + 126) as Signature, /63 bytes/],
      ["66 bytes", `${GOOD}00`, /66 bytes/],
      ["no bytes", "0x", /0 bytes/],
      ["half a byte", `${GOOD}0`, /not lower-case hex/],
      ["text in hex, twice encoded", `0x${Buffer.from(GOOD).toString("hex")}`, /132 bytes/],
      ["another prefix", `1x${GOOD.slice(2)}` as Signature, /not lower-case hex/],
      ["no prefix", GOOD.slice(2) as Signature, /not lower-case hex/],
      ["upper case", GOOD.toUpperCase().replace("X", "x") as Signature, /not lower-case hex/],
      ["zero", `0x${"00".repeat(64)}1b`, /no public key/],
      ["zero, compact", `0x${"00".repeat(64)}`, /no public key/],
      ["r zero", `0x${word(0n)}${word(1n)}1b`, /no public key/],
      ["s zero", `0x${word(1n)}${word(0n)}1b`, /no public key/],
      ["r at the order", `0x${word(ORDER)}${word(1n)}1b`, /no public key/],
      ["r that is no x of the curve", `0x${word(5n)}${word(1n)}1b`, /no public key/],
    ];
    for (const [what, signature, reason] of malformed) {
      it(what, () => {
        const error = thrownBy(() => recoverAddress(DIGEST, signature));
        expectError(error, "MalformedSignature");
        expect(error.message).to.match(reason);
      });
    }

    it("compact forms with high s", () => {
      const highS = `0x${word(1n)}${word((ORDER + 1n) / 2n)}` as Signature;
      expectThrow(() => recoverAddress(DIGEST, highS), "MalformedSignature");
    });

    for (const digest of ["0x", "0x00", `${ZERO_HASH}00`] as Hash[]) {
      it(`a digest of ${(digest.length - 2) / 2} bytes`, () => {
        expectThrow(() => signDigest(digest, USER.key), "InvalidValue", { path: "digest" });
        expectThrow(() => recoverAddress(digest, GOOD), "MalformedSignature");
      });
    }
  });

  const badKeys: [string, unknown][] = [
    ["zero", new Uint8Array(32)],
    ["the order", hexToBytes(`0x${word(ORDER)}`)],
    ["31 bytes", new Uint8Array(31).fill(1)],
    ["33 bytes", new Uint8Array(33).fill(1)],
    ["text", hexlify(USER.key)],
  ];
  for (const [what, key] of badKeys) {
    it(`refuses a private key that is ${what}, and does not show it`, () => {
      for (const use of [() => signDigest(DIGEST, key as Uint8Array), () => addressOfPrivateKey(key as Uint8Array)]) {
        const error = thrownBy(use);
        expectError(error, "InvalidPrivateKey");
        expect(error.details).to.deep.equal({});
        expect(error.cause).to.equal(undefined);
      }
    });
  }

  it("is ethers' signature and ethers' account, both ways", () => {
    fc.assert(
      fc.property(arbitrary.hash, arbitrary.privateKey, (digest, key) => {
        const theirs = new SigningKey(key).sign(digest);
        const wallet = new Wallet(hexlify(key));
        expect(addressOfPrivateKey(key)).to.equal(wallet.address.toLowerCase());
        const ours = signDigest(digest, key);
        expect(ours).to.equal(theirs.serialized);
        expect(recoverAddress(digest, ours)).to.equal(wallet.address.toLowerCase());
        expect(toCompactSignature(ours)).to.equal(theirs.compactSerialized);
        expect(recoverAddress(digest, toCompactSignature(ours))).to.equal(wallet.address.toLowerCase());
      }),
      { numRuns: 60 },
    );
  });

  it("makes the compact form of both forms", () => {
    const compact = toCompactSignature(GOOD);
    expect(compact).to.have.length(2 + 128);
    expect(toCompactSignature(compact)).to.equal(compact);
    expectThrow(() => toCompactSignature(mirrored(GOOD)), "MalformedSignature");
  });

  it("sig: never answers with the zero address, whatever the bytes", () => {
    fc.assert(
      fc.property(arbitrary.hash, fc.uint8Array({ minLength: 60, maxLength: 70 }), (digest, bytes) => {
        const recovered = recovery(digest, bytesToHex(bytes));
        expect(recovered).not.to.equal(ZERO_ADDRESS);
      }),
      { numRuns: 300 },
    );
  });

  it("sig: a changed bit gives somebody else or nobody", () => {
    fc.assert(
      fc.property(fc.nat(64 * 8 - 1), (bit) => {
        const changed = tampered(GOOD, (bytes) => (bytes[bit >> 3]! ^= 1 << (bit & 7)));
        expect(recovery(DIGEST, changed)).not.to.equal(USER.address);
      }),
    );
  });

  it("sig: a personal message is no statement", async () => {
    const signature = (await new Wallet(hexlify(USER.key)).signMessage(hexToBytes(DIGEST))) as Signature;
    expect(verifyMessage(hexToBytes(DIGEST), signature).toLowerCase()).to.equal(USER.address);
    expect(recoverAddress(DIGEST, signature)).not.to.equal(USER.address);
  });

  it("is the same each time, and another for another key or digest", () => {
    expect(signDigest(DIGEST, USER.key)).to.equal(GOOD);
    expect(signDigest(DIGEST, HUB.key)).not.to.equal(GOOD);
    expect(signDigest(ZERO_HASH, USER.key)).not.to.equal(GOOD);
  });
});

function recovery(digest: Hash, signature: Signature): string {
  try {
    return recoverAddress(digest, signature);
  } catch (error) {
    expectError(error, "MalformedSignature");
    return "nobody";
  }
}

function thrownBy(call: () => unknown): ProtocolError {
  try {
    call();
  } catch (error) {
    if (isProtocolError(error)) return error;
  }
  throw new Error("expected a CodedError");
}
