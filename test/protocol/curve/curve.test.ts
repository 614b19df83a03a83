import { expect } from "chai";
import fc from "fast-check";
import { curve as chosen } from "#curve";
import { curve as native } from "../../../protocol/curve/native";
import { curve as pure } from "../../../protocol/curve/pure";
import * as arbitrary from "../arbitraries";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const HALF_ORDER = ORDER >> 1n;

function bytes(value: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex"));
}

function toBigInt(value: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(value).toString("hex")}`);
}

/** Digests that ECDSA takes modulo the order, and their neighbours. */
const EDGES = [0n, 1n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n, 2n ** 256n - 2n ** 128n];

describe("curve", () => {
  before(function () {
    // Without the binding native.ts is pure.ts, and there is nothing to compare.
    if (native.name !== "native") this.skip();
  });

  it("is the native one on Node", () => {
    expect(chosen).to.equal(native);
    expect(pure.name).to.equal("pure");
  });

  it("signs and recovers identically, native and pure", () => {
    fc.assert(
      fc.property(arbitrary.bytes32, arbitrary.privateKey, (digest, key) => expectSame(digest, key)),
      { numRuns: 150 },
    );
  });

  for (const edge of EDGES) {
    it(`agrees on digest 0x${edge.toString(16).padStart(64, "0").slice(0, 40)}…`, () => {
      for (const key of [1n, 2n, HALF_ORDER, ORDER - 1n]) expectSame(bytes(edge), bytes(key));
    });
  }

  it("follows RFC 6979: known answers for SHA-256 on secp256k1", () => {
    // Published by Trezor and used across Bitcoin libraries: key 1, SHA-256 of the text.
    const digest = Uint8Array.from(
      Buffer.from("a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e", "hex"), // "Satoshi Nakamoto"
    );
    const { signature } = chosen.sign(digest, bytes(1n));
    expect(Buffer.from(signature).toString("hex")).to.equal(
      "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8" +
        "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5",
    );
  });

  for (const curve of [native, pure]) {
    for (const [what, key] of [
      ["zero", 0n],
      ["the order", ORDER],
      ["above the order", 2n ** 256n - 1n],
    ] as const) {
      it(`refuses private key ${what} (${curve.name})`, () => {
        expect(() => curve.sign(bytes(1n), bytes(key))).to.throw();
        expect(() => curve.publicKeyOf(bytes(key))).to.throw();
      });
    }
  }

  it("fails on the same r and s, native and pure", () => {
    const r = fc.constantFrom(0n, 1n, 5n, ORDER - 1n, ORDER, 2n ** 256n - 1n);
    const s = fc.constantFrom(0n, 1n, HALF_ORDER, ORDER - 1n, ORDER);
    fc.assert(
      fc.property(
        fc.oneof(r, fc.bigInt(0n, 2n ** 256n - 1n)),
        s,
        fc.nat(1),
        arbitrary.bytes32,
        (r, s, recovery, digest) => {
          const signature = Uint8Array.from([...bytes(r), ...bytes(s)]);
          const [a, b] = [native, pure].map((curve) => attempt(() => curve.recover(digest, signature, recovery)));
          expect(a).to.deep.equal(b);
        },
      ),
      { numRuns: 200 },
    );
  });
});

function expectSame(digest: Uint8Array, key: Uint8Array): void {
  const [a, b] = [native.sign(digest, key), pure.sign(digest, key)];
  expect(Uint8Array.from(a.signature)).to.deep.equal(Uint8Array.from(b.signature));
  expect(a.recovery).to.equal(b.recovery);
  expect(toBigInt(a.signature.subarray(32)) <= HALF_ORDER).to.equal(true);
  for (const curve of [native, pure]) {
    const publicKey = Uint8Array.from(curve.publicKeyOf(key));
    expect(publicKey).to.have.length(65);
    expect(Uint8Array.from(native.recover(digest, a.signature, a.recovery))).to.deep.equal(publicKey);
    expect(Uint8Array.from(pure.recover(digest, a.signature, a.recovery))).to.deep.equal(publicKey);
  }
}

function attempt(call: () => Uint8Array): Uint8Array | "failed" {
  try {
    return Uint8Array.from(call());
  } catch {
    return "failed";
  }
}
