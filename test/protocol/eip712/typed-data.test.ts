import { expect } from "chai";
import { hexlify, TypedDataEncoder, Wallet } from "ethers";
import fc from "fast-check";
import {
  channelStateType,
  checkSignature,
  digestOf,
  hashState,
  hashThread,
  threadType,
  typedDataJson,
  typedDataOf,
} from "../../../protocol";
import * as arbitrary from "../arbitraries";
import { channelState, DOMAIN, signThread, thread, USER } from "../fixtures";

describe("eip712/typed data", () => {
  it("is what a wallet library signs, with the signature that signDigest makes", async () => {
    const { domain, types, message } = typedDataOf(threadType, DOMAIN, thread());
    const wallet = new Wallet(hexlify(USER.key));
    const signature = await wallet.signTypedData({ ...domain }, copy(types), message);
    expect(signature).to.equal(signThread(thread(), USER));
    expect(checkSignature(USER.address, hashThread(thread()), signature as `0x${string}`, DOMAIN)).to.equal(undefined);
  });

  it("survives JSON: what eth_signTypedData_v4 gets has the digest of the value", () => {
    fc.assert(
      fc.property(arbitrary.channelState, (state) => {
        const request = JSON.parse(JSON.stringify(typedDataJson(channelStateType, DOMAIN, state))) as ReturnType<
          typeof typedDataJson<typeof state>
        >;
        expect(request.primaryType).to.equal("ChannelState");
        expect(request.domain).to.deep.equal({ ...DOMAIN, chainId: 31337 });
        const { EIP712Domain: domainFields, ...types } = request.types;
        expect(domainFields?.map(({ name }) => name)).to.deep.equal([
          "name",
          "version",
          "chainId",
          "verifyingContract",
        ]);
        const digest = TypedDataEncoder.hash({ ...request.domain }, copy(types), request.message);
        expect(digest).to.equal(digestOf(DOMAIN, hashState(state)));
      }),
      { numRuns: 30 },
    );
  });

  it("holds integers as bigint for libraries, as text for JSON", () => {
    expect(typedDataOf(channelStateType, DOMAIN, channelState()).message.nonce).to.equal(7n);
    expect(typedDataJson(channelStateType, DOMAIN, channelState()).message.nonce).to.equal("7");
  });
});

function copy(
  types: Readonly<Record<string, readonly { name: string; type: string }[]>>,
): Record<string, { name: string; type: string }[]> {
  return Object.fromEntries(Object.entries(types).map(([name, fields]) => [name, [...fields]]));
}
