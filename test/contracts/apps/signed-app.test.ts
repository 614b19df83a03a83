import { expect } from "chai";
import { ethers } from "hardhat";
import { AbiCoder, Signature, TypedDataEncoder, Wallet, ZeroAddress, id, keccak256, type Signer } from "ethers";
import { freshWorld, signResolution, threadHash, type World } from "../../support/world";
import { terms, type Terms } from "../../support/states";
import { agree, endSession, movementOf, recordOf } from "../../support/threads";
import { RESOLUTION } from "../../support/typed-data";

const abi = AbiCoder.defaultAbiCoder();
const stateOf = (arbiter: string): string => abi.encode(["address"], [arbiter]);
const resolverOf = (balanceReceiver: bigint, signature: string): string =>
  abi.encode(["uint128", "bytes"], [balanceReceiver, signature]);

/** Asks the app as the ChannelManager does, or as whoever `from` is. */
const ask = (world: World, thread: Terms, arbiter: string, resolver: string, from = world.address): Promise<bigint> =>
  world.signedApp.connect(ethers.provider).resolve(thread, stateOf(arbiter), resolver, { from });

async function statement(
  world: World,
  arbiter: Signer,
  overrides: { name?: string; version?: string; chainId?: bigint; verifyingContract?: string },
  given: { channelManager: string; threadHash: string; balanceReceiver: bigint },
): Promise<string> {
  const domain = { ...world.domain, name: "SignedApp", verifyingContract: await world.signedApp.getAddress() };
  return arbiter.signTypedData({ ...domain, ...overrides }, RESOLUTION, given);
}

