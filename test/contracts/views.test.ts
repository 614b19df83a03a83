import { expect } from "chai";
import { TypedDataEncoder, ZeroHash, id } from "ethers";
import { ETH, row, state, terms } from "../support/states";
import { CHANNEL_STATE, THREAD } from "../support/typed-data";
import {
  PERIOD,
  collateralize,
  deposit,
  exitAndSettle,
  exitToDeadline,
  freshWorld,
  signState,
  unsigned,
} from "../support/world";

describe("views", () => {
  it("say zero of what never was", async () => {
    const { manager, alice } = await freshWorld();
    expect(await manager.channelOf(alice)).to.deep.equal([0n, 0n, 0n]);
    expect(await manager.ledgerOf(alice, 0n, ETH)).to.deep.equal([0n, 0n, 0n, 0n]);
    expect(await manager.threadRootOf(alice, 0n)).to.equal(ZeroHash);
    expect(await manager.lockedOf(alice, 0n, ETH)).to.equal(0n);
    expect(await manager.recordOf(id("no thread"))).to.deep.equal([0n, 0n, 0n, false, false, false]);
    expect(await manager.reserveOf(ETH)).to.equal(0n);
    expect(await manager.claimableOf(alice, ETH)).to.equal(0n);
  });

  it("tell hub, treasury and period", async () => {
    const { manager, hub, treasury } = await freshWorld();
    expect([await manager.hub(), await manager.treasury(), await manager.challengePeriodSeconds()]).to.deep.equal([
      hub.address,
      treasury.address,
      PERIOD,
    ]);
  });

  it("tell the four counters of a ledger apart, by user, session and asset", async () => {
    const world = await freshWorld();
    const { manager, alice, bob, carol, token } = world;
    await deposit(world, alice, 100n);
    await collateralize(world, alice, 40n);
    const rows = [
      row({ depositedUser: 100n, depositedHub: 40n, withdrawnUser: 30n, withdrawnHub: 7n, balanceHub: 103n }),
    ];
    await manager.connect(carol).withdraw(...(await signState(world, alice, state(alice.address, rows))));
    expect(await manager.ledgerOf(alice, 0n, ETH)).to.deep.equal([40n, 7n, 100n, 30n]);
    for (const [user, session, asset] of [
      [bob, 0n, ETH],
      [alice, 1n, ETH],
      [alice, 0n, await token.getAddress()],
    ] as const) {
      expect(await manager.ledgerOf(user, session, asset)).to.deep.equal([0n, 0n, 0n, 0n]);
    }
  });

  it("keep thread root and locked amount of each ended session", async () => {
    const world = await freshWorld();
    const { manager, alice } = world;
    for (const session of [0n, 1n]) {
      await deposit(world, alice, 100n);
      const locked = 10n + session;
      const rows = [row({ depositedUser: 100n, locked, balanceUser: 100n - locked })];
      const overrides = { session, threadRoot: id(`root ${String(session)}`) };
      await exitAndSettle(world, alice, await signState(world, alice, state(alice.address, rows, overrides)));
    }
    expect(await manager.threadRootOf(alice, 0n)).to.equal(id("root 0"));
    expect(await manager.threadRootOf(alice, 1n)).to.equal(id("root 1"));
    expect([await manager.lockedOf(alice, 0n, ETH), await manager.lockedOf(alice, 1n, ETH)]).to.deep.equal([10n, 11n]);
  });

  it("follow a channel from open to exiting to open in the next session", async () => {
    const world = await freshWorld();
    const { manager, alice } = world;
    await deposit(world, alice, 100n);
    const zero = unsigned(state(alice.address, [row()], { nonce: 0n }));
    await exitToDeadline(world, alice, zero);
    expect((await manager.channelOf(alice)).exitDeadline).to.be.above(0n);
    await manager.settle(...zero);
    expect(await manager.channelOf(alice)).to.deep.equal([1n, 0n, 0n]);
  });

  it("hash a state to the digest that an independent EIP-712 implementation computes", async () => {
    const { manager, domain, alice, bob, token } = await freshWorld();
    const ether = row({
      balanceHub: 1n,
      balanceUser: 2n,
      locked: 3n,
      depositedHub: 4n,
      depositedUser: 5n,
      withdrawnHub: 6n,
      withdrawnUser: 2n ** 128n - 1n,
    });
    const overrides = { session: 7n, nonce: 2n ** 64n - 1n, threadRoot: id("root"), recipient: bob.address };
    for (const given of [
      state(alice.address, []),
      state(alice.address, [ether], overrides),
      state(alice.address, [ether, row({ asset: await token.getAddress(), locked: 9n })], overrides),
    ]) {
      expect(await manager.hashState(given)).to.equal(TypedDataEncoder.hash(domain, CHANNEL_STATE, given));
    }
  });

  it("hash a thread to its struct hash", async () => {
    const { manager, alice, bob, carol } = await freshWorld();
    const thread = terms(alice.address, bob.address, {
      balanceReceiver: 7n,
      updatable: true,
      expiry: 8n,
      app: carol.address,
      appStateHash: id("app state"),
    });
    expect(await manager.hashThread(thread)).to.equal(TypedDataEncoder.hashStruct("Thread", THREAD, thread));
  });
});

describe("EIP-5267", () => {
  it("tells the domain that everything is signed in, without salt or extensions", async () => {
    const { manager, address, domain } = await freshWorld();
    expect(await manager.eip712Domain()).to.deep.equal([
      "0x0f",
      "ChannelManager",
      "1",
      domain.chainId,
      address,
      ZeroHash,
      [],
    ]);
  });
});
