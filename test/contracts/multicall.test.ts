import { expect } from "chai";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import type { Interface } from "ethers";
import { expectBooks, expectMoved } from "../support/books";
import { ETH, row, state } from "../support/states";
import { PERIOD, deposit, freshWorld, signState, type SignedState, type World } from "../support/world";

interface Batch extends World {
  /** Alice withdraws 30 of 100, Bob 50 of 200. */
  readonly withdrawals: readonly [SignedState, SignedState];
}

async function twoWithdrawals(): Promise<Batch> {
  const world = await freshWorld();
  const { alice, bob } = world;
  await deposit(world, alice, 100n);
  await deposit(world, bob, 200n);
  const ofAlice = [row({ depositedUser: 100n, balanceUser: 70n, withdrawnUser: 30n })];
  const ofBob = [row({ depositedUser: 200n, balanceUser: 150n, withdrawnUser: 50n })];
  const withdrawals = [
    await signState(world, alice, state(alice.address, ofAlice)),
    await signState(world, bob, state(bob.address, ofBob)),
  ] as const;
  return { ...world, withdrawals };
}

const call = (
  { manager, address }: World,
  name: "withdraw" | "challenge" | "settle",
  signed: SignedState,
  allowFailure = false,
): { target: string; allowFailure: boolean; callData: string } => ({
  target: address,
  allowFailure,
  callData: (manager.interface as Interface).encodeFunctionData(name, signed),
});

describe("batches through Multicall3", () => {
  it("withdraw for many users in one transaction", async () => {
    const world = await twoWithdrawals();
    const { multicall, alice, bob, carol, withdrawals } = world;
    const sent = multicall.connect(carol).aggregate3(withdrawals.map((signed) => call(world, "withdraw", signed)));
    await expectMoved(sent, ETH, [
      [alice, 30n],
      [bob, 50n],
      [multicall, 0n],
    ]);
    await expectBooks(world, alice.address, { holdings: 220n, depositedUser: 100n, withdrawnUser: 30n });
    await expectBooks(world, bob.address, { holdings: 220n, depositedUser: 200n, withdrawnUser: 50n });
  });

  it("fail as a whole where a line that may not fail does", async () => {
    const world = await twoWithdrawals();
    const { manager, multicall, alice, carol, withdrawals } = world;
    const [first, second] = withdrawals;
    const forged: SignedState = [second[0], second[1], first[2]];
    const error = manager.interface.encodeErrorResult("InvalidSignature", [second[0].user]);
    await expect(multicall.connect(carol).aggregate3([call(world, "withdraw", first), call(world, "withdraw", forged)]))
      .to.be.revertedWithCustomError(multicall, "CallFailed")
      .withArgs(1n, error);
    await expectBooks(world, alice.address, { holdings: 300n, depositedUser: 100n });
  });

  it("pass over a line that may fail", async () => {
    const world = await twoWithdrawals();
    const { multicall, alice, bob, carol, withdrawals } = world;
    const [first, second] = withdrawals;
    const forged: SignedState = [first[0], first[2], first[1]];
    const calls = [call(world, "withdraw", forged, true), call(world, "withdraw", second)];
    await expectMoved(multicall.connect(carol).aggregate3(calls), ETH, [
      [alice, 0n],
      [bob, 50n],
    ]);
  });

  it("challenge and settle many channels; the same settlement twice pays once", async () => {
    const world = await twoWithdrawals();
    const { manager, multicall, alice, bob, carol, withdrawals } = world;
    await manager.connect(alice).startExit(...withdrawals[0]);
    await manager.connect(bob).startExit(...withdrawals[1]);
    const newer = [
      await signState(world, alice, { ...withdrawals[0][0], nonce: 2n }),
      await signState(world, bob, { ...withdrawals[1][0], nonce: 2n }),
    ] as const;
    await multicall.connect(carol).aggregate3(newer.map((signed) => call(world, "challenge", signed)));
    await time.increase(PERIOD);
    const settlements = [newer[0], newer[1], newer[0]].map((signed) => call(world, "settle", signed, true));
    await expectMoved(multicall.connect(carol).aggregate3(settlements), ETH, [
      [alice, 100n],
      [bob, 200n],
    ]);
    await expectBooks(world, alice.address, {});
    expect(await manager.channelOf(bob)).to.deep.equal([1n, 0n, 0n]);
  });

  it("cannot act for the hub or for a user: the caller is Multicall3", async () => {
    const world = await twoWithdrawals();
    const { manager, multicall, address, alice, hub, withdrawals } = world;
    const caller = await multicall.getAddress();
    const batch = manager.interface.encodeFunctionData("collateralize", [
      [{ user: alice.address, asset: ETH, amount: 0n }],
    ]);
    const exit = manager.interface.encodeFunctionData("startExit", withdrawals[0]);
    for (const [callData, error] of [
      [batch, manager.interface.encodeErrorResult("NotHub", [caller])],
      [exit, manager.interface.encodeErrorResult("NotParty", [caller])],
    ] as const) {
      await expect(multicall.connect(hub).aggregate3([{ target: address, allowFailure: false, callData }]))
        .to.be.revertedWithCustomError(multicall, "CallFailed")
        .withArgs(0n, error);
    }
  });
});