describe("SignedApp", () => {
  it("refuses a statement by anybody but the arbiter", async () => {
    const world = await freshWorld();
    const thread = terms(world.alice.address, world.bob.address);
    const arbiter = world.others[0]!.address;
    for (const signer of [world.alice, world.bob, world.hub, world.carol]) {
      await expect(ask(world, thread, arbiter, await signResolution(world, signer, thread, 60n)))
        .to.be.revertedWithCustomError(world.signedApp, "NotSignedByArbiter")
        .withArgs(arbiter);
    }
  });

  it("refuses the arbiter's statement about another amount, thread or ChannelManager", async () => {
    const world = await freshWorld();
    const { carol, bob } = world;
    const thread = terms(world.alice.address, bob.address);
    const right = { channelManager: world.address, threadHash: threadHash(thread), balanceReceiver: 60n };
    const others = [
      { ...right, balanceReceiver: 61n },
      { ...right, threadHash: threadHash({ ...thread, salt: id("another") }) },
      { ...right, channelManager: bob.address },
    ];
    for (const other of others) {
      const resolver = resolverOf(60n, await statement(world, carol, {}, other));
      await expect(ask(world, thread, carol.address, resolver))
        .to.be.revertedWithCustomError(world.signedApp, "NotSignedByArbiter")
        .withArgs(carol.address);
    }
  });

  it("refuses a statement for another name, version, chain or app", async () => {
    const world = await freshWorld();
    const { carol } = world;
    const thread = terms(world.alice.address, world.bob.address);
    const right = { channelManager: world.address, threadHash: threadHash(thread), balanceReceiver: 60n };
    for (const domain of [
      { name: "ChannelManager" },
      { version: "2" },
      { chainId: 1n },
      { verifyingContract: world.address },
    ]) {
      const resolver = resolverOf(60n, await statement(world, carol, domain, right));
      await expect(ask(world, thread, carol.address, resolver))
        .to.be.revertedWithCustomError(world.signedApp, "NotSignedByArbiter")
        .withArgs(carol.address);
    }
  });

  it("refuses malformed signatures, and the zero address as arbiter of them", async () => {
    const world = await freshWorld();
    const thread = terms(world.alice.address, world.bob.address);
    const [, valid] = abi.decode(["uint128", "bytes"], await signResolution(world, world.carol, thread, 60n));
    const { r, s, v } = Signature.from(valid as string);
    const highS = ethers.toBeHex(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n - BigInt(s), 32);
    const malformed = [
      "0x",
      "0x00",
      `0x${"00".repeat(65)}`,
      `${valid as string}00`,
      ethers.concat([r, highS, v === 27 ? "0x1c" : "0x1b"]),
    ];
    for (const signature of malformed) {
      for (const arbiter of [world.carol.address, ZeroAddress]) {
        await expect(ask(world, thread, arbiter, resolverOf(60n, signature)))
          .to.be.revertedWithCustomError(world.signedApp, "NotSignedByArbiter")
          .withArgs(arbiter);
      }
    }
  });

  it("refuses an app state or a resolver that it cannot read", async () => {
    const world = await freshWorld();
    const { signedApp, carol } = world;
    const thread = terms(world.alice.address, world.bob.address);
    const resolver = await signResolution(world, carol, thread, 60n);
    const dirty = abi.encode(["uint256"], [2n ** 160n + BigInt(carol.address)]);
    for (const appState of ["0x", stateOf(carol.address).slice(0, -2), dirty]) {
      await expect(signedApp.resolve(thread, appState, resolver)).to.be.revertedWithoutReason();
    }
    const tooWide = abi.encode(["uint256", "bytes"], [2n ** 128n, "0x"]);
    for (const unreadable of ["0x", tooWide]) {
      await expect(signedApp.resolve(thread, stateOf(carol.address), unreadable)).to.be.revertedWithoutReason();
    }
  });

  it("answers what the arbiter signed for the ChannelManager that asks, and to nobody else", async () => {
    const world = await freshWorld();
    const { carol, bob } = world;
    const thread = terms(world.alice.address, bob.address);
    for (const amount of [0n, 60n, 2n ** 128n - 1n]) {
      const resolver = await signResolution(world, carol, thread, amount);
      expect(await ask(world, thread, carol.address, resolver)).to.equal(amount);
      await expect(ask(world, thread, carol.address, resolver, bob.address))
        .to.be.revertedWithCustomError(world.signedApp, "NotSignedByArbiter")
        .withArgs(carol.address);
    }
  });

  it("accepts a compact signature (EIP-2098)", async () => {
    const world = await freshWorld();
    const thread = terms(world.alice.address, world.bob.address);
    const [, valid] = abi.decode(["uint128", "bytes"], await signResolution(world, world.carol, thread, 60n));
    const resolver = resolverOf(60n, Signature.from(valid as string).compactSerialized);
    expect(await ask(world, thread, world.carol.address, resolver)).to.equal(60n);
  });

  it("hashes a resolution as EIP-712 does, in a domain that it names (EIP-5267)", async () => {
    const { signedApp, address, domain } = await freshWorld();
    const verifyingContract = await signedApp.getAddress();
    const given = { channelManager: address, threadHash: id("thread"), balanceReceiver: 2n ** 127n + 5n };
    const digest = TypedDataEncoder.hash({ ...domain, name: "SignedApp", verifyingContract }, RESOLUTION, given);
    expect(await signedApp.hashResolution(given.channelManager, given.threadHash, given.balanceReceiver)).to.equal(
      digest,
    );
    expect(await signedApp.RESOLUTION_TYPEHASH()).to.equal(
      id(TypedDataEncoder.from(RESOLUTION).encodeType("Resolution")),
    );
    const named = await signedApp.eip712Domain();
    expect([named.name, named.version, named.chainId, named.verifyingContract]).to.deep.equal([
      "SignedApp",
      "1",
      domain.chainId,
      verifyingContract,
    ]);
  });

  it("pays a link: a one-off key is the arbiter, and whoever holds it decides how much of it is taken", async () => {
    const world = await freshWorld();
    const { manager, alice, bob, carol, signedApp } = world;
    const link = new Wallet(id("a one-off key"));
    const app = await signedApp.getAddress();
    const { thread, signed, hash } = await agree(world, { app, appStateHash: keccak256(stateOf(link.address)) });
    await endSession(world, alice, [thread]);
    const right = { channelManager: world.address, threadHash: hash, balanceReceiver: 100n };
    const resolver = resolverOf(100n, await statement(world, link, {}, right));
    await manager.connect(carol).resolveThread(signed, stateOf(link.address), resolver);
    expect(await recordOf(world, hash)).to.include({ balanceReceiver: 100n, resolved: true });
    const moved = await movementOf(world, { user: alice, session: 0n }, () =>
      manager.connect(bob).settleThread(alice, 0n, thread, []),
    );
    expect(moved).to.deep.equal({ user: 0n, reserve: 100n, locked: -100n, claimable: 0n, held: 0n });
  });
});
