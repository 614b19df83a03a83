import { expect } from "chai";
import { ethers } from "hardhat";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { TypedDataEncoder, ZeroAddress } from "ethers";
import { expectBooks, expectMoved } from "../support/books";
import { ETH, row, state, type State } from "../support/states";
import { CHANNEL_STATE } from "../support/typed-data";
import {
  PERIOD,
  collateralize,
  deposit,
  exitAndSettle,
  freshWorld,
  signState,
  unsigned,
  type SignedState,
  type World,
} from "../support/world";

interface Funded extends World {
  /** Alice's state over her 100 wei, of which she paid 20. */
  readonly newest: SignedState;
}

async function fundedWorld(): Promise<Funded> {
  const world = await freshWorld();
  await deposit(world, world.alice, 100n);
  const rows = [row({ depositedUser: 100n, balanceUser: 80n, balanceHub: 20n })];
  return { ...world, newest: await signState(world, world.alice, state(world.alice.address, rows, { nonce: 7n })) };
}

const hashOf = (given: State): string => TypedDataEncoder.hashStruct("ChannelState", CHANNEL_STATE, given);

describe("startExit", () => {
  it("refuses everybody but user, hub and treasury", async () => {
    const { manager, bob, carol, newest } = await fundedWorld();
    for (const stranger of [bob, carol]) {
      await expect(manager.connect(stranger).startExit(...newest))
        .to.be.revertedWithCustomError(manager, "NotParty")
        .withArgs(stranger.address);
    }
  });

  it("refuses a second exit before the first is settled, also from the deadline on", async () => {
    const { manager, alice, hub, newest } = await fundedWorld();
    await manager.connect(alice).startExit(...newest);
    const { exitDeadline } = await manager.channelOf(alice);
    for (const secondsLater of [1n, PERIOD]) {
      await time.increase(secondsLater);
      await expect(manager.connect(hub).startExit(...newest))
        .to.be.revertedWithCustomError(manager, "ChannelExiting")
        .withArgs(exitDeadline);
    }
  });

  it("B-9: refuses an exit of a channel that never had anything in it", async () => {
    const world = await freshWorld();
    const { manager, hub, others } = world;
    const nobody = others[0]!;
    for (const assets of [[], [row()]]) {
      for (const nonce of [0n, 1n]) {
        const signed = await signState(world, nobody, state(nobody.address, assets, { nonce }));
        await expect(manager.connect(nobody).startExit(...signed))
          .to.be.revertedWithCustomError(manager, "NothingToExit")
          .withArgs(nobody.address);
        await expect(manager.connect(hub).startExit(...signed))
          .to.be.revertedWithCustomError(manager, "NothingToExit")
          .withArgs(nobody.address);
      }
    }
  });

  it("B-9: refuses an exit whose listed assets are all withdrawn", async () => {
    const world = await fundedWorld();
    const { manager, alice, carol, token } = world;
    await deposit(world, alice, 5n, { asset: await token.getAddress() });
    const rows = [row({ depositedUser: 100n, withdrawnUser: 75n, withdrawnHub: 25n })];
    const signed = await signState(world, alice, state(alice.address, rows));
    await manager.connect(carol).withdraw(...signed);
    await expect(manager.connect(alice).startExit(...signed))
      .to.be.revertedWithCustomError(manager, "NothingToExit")
      .withArgs(alice.address);
  });

  it("starts when one listed asset of several has something left", async () => {
    const world = await fundedWorld();
    const { manager, alice, carol, token } = world;
    const asset = await token.getAddress();
    const spent = row({ depositedUser: 100n, withdrawnUser: 100n });
    await manager.connect(carol).withdraw(...(await signState(world, alice, state(alice.address, [spent]))));
    await deposit(world, alice, 1n, { asset, forHub: true });
    const both = await signState(world, alice, state(alice.address, [spent, row({ asset })], { nonce: 2n }));
    await manager.connect(alice).startExit(...both);
    expect((await manager.channelOf(alice)).exitNonce).to.equal(2n);
  });

  for (const who of ["alice", "hub", "treasury"] as const) {
    it(`lets ${who === "alice" ? "the user" : `the ${who}`} start: the window is one period, and no money moves`, async () => {
      const world = await fundedWorld();
      const { manager, address, alice, hub, newest } = world;
      const now = BigInt(await time.latest()) + 100n;
      await time.setNextBlockTimestamp(now);
      const sent = manager.connect(world[who]).startExit(...newest);
      await expect(sent)
        .to.emit(manager, "ExitStarted")
        .withArgs(alice.address, world[who].address, 0n, 7n, hashOf(newest[0]), now + PERIOD, newest[1], newest[2]);
      await expectMoved(sent, ETH, [
        [address, 0n],
        [alice, 0n],
        [hub, 0n],
      ]);
      expect(await manager.channelOf(alice)).to.deep.equal([0n, 7n, now + PERIOD]);
      await expectBooks(world, alice.address, { holdings: 100n, depositedUser: 100n });
    });
  }

  it("starts with the unsigned state before anything was signed", async () => {
    const world = await freshWorld();
    const { manager, alice } = world;
    await deposit(world, alice, 5n);
    const zero = state(alice.address, [row()], { nonce: 0n });
    await expect(manager.connect(alice).startExit(...unsigned(zero)))
      .to.emit(manager, "ExitStarted")
      .withArgs(
        alice.address,
        alice.address,
        0n,
        0n,
        hashOf(zero),
        BigInt(await time.latest()) + 1n + PERIOD,
        "0x",
        "0x",
      );
  });

  it("names the current session", async () => {
    const world = await fundedWorld();
    const { manager, alice, hub, newest } = world;
    await exitAndSettle(world, alice, newest);
    await deposit(world, alice, 9n, { forHub: true });
    const zero = state(alice.address, [row()], { nonce: 0n, session: 1n });
    await manager.connect(hub).startExit(...unsigned(zero));
    const { session, exitNonce } = await manager.channelOf(alice);
    expect([session, exitNonce]).to.deep.equal([1n, 0n]);
  });

  it("N-12: with a lost hub key the treasury gets the hub's collateral and balances back, and nothing of a user's", async () => {
    const world = await freshWorld();
    const { manager, alice, treasury, carol } = world;
    await deposit(world, alice, 100n);
    await collateralize(world, alice, 60n);
    const rows = [row({ depositedUser: 100n, depositedHub: 60n, balanceUser: 90n, balanceHub: 70n })];
    const newest = await signState(world, alice, state(alice.address, rows));
    await manager.connect(treasury).startExit(...newest);
    await time.increase(PERIOD);
    await expectMoved(manager.connect(carol).settle(...newest), ETH, [[alice, 90n]]);
    await expectMoved(manager.connect(treasury).recallReserve(ETH, 70n), ETH, [[treasury, 70n]]);
    await expectBooks(world, alice.address, {});
  });

  it("N-12: a thief with the hub's key takes the reserve and what colluding users sign, never an honest user's balance", async () => {
    const world = await fundedWorld();
    const { manager, hub, treasury, alice, carol, others, newest } = world;
    const accomplice = others[0]!;
    await manager.connect(hub).fundReserve(ETH, 50n, { value: 50n });
    await expect(manager.connect(hub).collateralize([{ user: accomplice, asset: ETH, amount: 51n }]))
      .to.be.revertedWithCustomError(manager, "ReserveTooLow")
      .withArgs(ETH, 50n, 51n);
    await manager.connect(hub).collateralize([{ user: accomplice, asset: ETH, amount: 50n }]);
    const stolen = [row({ depositedHub: 50n, withdrawnUser: 50n })];
    const loot = await signState(world, accomplice, state(accomplice.address, stolen));
    await expectMoved(manager.connect(hub).withdraw(...loot), ETH, [[accomplice, 50n]]);
    await expect(manager.connect(hub).recallReserve(ETH, 1n)).to.be.revertedWithCustomError(manager, "ReserveTooLow");

    await manager.connect(hub).startExit(...unsigned(state(alice.address, [row()], { nonce: 0n })));
    await manager.connect(carol).challenge(...newest);
    await time.increase(PERIOD);
    await expectMoved(manager.connect(carol).settle(...newest), ETH, [
      [alice, 80n],
      [hub, 0n],
      [treasury, 0n],
    ]);
    await expectBooks(world, alice.address, { holdings: 20n, reserve: 20n });
  });

  it("lets a contract without a key leave with what was deposited for it", async () => {
    const world = await freshWorld();
    const { manager, address, alice, carol } = world;
    const user = await ethers.deployContract("ContractUser");
    const userAddress = await user.getAddress();
    await user.setWilling(true);
    await manager.connect(alice).deposit(user, ETH, 5n, false, { value: 5n });
    const zero = unsigned(state(userAddress, [row()], { nonce: 0n }));
    await user.execute(address, manager.interface.encodeFunctionData("startExit", zero));
    await time.increase(PERIOD);
    await expectMoved(manager.connect(carol).settle(...zero), ETH, [[userAddress, 5n]]);
  });

  it("refuses a user that has no channel before anything else of the state", async () => {
    const { manager, address, hub } = await fundedWorld();
    for (const user of [ZeroAddress, hub.address, address]) {
      await expect(manager.connect(hub).startExit(...unsigned(state(user, [row()], { nonce: 0n, session: 3n }))))
        .to.be.revertedWithCustomError(manager, "InvalidUser")
        .withArgs(user);
    }
  });
});
