import { expect } from "chai";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { PERIOD, deposit, freshWorld, signPayment, signState, unsigned, type World } from "../support/world";
import { ETH, row, state } from "../support/states";
import { agree, endSession, movementOf, recordOf, type Agreed } from "../support/threads";
import { rootOf } from "../support/thread-tree";

/** Alice's session 0 ended with a final thread in it that pays Bob 37 of 100; she is in session 1 with 5 wei. */
async function finalThread(): Promise<{ world: World } & Agreed> {
  const world = await freshWorld();
  const agreed = await agree(world);
  const payment = await signPayment(world, world.alice, agreed.thread, 37n);
  await world.manager.challengeThreadWithPayment(agreed.signed, 37n, payment);
  await endSession(world, world.alice, [agreed.thread]);
  await deposit(world, world.alice, 5n);
  return { world, ...agreed };
}

/** The channel as it stands, to show that nothing about the thread moved it. */
const channelAt = async ({ manager, alice }: World): Promise<bigint[]> => {
  const { session, exitNonce, exitDeadline } = await manager.channelOf(alice);
  return [session, exitNonce, exitDeadline];
};

describe("ChannelManager, threads and exits beside each other", () => {
  type Phase = (world: World) => Promise<unknown>;
  const nothing = (world: World): ReturnType<typeof unsigned> =>
    unsigned(state(world.alice.address, [row()], { session: 1n, nonce: 0n }));
  const exit: Phase = async (world) => world.manager.connect(world.alice).startExit(...nothing(world));
  const exitToEnd: Phase = async (world) => (await exit(world)) && time.increase(PERIOD);
  const settle: Phase = async (world) => (await exitToEnd(world)) && world.manager.settle(...nothing(world));

  const phases: [when: string, reach: Phase][] = [
    ["open", () => Promise.resolve()],
    ["exiting", exit],
    ["past the deadline of its exit", exitToEnd],
    ["settled once more", settle],
  ];
  for (const [when, reach] of phases) {
    it(`pays a leg of an ended session while the channel is ${when}, and leaves the channel as it is`, async () => {
      const { world, thread } = await finalThread();
      const { alice, carol, manager } = world;
      await reach(world);
      const [channel, ledger] = [await channelAt(world), await manager.ledgerOf(alice, 1n, ETH)];
      const moved = await movementOf(world, { user: alice, session: 0n }, () =>
        manager.connect(carol).settleThread(alice, 0n, thread, []),
      );
      expect(moved).to.deep.equal({ user: 63n, reserve: 37n, locked: -100n, claimable: 0n, held: -63n });
      expect(await channelAt(world)).to.deep.equal(channel);
      expect(await manager.ledgerOf(alice, 1n, ETH)).to.deep.equal(ledger);
    });
  }

  it("settles an exit at its deadline whatever is shown about the thread meanwhile", async () => {
    const world = await freshWorld();
    const { alice, carol, manager } = world;
    const expiry = BigInt(await time.latest()) + 1_000n * PERIOD;
    const { thread, signed, hash } = await agree(world, { expiry });
    await deposit(world, alice, 107n);
    const ending = state(alice.address, [row({ depositedUser: 107n, balanceUser: 7n, locked: 100n })], {
      threadRoot: rootOf([hash]),
    });
    const signedState = await signState(world, alice, ending);
    await manager.connect(alice).startExit(...signedState);
    const channel = await channelAt(world);
    await manager.challengeThread(signed);
    await time.increaseTo(channel[2]! - 2n);
    await manager.challengeThreadWithPayment(signed, 99n, await signPayment(world, alice, thread, 99n));
    expect(await channelAt(world)).to.deep.equal(channel);
    await time.setNextBlockTimestamp(channel[2]!);
    await expect(manager.connect(carol).settle(...signedState)).to.changeEtherBalance(alice, 7n);
    expect(await manager.lockedOf(alice, 0n, ETH)).to.equal(100n);
  });

  it("keeps a thread's record and deadline whatever happens to the channels of its parties", async () => {
    const { world, thread, hash } = await finalThread();
    const { alice, bob, manager } = world;
    const fresh = await agree(world, { expiry: BigInt(await time.latest()) + 100n * PERIOD });
    await manager.challengeThread(fresh.signed);
    const [standing, old] = [await recordOf(world, fresh.hash), await recordOf(world, hash)];
    await settle(world);
    await endSession(world, bob, [thread]);
    await endSession(world, alice, [fresh.thread]);
    expect(await recordOf(world, fresh.hash)).to.deep.equal(standing);
    expect(await recordOf(world, hash)).to.deep.equal(old);
  });

  it("takes evidence before, during and after the exit of either channel", async () => {
    const { world } = await finalThread();
    const { alice, manager } = world;
    const { thread, signed, hash } = await agree(world, { expiry: BigInt(await time.latest()) + 100n * PERIOD });
    const pay = async (amount: bigint): Promise<unknown> =>
      manager.challengeThreadWithPayment(signed, amount, await signPayment(world, alice, thread, amount));
    for (const [amount, reach] of [
      [1n, exit],
      [2n, (): Promise<unknown> => time.increase(PERIOD)],
    ] as const) {
      await pay(amount);
      await reach(world);
    }
    await pay(3n);
    await manager.settle(...nothing(world));
    await pay(4n);
    expect((await recordOf(world, hash)).balanceReceiver).to.equal(4n);
  });
});
