import { expect } from "chai";
import type { Deployed } from "../../../tasks/deploy/deploy";
import { verifySources, type VerifyRequest } from "../../../tasks/deploy/verify";
import { scriptedTerminal } from "../../support/deployment";
import { expectCoded } from "../../support/expect-coded";

const entry = (address: string): object => ({ address });

const DEPLOYED = {
  book: { contracts: { ChannelManager: entry("0xaa"), HashlockApp: entry("0xbb") } },
  parameters: { hub: "0x01", treasury: "0x02", challengePeriodSeconds: 86_400 },
} as unknown as Deployed;

describe("verifySources", () => {
  it("sends every deployed contract with what it was constructed with", async () => {
    const requests: VerifyRequest[] = [];
    await verifySources(DEPLOYED, scriptedTerminal(), (request) => Promise.resolve(requests.push(request)));
    expect(requests).to.deep.equal([
      { address: "0xaa", constructorArguments: ["0x01", "0x02", 86_400] },
      { address: "0xbb", constructorArguments: [] },
    ]);
  });

  it("names the contract whose sources were not accepted, and keeps what is deployed", async () => {
    const verify = ({ address }: VerifyRequest): Promise<unknown> =>
      address === "0xbb" ? Promise.reject(new Error("not indexed yet")) : Promise.resolve();
    const { details } = await expectCoded(verifySources(DEPLOYED, scriptedTerminal(), verify), "VerificationFailed");
    expect(details).to.deep.equal({ name: "HashlockApp", address: "0xbb", reason: "not indexed yet" });
  });
});
