import { expect } from "chai";
import { keccak256, solidityPacked, toUtf8Bytes } from "ethers";
import fc from "fast-check";
import { paymentIdOf } from "../../protocol";
import { address, purchaseId } from "./arbitraries";
import { PAYEE, USER } from "./fixtures";

describe("paymentIdOf", () => {
  it("H-18: is scoped to the payer: nobody can take the ids of somebody else's purchase", () => {
    expect(paymentIdOf(USER.address, "a", 0)).not.to.equal(paymentIdOf(PAYEE.address, "a", 0));
  });

  it("tells purchases, and payments of one purchase, apart", () => {
    const ids = ["a", "b", "a0", ""].flatMap((id) => [0, 1, 255].map((index) => paymentIdOf(USER.address, id, index)));
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it("is the hash of payer, hashed purchase id and index, so that no two divisions of the text meet", () => {
    fc.assert(
      fc.property(address, purchaseId, fc.nat(255), (payer, id, index) => {
        const packed = solidityPacked(["address", "bytes32", "uint8"], [payer, keccak256(toUtf8Bytes(id)), index]);
        expect(paymentIdOf(payer, id, index)).to.equal(keccak256(packed));
      }),
    );
  });
});
