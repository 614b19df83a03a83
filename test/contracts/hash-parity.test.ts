import { expect } from "chai";
import { ethers } from "hardhat";
import { loadFixture, setCode } from "@nomicfoundation/hardhat-network-helpers";
import { TypedDataEncoder, type Addressable, type TypedDataField } from "ethers";
import fc from "fast-check";
import {
  channelManagerDomain,
  digestOf,
  hashResolution,
  hashState,
  hashThread,
  hashThreadPayment,
  hashThreadUpdate,
  parseResolution,
  parseState,
  parseThread,
  parseThreadPayment,
  parseThreadUpdate,
  signedAppDomain,
  type Hash,
} from "../../protocol";
import type { ChannelManager, SignedApp, StateHashHarness } from "../../typechain-types";
import * as any from "../protocol/arbitraries";
import { CHANNEL_STATE, RESOLUTION, THREAD, THREAD_PAYMENT, THREAD_UPDATE } from "../support/typed-data";
import { PERIOD } from "../support/world";
import channelStates from "../vectors/channel-states.json";
import resolutions from "../vectors/resolutions.json";
import threadPayments from "../vectors/thread-payments.json";
import threadUpdates from "../vectors/thread-updates.json";
import threads from "../vectors/threads.json";

const RUNS = 200;

/** One kind of statement: how ethers, our TypeScript and Solidity hash it, and the frozen vectors of it. */
interface Kind<Value> {
  readonly name: string;
  readonly types: Record<string, TypedDataField[]>;
  readonly values: fc.Arbitrary<Value>;
  readonly ours: (value: Value) => Hash;
  readonly solidity: (harness: StateHashHarness, value: Value) => Promise<string>;
  readonly parse: (given: unknown) => Value;
  readonly frozen: { readonly vectors: readonly { name: string; message: unknown; structHash: string }[] };
}

const kind = <Value>(given: Kind<Value>): Kind<unknown> => given as Kind<unknown>;

const unsigned = { sigSender: "0x", sigReceiver: "0x" };

const KINDS = [
  kind({
    name: "ChannelState",
    types: CHANNEL_STATE,
    values: any.channelState,
    ours: hashState,
    solidity: (harness, state) => harness.hashState({ ...state, assets: [...state.assets] }),
    parse: (given) => parseState(given),
    frozen: channelStates,
  }),
  kind({
    name: "Thread",
    types: THREAD,
    values: any.thread,
    ours: hashThread,
    solidity: (harness, thread) => harness.hashThread(thread),
    parse: (given) => parseThread(given),
    frozen: threads,
  }),
  kind({
    name: "ThreadPayment",
    types: THREAD_PAYMENT,
    values: any.threadPayment,
    ours: hashThreadPayment,
    solidity: (harness, { threadHash, balanceReceiver }) => harness.hashPayment(threadHash, balanceReceiver),
    parse: (given) => parseThreadPayment(given),
    frozen: threadPayments,
  }),
  kind({
    name: "ThreadUpdate",
    types: THREAD_UPDATE,
    values: any.threadUpdate,
    ours: hashThreadUpdate,
    solidity: (harness, { threadHash, ...update }) => harness.hashUpdate(threadHash, { ...update, ...unsigned }),
    parse: (given) => parseThreadUpdate(given),
    frozen: threadUpdates,
  }),
];

const deployHarness = (): Promise<StateHashHarness> => ethers.deployContract("StateHashHarness");

