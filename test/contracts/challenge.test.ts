import { expect } from "chai";
import { ethers } from "hardhat";
import { mine, time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { TypedDataEncoder } from "ethers";
import { expectBooks, expectMoved } from "../support/books";
import { ETH, row, state } from "../support/states";
import { CHANNEL_STATE } from "../support/typed-data";
import { PERIOD, collateralize, deposit, freshWorld, signState, type SignedState, type World } from "../support/world";

interface Funded extends World {
  /** The state at a nonce: Alice deposited 100, the hub 40, and Alice has paid as many wei as the nonce says. */
  readonly at: (nonce: bigint) => Promise<SignedState>;
}

async function fundedWorld(): Promise<Funded> {
  const world = await freshWorld();
  await deposit(world, world.alice, 100n);
  await collateralize(world, world.alice, 40n);
  const at = (nonce: bigint): Promise<SignedState> => {
    const ether = row({ depositedUser: 100n, depositedHub: 40n, balanceUser: 100n - nonce, balanceHub: 40n + nonce });
    return signState(world, world.alice, state(world.alice.address, [ether], { nonce }));
  };
  return { ...world, at };
}

/** A world in which Alice is exiting with nonce 5. */
async function exitingWorld(): Promise<Funded & { readonly deadline: bigint }> {
  const world = await fundedWorld();
  await world.manager.connect(world.alice).startExit(...(await world.at(5n)));
  const { exitDeadline: deadline } = await world.manager.channelOf(world.alice);
  return { ...world, deadline };
}

describe("challenge", () => {
  it("refuses where no exit runs", async () => {
    const { manager, carol, at } = await fundedWorld();
    await expect(manager.connect(carol).challenge(...(await at(6n)))).to.be.revertedWithCustomError(
      manager,
      "ChannelNotExiting",
    );
  });

  for (const nonce of [1n, 4n, 5n]) {
    it(`O-3: refuses nonce ${String(nonce)} where 5 stands: nothing rolls history back`, async () => {
      const { manager, carol, at } = await exitingWorld();
      await expect(manager.connect(carol).challenge(...(await at(nonce))))
        .to.be.revertedWithCustomError(manager, "NonceNotHigher")
        .withArgs(5n, nonce);
    });
  }

  for (const [when, after] of [
    ["at the deadline", 0n],
    ["after the deadline", 1n],
  ] as const) {
    it(`refuses ${when}`, async () => {
      const { manager, carol, at, deadline } = await exitingWorld();
      const newer = await at(6n);
      await time.setNextBlockTimestamp(deadline + after);
      await expect(manager.connect(carol).challenge(...newer))
        .to.be.revertedWithCustomError(manager, "DeadlinePassed")
        .withArgs(deadline);
    });
  }

  it("replaces the standing state up to the last second, and the clock does not move", async () => {
    const world = await exitingWorld();
    const { manager, address, alice, carol, at, deadline } = world;
    const newer = await at(6n);
    const stateHash = TypedDataEncoder.hashStruct("ChannelState", CHANNEL_STATE, newer[0]);
    await time.setNextBlockTimestamp(deadline - 1n);
    const sent = manager.connect(carol).challenge(...newer);
    await expect(sent)
      .to.emit(manager, "ExitChallenged")
      .withArgs(alice.address, carol.address, 0n, 6n, stateHash, deadline, newer[1], newer[2]);
    await expectMoved(sent, ETH, [
      [address, 0n],
      [alice, 0n],
    ]);
    expect(await manager.channelOf(alice)).to.deep.equal([0n, 6n, deadline]);
    await expectBooks(world, alice.address, { holdings: 140n, depositedUser: 100n, depositedHub: 40n });
  });

  it("B-2: is open to anybody, a watchtower for one", async () => {
    const { manager, alice, bob, carol, hub, treasury, at } = await exitingWorld();
    let nonce = 5n;
    for (const caller of [carol, alice, hub, treasury, bob]) {
      nonce += 1n;
      await manager.connect(caller).challenge(...(await at(nonce)));
      expect((await manager.channelOf(alice)).exitNonce).to.equal(nonce);
    }
  });

  it("B-1: against a stale start and an intermediate answer the newest state still wins", async () => {
    const world = await fundedWorld();
    const { manager, hub, alice, carol, at } = world;
    const [stale, intermediate, newest] = [await at(2n), await at(9n), await at(70n)];
    await manager.connect(alice).startExit(...stale);
    await manager.connect(alice).challenge(...intermediate);
    await manager.connect(hub).challenge(...newest);
    await time.increase(PERIOD);
    for (const older of [stale, intermediate]) {
      await expect(manager.connect(alice).settle(...older))
        .to.be.revertedWithCustomError(manager, "NonceDiffers")
        .withArgs(70n, older[0].nonce);
    }
    await expectMoved(manager.connect(carol).settle(...newest), ETH, [[alice, 30n]]);
    await expectBooks(world, alice.address, { holdings: 110n, reserve: 110n });
  });

  it("takes the highest nonce there is, which nothing beats", async () => {
    const world = await exitingWorld();
    const { manager, alice, carol, at } = world;
    const last = state(alice.address, (await at(6n))[0].assets, { nonce: 2n ** 64n - 1n });
    await manager.connect(carol).challenge(...(await signState(world, alice, last)));
    await expect(manager.connect(carol).challenge(...(await at(7n))))
      .to.be.revertedWithCustomError(manager, "NonceNotHigher")
      .withArgs(2n ** 64n - 1n, 7n);
  });

  it("takes a state that counts deposits made during the exit", async () => {
    const world = await exitingWorld();
    const { manager, alice, carol } = world;
    await deposit(world, alice, 11n);
    const rows = [row({ depositedUser: 111n, depositedHub: 40n, balanceUser: 3n, balanceHub: 148n })];
    const newer = await signState(world, alice, state(alice.address, rows, { nonce: 6n }));
    await manager.connect(carol).challenge(...newer);
    await time.increase(PERIOD);
    await expectMoved(manager.connect(carol).settle(...newer), ETH, [[alice, 3n]]);
    await expectBooks(world, alice.address, { holdings: 148n, reserve: 148n });
  });
});

/** Sends calls without mining; the first has the highest tip, so it comes first in the block. */
async function inOneBlock(
  world: Funded,
  calls: readonly (readonly [HardhatEthersSigner, SignedState])[],
): Promise<(number | null | undefined)[]> {
  await ethers.provider.send("evm_setAutomine", [false]);
  try {
    const sent = await Promise.all(
      calls.map(([caller, signed], i) =>
        world.manager.connect(caller).challenge(...signed, {
          gasLimit: 1_000_000n,
          maxPriorityFeePerGas: BigInt(calls.length - i) * 10n ** 9n,
        }),
      ),
    );
    await mine();
    const receipts = await Promise.all(sent.map(({ hash }) => ethers.provider.getTransactionReceipt(hash)));
    expect(new Set(receipts.map((receipt) => receipt?.blockNumber)).size).to.equal(1);
    return receipts.map((receipt) => receipt?.status);
  } finally {
    await ethers.provider.send("evm_setAutomine", [true]);
  }
}

describe("hub, user and a third party challenging in one block", () => {
  const orders = [
    { order: [6n, 7n, 8n], statuses: [1, 1, 1] },
    { order: [8n, 7n, 6n], statuses: [1, 0, 0] },
    { order: [7n, 6n, 8n], statuses: [1, 0, 1] },
    { order: [8n, 8n, 8n], statuses: [1, 0, 0] },
  ];
  for (const { order, statuses } of orders) {
    it(`ends with the newest of nonces ${order.join(", ")}, in whichever order they come`, async () => {
      const world = await exitingWorld();
      const { manager, hub, alice, carol, at, deadline } = world;
      const [first, second, third] = await Promise.all(order.map(at));
      const landed = await inOneBlock(world, [
        [hub, first!],
        [alice, second!],
        [carol, third!],
      ]);
      expect(landed).to.deep.equal(statuses);
      expect(await manager.channelOf(alice)).to.deep.equal([0n, 8n, deadline]);
    });
  }
});
