import { expect } from "chai";
import { TypedDataEncoder } from "ethers";
import {
  bytesToHex,
  channelManagerDomain,
  checksumAddress,
  digestOf,
  domainSeparator,
  hashThread,
  signedAppDomain,
  ZERO_HASH,
} from "../../../protocol";
import { APP, CONTRACT, DOMAIN, expectThrow, thread } from "../fixtures";

describe("eip712/domain", () => {
  for (const chainId of [0n, -1n, 2n ** 53n, 1 as never, "1" as never]) {
    it(`refuses chain id ${String(chainId)} (${typeof chainId})`, () => {
      expectThrow(() => channelManagerDomain(chainId, CONTRACT), "InvalidValue", { path: "chainId", given: chainId });
    });
  }

  it("refuses what is no address", () => {
    expectThrow(() => channelManagerDomain(1n, "0x00"), "InvalidValue", { path: "verifyingContract" });
  });

  it("refuses a struct hash that is not 32 bytes", () => {
    expectThrow(() => digestOf(DOMAIN, "0x00"), "InvalidValue", { path: "structHash" });
  });

  it("names contract and app as the contracts do", () => {
    const common = { version: "1", chainId: 5n };
    expect(channelManagerDomain(5n, checksumAddress(CONTRACT))).to.deep.equal({
      ...{ name: "ChannelManager", verifyingContract: CONTRACT },
      ...common,
    });
    expect(signedAppDomain(5n, APP)).to.deep.equal({ name: "SignedApp", verifyingContract: APP, ...common });
  });

  it("has the separator and the digest that ethers computes", () => {
    for (const domain of [DOMAIN, channelManagerDomain(2n ** 53n - 1n, APP), signedAppDomain(1n, APP)]) {
      expect(bytesToHex(domainSeparator(domain))).to.equal(TypedDataEncoder.hashDomain({ ...domain }));
    }
    const types = {
      ThreadPayment: [
        { name: "threadHash", type: "bytes32" },
        { name: "balanceReceiver", type: "uint128" },
      ],
    };
    const payment = { threadHash: ZERO_HASH, balanceReceiver: 5n };
    const structHash = new TypedDataEncoder(types).hash(payment) as `0x${string}`;
    expect(digestOf(DOMAIN, structHash)).to.equal(TypedDataEncoder.hash({ ...DOMAIN }, types, payment));
  });

  it("does not remember the separator of a domain that can still change", () => {
    const changing = { ...DOMAIN };
    const before = bytesToHex(domainSeparator(changing));
    changing.chainId = 1n;
    expect(bytesToHex(domainSeparator(changing))).not.to.equal(before);
    expect(bytesToHex(domainSeparator(changing))).to.equal(TypedDataEncoder.hashDomain(changing));
  });

  it("sig: another chain, contract, name or version gives another digest", () => {
    const structHash = hashThread(thread());
    const domains = [
      DOMAIN,
      { ...DOMAIN, chainId: 1n },
      { ...DOMAIN, verifyingContract: APP },
      { ...DOMAIN, name: "SignedApp" },
      { ...DOMAIN, version: "2" },
    ];
    expect(new Set(domains.map((domain) => digestOf(domain, structHash))).size).to.equal(domains.length);
  });
});