describe("Hash parity of Solidity, protocol/ and ethers", () => {
  for (const { name, types, values, ours, solidity, parse, frozen } of KINDS) {
    it(`hashes every ${name} alike`, async () => {
      const harness = await loadFixture(deployHarness);
      const property = fc.asyncProperty(values, async (value) => {
        const expected = TypedDataEncoder.hashStruct(name, types, value as Record<string, unknown>);
        expect(ours(value)).to.equal(expected);
        expect(await solidity(harness, value)).to.equal(expected);
      });
      await fc.assert(property, { numRuns: RUNS }); // prints its seed when it fails
    });

    it(`hashes the frozen vectors of ${name} alike`, async () => {
      const harness = await loadFixture(deployHarness);
      expect(frozen.vectors).not.to.be.empty;
      for (const { name: vector, message, structHash } of frozen.vectors) {
        const value = parse(message);
        expect(await solidity(harness, value), vector).to.equal(structHash);
        expect(ours(value), vector).to.equal(structHash);
        expect(TypedDataEncoder.hashStruct(name, types, value as Record<string, unknown>), vector).to.equal(structHash);
      }
    });
  }

  it("hashes a row of a state alike", async () => {
    const harness = await loadFixture(deployHarness);
    const types = { AssetState: CHANNEL_STATE.AssetState! };
    const property = fc.asyncProperty(any.assetState, async (row) => {
      expect(await harness.hashAsset(row)).to.equal(TypedDataEncoder.hashStruct("AssetState", types, row));
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  it("refuses words that are wider than their type instead of hashing them", async () => {
    const harness = await loadFixture(deployHarness);
    const [thread] = threads.vectors;
    const clean = harness.interface.encodeFunctionData("hashThread", [parseThread(thread!.message)]);
    const to = await harness.getAddress();
    expect(await ethers.provider.call({ to, data: clean })).to.equal(thread!.structHash);
    const fields = THREAD.Thread!.map(({ type }, word) => ({ type, word })).filter(({ type }) => type !== "bytes32");
    for (const { type, word } of fields) {
      const at = 2 + 2 * (4 + 32 * word); // the top digit of that word
      const dirty = `${clean.slice(0, at)}f${clean.slice(at + 1)}`;
      await expect(ethers.provider.call({ to, data: dirty }), `${type} in word ${word}`).to.be.revertedWithoutReason();
    }
  });
});

/** Puts the code of a deployed contract where the frozen vectors say that it is. */
async function moveTo(contract: Addressable, address: string): Promise<string> {
  await setCode(address, await ethers.provider.getCode(await contract.getAddress()));
  return address;
}

async function frozenManager(): Promise<ChannelManager> {
  const { hub } = channelStates.addresses;
  const [treasury] = await ethers.getSigners();
  const deployed = await ethers.deployContract("ChannelManager", [hub, treasury!, PERIOD]);
  return ethers.getContractAt("ChannelManager", await moveTo(deployed, channelStates.domain.verifyingContract));
}

async function frozenSignedApp(): Promise<SignedApp> {
  const deployed = await ethers.deployContract("SignedApp");
  return ethers.getContractAt("SignedApp", await moveTo(deployed, resolutions.domain.verifyingContract));
}

describe("Digest parity of Solidity, protocol/ and ethers", () => {
  it("agrees on what hub and user sign, also in the frozen vectors' domain", async () => {
    const manager = await loadFixture(frozenManager);
    const { chainId, verifyingContract } = channelStates.domain;
    const domain = channelManagerDomain(BigInt(chainId), verifyingContract);
    for (const { name, message, structHash, digest } of channelStates.vectors) {
      const state = parseState(message);
      expect(await manager.hashState({ ...state, assets: [...state.assets] }), name).to.equal(digest);
      expect(digestOf(domain, structHash as Hash), name).to.equal(digest);
      expect(TypedDataEncoder.hash(domain, CHANNEL_STATE, state), name).to.equal(digest);
    }
  });

  it("names threads by the same hash in the contract's view", async () => {
    const manager = await loadFixture(frozenManager);
    for (const { name, message, structHash } of threads.vectors) {
      expect(await manager.hashThread(parseThread(message)), name).to.equal(structHash);
    }
  });

  it("accepts the frozen signatures of a thread", async () => {
    const manager = await loadFixture(frozenManager);
    const { message, structHash, signatures } = threads.vectors[0]!;
    const { sender: sigSender, receiver: sigReceiver } = signatures;
    await manager.challengeThread({ thread: parseThread(message), sigSender, sigReceiver });
    expect((await manager.recordOf(structHash)).deadline).not.to.equal(0n);
  });

  it("agrees on what an arbiter signs, in the frozen vectors' domain", async () => {
    const app = await loadFixture(frozenSignedApp);
    const { chainId, verifyingContract } = resolutions.domain;
    const domain = signedAppDomain(BigInt(chainId), verifyingContract);
    for (const { name, message, structHash, digest } of resolutions.vectors) {
      const resolution = parseResolution(message);
      const { channelManager, threadHash, balanceReceiver } = resolution;
      expect(await app.hashResolution(channelManager, threadHash, balanceReceiver), name).to.equal(digest);
      expect(digestOf(domain, hashResolution(resolution)), name).to.equal(digest);
      expect(hashResolution(resolution), name).to.equal(structHash);
      expect(TypedDataEncoder.hash(domain, RESOLUTION, resolution), name).to.equal(digest);
    }
  });
});
