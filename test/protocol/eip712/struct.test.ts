import { expect } from "chai";
import { TypedDataEncoder } from "ethers";
import fc from "fast-check";
import {
  assetStateType,
  bytesToHex,
  channelStateType,
  parseAddress,
  resolutionType,
  threadPaymentType,
  threadType,
  threadUpdateType,
} from "../../../protocol";
import { defineStruct, type StructType } from "../../../protocol/eip712/struct";
import * as arbitrary from "../arbitraries";
import { channelState, expectThrow, row, thread } from "../fixtures";

const ASSET_STATE =
  "AssetState(address asset,uint128 balanceHub,uint128 balanceUser,uint128 locked,uint128 depositedHub," +
  "uint128 depositedUser,uint128 withdrawnHub,uint128 withdrawnUser)";

/** Kind, type string of the specification, random values. */
const KINDS: [StructType<never>, string, fc.Arbitrary<object>][] = [
  [assetStateType, ASSET_STATE, arbitrary.assetState],
  [
    channelStateType,
    "ChannelState(address user,uint64 session,uint64 nonce,AssetState[] assets,bytes32 threadRoot,address recipient)" +
      ASSET_STATE,
    arbitrary.channelState,
  ],
  [
    threadType,
    "Thread(bytes32 salt,address sender,address receiver,address asset,uint128 balanceSender,uint128 balanceReceiver," +
      "bool updatable,uint64 expiry,address app,bytes32 appStateHash)",
    arbitrary.thread,
  ],
  [threadPaymentType, "ThreadPayment(bytes32 threadHash,uint128 balanceReceiver)", arbitrary.threadPayment],
  [
    threadUpdateType,
    "ThreadUpdate(bytes32 threadHash,uint64 nonce,uint128 balanceReceiver,bytes32 appStateHash)",
    arbitrary.threadUpdate,
  ],
  [
    resolutionType,
    "Resolution(address channelManager,bytes32 threadHash,uint128 balanceReceiver)",
    arbitrary.resolution,
  ],
];

function hashOf(type: StructType<never>, value: object): string {
  return bytesToHex((type.hash as (value: object) => Uint8Array)(value));
}

/** ethers' own encoder, from the type string alone. */
function independentEncoder(typeString: string): TypedDataEncoder {
  const structs = [...typeString.matchAll(/(\w+)\(([^)]*)\)/g)].map(([, name, fields]) => {
    const pairs = fields!.split(",").map((field) => field.split(" "));
    return [name!, pairs.map(([type, name]) => ({ type: type!, name: name! }))] as const;
  });
  return new TypedDataEncoder(Object.fromEntries(structs.map(([name, fields]) => [name, [...fields]])));
}

describe("eip712/struct", () => {
  const misfits: [StructType<never>, object, string][] = [
    [assetStateType, row({ locked: -1n }), "AssetState.locked"],
    [assetStateType, row({ withdrawnUser: 2n ** 128n }), "AssetState.withdrawnUser"],
    [assetStateType, { ...row(), balanceHub: 5 }, "AssetState.balanceHub"],
    [assetStateType, { ...row(), balanceHub: "5" }, "AssetState.balanceHub"],
    [channelStateType, channelState({ nonce: 2n ** 64n }), "ChannelState.nonce"],
    [channelStateType, channelState({ session: -1n }), "ChannelState.session"],
    [channelStateType, { ...channelState(), assets: { length: 0 } }, "ChannelState.assets"],
    [channelStateType, { ...channelState(), recipient: undefined }, "ChannelState.recipient"],
    [channelStateType, { ...channelState(), threadRoot: "0x00" }, "ChannelState.threadRoot"],
    [threadType, { ...thread(), updatable: 1 }, "Thread.updatable"],
    [threadType, { ...thread(), sender: `0x${"AB".repeat(20)}` }, "Thread.sender"],
  ];
  for (const [type, value, path] of misfits) {
    it(`refuses a value that does not fit ${path}`, () => {
      expectThrow(() => hashOf(type, value), "InvalidValue", { path });
    });
  }

  it("forgets a value it refused", () => {
    const good = hashOf(threadType, thread());
    expectThrow(() => hashOf(threadType, thread({ salt: `0x${"ff".repeat(32)}`, expiry: -1n })), "InvalidValue");
    expect(hashOf(threadType, thread())).to.equal(good);
  });

  for (const [type, typeString, values] of KINDS) {
    it(`signs ${type.name} as the specification writes it`, () => {
      expect(type.typeString).to.equal(typeString);
      expect(new TypedDataEncoder(mutable(type)).encodeType(type.name)).to.equal(typeString);
    });

    it(`hashes thousands of ${type.name} values as ethers does`, () => {
      const independent = independentEncoder(typeString);
      const property = fc.property(values, (value) => {
        expect(hashOf(type, value)).to.equal(independent.hashStruct(type.name, value));
      });
      fc.assert(property, { numRuns: type.name === "ChannelState" ? 1_000 : 2_000 });
    });
  }

  it("hashes texts and 256-bit integers, for domains", () => {
    interface Sample {
      readonly text: string;
      readonly wide: bigint;
    }
    const type = defineStruct<Sample>("Sample", { text: "string", wide: "uint256" });
    const independent = independentEncoder("Sample(string text,uint256 wide)");
    const value = fc.record({ text: fc.string({ unit: "grapheme" }), wide: fc.bigInt(0n, 2n ** 256n - 1n) });
    fc.assert(
      fc.property(value, (sample) => {
        expect(bytesToHex(type.hash(sample))).to.equal(independent.hashStruct("Sample", sample));
      }),
    );
    for (const wide of [-1n, 2n ** 256n]) expectThrow(() => type.hash({ text: "", wide }), "InvalidValue");
    expectThrow(() => type.hash({ text: 5 as never, wide: 0n }), "InvalidValue", { path: "Sample.text" });
  });

  it("N-8, A-11: terms that differ in any field have different hashes", () => {
    const other = { ...thread(), salt: `0x${"01".repeat(32)}`, sender: parseAddress(`0x${"01".repeat(20)}`) };
    const changes = {
      ...{ salt: other.salt, sender: other.sender, receiver: other.sender, asset: other.sender, app: other.sender },
      ...{ balanceSender: 91n, balanceReceiver: 11n, updatable: true, expiry: 1n, appStateHash: other.salt },
    };
    const variants = Object.entries(changes).map(([name, value]) => ({ ...thread(), [name]: value }));
    expect(variants).to.have.length(threadType.fields.length);
    const hashes = [thread(), ...variants].map((terms) => hashOf(threadType, terms));
    expect(new Set(hashes).size).to.equal(hashes.length);
  });
});

function mutable(type: StructType<never>): Record<string, { name: string; type: string }[]> {
  return Object.fromEntries(Object.entries(type.types).map(([name, fields]) => [name, [...fields]]));
}
