import { expect } from "chai";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { row, state } from "../support/states";
import { collateralize, deposit, freshWorld, signState, type SignedState, type World } from "../support/world";

interface Exiting extends World {
  readonly standing: SignedState;
  readonly newer: SignedState;
  readonly deadline: bigint;
}

/** Alice is exiting with nonce 1 and nonce 2 exists. */
async function exitingWorld(): Promise<Exiting> {
  const world = await freshWorld();
  const { manager, alice } = world;
  await deposit(world, alice, 100n);
  const rows = [row({ depositedUser: 100n, balanceUser: 60n, withdrawnUser: 30n, balanceHub: 10n })];
  const standing = await signState(world, alice, state(alice.address, rows));
  const newer = await signState(world, alice, state(alice.address, rows, { nonce: 2n }));
  await collateralize(world, alice, 5n);
  await manager.connect(alice).startExit(...standing);
  const { exitDeadline: deadline } = await manager.channelOf(alice);
  return { ...world, standing, newer, deadline };
}

type Refusal = readonly [error: string, ...args: bigint[]] | undefined;

interface Row {
  readonly call: string;
  readonly make: (world: Exiting) => Promise<unknown>;
  /** What happens one second before the deadline, at it, and one second after it; undefined is success. */
  readonly outcomes: (deadline: bigint) => readonly [before: Refusal, at: Refusal, after: Refusal];
}

const never = (refusal: Refusal): readonly [Refusal, Refusal, Refusal] => [refusal, refusal, refusal];

const TABLE: readonly Row[] = [
  {
    call: "challenge with a newer state",
    make: ({ manager, carol, newer }) => manager.connect(carol).challenge(...newer),
    outcomes: (deadline) => [undefined, ["DeadlinePassed", deadline], ["DeadlinePassed", deadline]],
  },
  {
    call: "challenge with the standing state",
    make: ({ manager, carol, standing }) => manager.connect(carol).challenge(...standing),
    outcomes: (deadline) => [
      ["NonceNotHigher", 1n, 1n],
      ["DeadlinePassed", deadline],
      ["DeadlinePassed", deadline],
    ],
  },
  {
    call: "settle with the standing state",
    make: ({ manager, carol, standing }) => manager.connect(carol).settle(...standing),
    outcomes: (deadline) => [["DeadlineNotReached", deadline], undefined, undefined],
  },
  {
    call: "settle with a newer state",
    make: ({ manager, carol, newer }) => manager.connect(carol).settle(...newer),
    outcomes: (deadline) => [
      ["DeadlineNotReached", deadline],
      ["NonceDiffers", 1n, 2n],
      ["NonceDiffers", 1n, 2n],
    ],
  },
  {
    call: "startExit again",
    make: ({ manager, hub, newer }) => manager.connect(hub).startExit(...newer),
    outcomes: (deadline) => never(["ChannelExiting", deadline]),
  },
  {
    call: "withdraw",
    make: ({ manager, carol, newer }) => manager.connect(carol).withdraw(...newer),
    outcomes: (deadline) => never(["ChannelExiting", deadline]),
  },
  {
    call: "deposit",
    make: (world) => deposit(world, world.alice, 1n),
    outcomes: () => never(undefined),
  },
  {
    call: "collateralize",
    make: (world) => collateralize(world, world.alice, 1n),
    outcomes: () => never(undefined),
  },
  {
    call: "reclaim of the running session",
    make: ({ manager, alice, carol, token }) => manager.connect(carol).reclaim(alice, 0n, token),
    outcomes: () => never(["SessionNotEnded", 0n, 0n]),
  },
];

describe("the exit window, second by second", () => {
  for (const { call, make, outcomes } of TABLE) {
    for (const [i, when] of ["one second before", "at", "one second after"].entries()) {
      it(`${call}, ${when} the deadline`, async () => {
        const world = await exitingWorld();
        const outcome = outcomes(world.deadline)[i];
        await time.setNextBlockTimestamp(world.deadline - 1n + BigInt(i));
        if (outcome === undefined) {
          await make(world);
          expect(BigInt(await time.latest())).to.be.at.least(world.deadline - 1n + BigInt(i));
        } else {
          const [error, ...args] = outcome;
          await expect(make(world))
            .to.be.revertedWithCustomError(world.manager, error)
            .withArgs(...args);
        }
      });
    }
  }

  it("belongs to nobody: a challenge in the last second is settled by that state a second later", async () => {
    const world = await exitingWorld();
    const { manager, alice, carol, standing, newer, deadline } = world;
    await time.setNextBlockTimestamp(deadline - 1n);
    await manager.connect(carol).challenge(...newer);
    await time.setNextBlockTimestamp(deadline);
    await expect(manager.connect(alice).settle(...standing))
      .to.be.revertedWithCustomError(manager, "NonceDiffers")
      .withArgs(2n, 1n);
    await manager.connect(carol).settle(...newer);
    expect((await manager.channelOf(alice)).session).to.equal(1n);
  });
});
