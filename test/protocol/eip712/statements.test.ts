import { expect } from "chai";
import { TypedDataEncoder, Wallet, hexlify, type TypedDataField } from "ethers";
import fc from "fast-check";
import {
  checkSignature,
  digestOf,
  hashExchangeQuote,
  hashReceipt,
  hashRedeemLink,
  type Hash,
  type Signature,
} from "../../../protocol";
import { exchangeQuoteType, receiptType, redeemLinkType } from "../../../protocol/eip712/statements";
import * as arbitrary from "../arbitraries";
import { DOMAIN, USER } from "../fixtures";

/** Statements that only hub and users read. What the contract reads is compared in test/contracts/hash-parity.test.ts. */
interface Kind {
  readonly name: string;
  readonly typeString: string;
  readonly fields: string;
  readonly ours: (value: never) => Hash;
  readonly values: fc.Arbitrary<object>;
}

const KINDS: readonly Kind[] = [
  {
    name: "ExchangeQuote",
    typeString: exchangeQuoteType.typeString,
    fields:
      "bytes32 quoteId,address user,address sellAsset,uint128 sellAmount,address buyAsset,uint128 buyAmount," +
      "uint128 rate,uint64 expiresAt",
    ours: hashExchangeQuote,
    values: arbitrary.exchangeQuote,
  },
  {
    name: "Receipt",
    typeString: receiptType.typeString,
    fields:
      "string purchaseId,bytes32 paymentId,address payer,address payee,address asset,uint128 amount,uint64 payeeNonce",
    ours: hashReceipt,
    values: arbitrary.receipt,
  },
  {
    name: "RedeemLink",
    typeString: redeemLinkType.typeString,
    fields: "address link,address redeemer",
    ours: hashRedeemLink,
    values: arbitrary.redeemLink,
  },
];

function typesOf({ name, fields }: Kind): Record<string, TypedDataField[]> {
  const list = fields.split(",").map((field) => {
    const [type = "", fieldName = ""] = field.split(" ");
    return { type, name: fieldName };
  });
  return { [name]: list };
}

describe("eip712/statements", () => {
  for (const kind of KINDS) {
    const { name, typeString, fields, ours, values } = kind;

    it(`${name} has the type that docs/protocol.md names`, () => {
      expect(typeString).to.equal(`${name}(${fields})`);
    });

    it(`hashes every ${name} as ethers does`, () => {
      fc.assert(
        fc.property(values, (value) => {
          const record = value as Record<string, unknown>;
          expect(ours(value as never)).to.equal(TypedDataEncoder.hashStruct(name, typesOf(kind), record));
          const digest = TypedDataEncoder.hash({ ...DOMAIN }, typesOf(kind), record);
          expect(digestOf(DOMAIN, ours(value as never))).to.equal(digest);
        }),
      );
    });

    it(`takes a wallet's signature of a ${name}`, async () => {
      const wallet = new Wallet(hexlify(USER.key));
      const [value] = fc.sample(values, { numRuns: 1, seed: 7 }) as Record<string, unknown>[];
      const signature = (await wallet.signTypedData({ ...DOMAIN }, typesOf(kind), value!)) as Signature;
      expect(checkSignature(USER.address, ours(value as never), signature, DOMAIN)).to.equal(undefined);
    });
  }
});
