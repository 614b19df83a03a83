import { expect } from "chai";
import { ethers } from "hardhat";
import { AbiCoder } from "ethers";
import fc from "fast-check";
import {
  bytesToHex,
  channelManagerDomain,
  hashlockOf,
  parseAddress,
  resolveHashlock,
  resolveSigned,
  signedAppState,
  signOutcome,
  threadSum,
  ZERO_ADDRESS,
  type Domain,
  type Hex,
  type Thread,
} from "../../../protocol";
import { HashlockApp__factory, SignedApp__factory, type HashlockApp, type SignedApp } from "../../../typechain-types";
import { PAYEE, party, USER } from "../fixtures";

const ARBITER = party(0x55);

/** What the contract answers; nothing where it reverts. The caller stands for the ChannelManager. */
async function onChain(
  app: HashlockApp | SignedApp,
  thread: Thread,
  appState: Hex,
  resolver: Hex,
  from: string,
): Promise<bigint | undefined> {
  try {
    return await app.getFunction("resolve").staticCall(thread, appState, resolver, { from });
  } catch {
    return undefined;
  }
}

describe("the prebuilt apps in TypeScript", () => {
  let hashlock: HashlockApp;
  let signed: SignedApp;
  let domain: Domain;
  let manager: string;
  let thread: Thread;

  before(async () => {
    const [signer] = await ethers.getSigners();
    if (signer === undefined) throw new Error("no account");
    [hashlock, signed] = [
      await new HashlockApp__factory(signer).deploy(),
      await new SignedApp__factory(signer).deploy(),
    ];
    manager = parseAddress(signer.address);
    domain = channelManagerDomain(31337n, signer.address);
    thread = {
      salt: `0x${"07".repeat(32)}`,
      ...{
        sender: USER.address,
        receiver: PAYEE.address,
        asset: ZERO_ADDRESS,
        balanceSender: 90n,
        balanceReceiver: 10n,
      },
      ...{
        updatable: false,
        expiry: 1n,
        app: parseAddress(await signed.getAddress()),
        appStateHash: `0x${"00".repeat(32)}`,
      },
    };
  });

  it("HashlockApp answers what the contract answers, to any bytes", async () => {
    const bytes = fc.uint8Array({ minLength: 0, maxLength: 40 }).map(bytesToHex);
    const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex);
    const cases = fc.oneof(
      secret.map((each) => [hashlockOf(each), each] as const),
      fc.tuple(bytes, bytes),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([appState, resolver]) => {
        const expected = await onChain(hashlock, thread, appState, resolver, manager);
        expect(resolveHashlock(thread, appState, resolver)).to.equal(expected);
      }),
      { numRuns: 60 },
    );
  });

  it("SignedApp answers what the contract answers to a signed outcome, and to one that is bent", async () => {
    const appState = signedAppState(ARBITER.address);
    const bend = fc.record({ outcome: fc.bigInt(0n, 100n), at: fc.nat(500), by: fc.constantFrom(0, 0, 1, 7) });
    await fc.assert(
      fc.asyncProperty(bend, async ({ outcome, at, by }) => {
        const good = signOutcome(thread, outcome, ARBITER.key, domain);
        const index = 2 + (at % (good.length - 2));
        const digit = ((parseInt(good.charAt(index), 16) + by) % 16).toString(16);
        const resolver = `${good.slice(0, index)}${digit}${good.slice(index + 1)}` as Hex;
        const [ours, theirs] = [
          resolveSigned(thread, appState, resolver, domain),
          await onChain(signed, thread, appState, resolver, manager),
        ];
        if (ours !== undefined) expect(ours).to.equal(theirs); // never more than the contract grants
        if (by === 0) expect(ours).to.equal(outcome);
      }),
      { numRuns: 80 },
    );
  });

  it("encodes a resolver as Solidity does, and refuses an outcome above the sum", () => {
    const resolver = signOutcome(thread, 5n, ARBITER.key, domain);
    const [outcome, signature] = AbiCoder.defaultAbiCoder().decode(["uint128", "bytes"], resolver);
    expect(outcome).to.equal(5n);
    expect(AbiCoder.defaultAbiCoder().encode(["uint128", "bytes"], [outcome, signature])).to.equal(resolver);
    const above = signOutcome(thread, threadSum(thread) + 1n, ARBITER.key, domain);
    expect(resolveSigned(thread, signedAppState(ARBITER.address), above, domain)).to.equal(undefined);
    expect(resolveSigned(thread, signedAppState(USER.address), resolver, domain)).to.equal(undefined);
  });
});
