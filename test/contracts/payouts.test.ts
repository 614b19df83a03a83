import { expect } from "chai";
import { ethers } from "hardhat";
import { setCode, takeSnapshot } from "@nomicfoundation/hardhat-network-helpers";
import type { ContractTransactionResponse } from "ethers";
import { books, expectBooks, expectMoved, type Books } from "../support/books";
import { hostileScene, type HostileScene } from "../support/hostile-scene";
import { ETH, row, state } from "../support/states";
import { exitAndSettle, exitToDeadline, signState, unsigned, type SignedState } from "../support/world";

/** What a payout gives: 50,000 gas and the 2,300 that come with ether, less what a receiver needs to look at it. */
const ETHER_GAS = { enough: 52_000n, tooMuch: 52_301n };

/** What a token gets: 200,000 gas, less what it needs before it looks at it. */
const TOKEN_GAS = { enough: 197_000n, tooMuch: 200_001n };

const deployed = async (contract: string, args: unknown[] = []): Promise<string> =>
  (await ethers.deployContract(contract, args)).getAddress();

const payingTo = (scene: HostileScene, recipient: string): Promise<SignedState> =>
  signState(scene, scene.alice, { ...scene.signed[0], recipient });

describe("a payout", () => {
  it("gives a receiver of ether 50,000 gas and the stipend, not less", async () => {
    const scene = await hostileScene("ThriftyToken", [0n]);
    const receiver = await deployed("ThriftyReceiver", [ETHER_GAS.enough]);
    const sent = scene.manager.connect(scene.carol).withdraw(...(await payingTo(scene, receiver)));
    await expectMoved(sent, ETH, [[receiver, 40n]]);
  });

  it("gives a receiver of ether 50,000 gas and the stipend, not more", async () => {
    const scene = await hostileScene("ThriftyToken", [0n]);
    const receiver = await deployed("ThriftyReceiver", [ETHER_GAS.tooMuch]);
    await expect(scene.manager.connect(scene.carol).withdraw(...(await payingTo(scene, receiver))))
      .to.emit(scene.manager, "PayoutFailed")
      .withArgs(scene.alice.address, ETH, receiver, 40n);
  });

  it("gives a token 200,000 gas, not less", async () => {
    const { manager, alice, carol, hostile, asset, signed } = await hostileScene("ThriftyToken", [TOKEN_GAS.enough]);
    await hostile.turn(true);
    await expectMoved(manager.connect(carol).withdraw(...signed), asset, [[alice, 30n]]);
  });

  it("gives a token 200,000 gas, not more", async () => {
    const { manager, alice, carol, hostile, asset, signed } = await hostileScene("ThriftyToken", [TOKEN_GAS.tooMuch]);
    await hostile.turn(true);
    await expect(manager.connect(carol).withdraw(...signed))
      .to.emit(manager, "PayoutFailed")
      .withArgs(alice.address, asset, alice.address, 30n);
  });

  it("N-5: that fails belongs to the user, whatever the recipient was", async () => {
    const scene = await hostileScene("FreezingToken");
    const { manager, alice, carol, asset } = scene;
    const receiver = await deployed("RevertingReceiver");
    await (await ethers.getContractAt("FreezingToken", asset)).freeze(receiver, true);
    await expect(manager.connect(carol).withdraw(...(await payingTo(scene, receiver))))
      .to.emit(manager, "PayoutFailed")
      .withArgs(alice.address, ETH, receiver, 40n)
      .and.to.emit(manager, "PayoutFailed")
      .withArgs(alice.address, asset, receiver, 30n);
    for (const [of, amount] of [
      [ETH, 40n],
      [asset, 30n],
    ] as const) {
      expect(await manager.claimableOf(alice, of)).to.equal(amount);
      expect(await manager.claimableOf(receiver, of)).to.equal(0n);
      await expectMoved(manager.connect(alice).claim(of, alice), of, [[alice, amount]]);
    }
  });

  it("to the contract itself becomes claimable: no money without an owner", async () => {
    const scene = await hostileScene("RefusingToken");
    const { manager, address, alice, carol, asset, healthy } = scene;
    const sent = manager.connect(carol).withdraw(...(await payingTo(scene, address)));
    for (const [of, amount] of [
      [ETH, 40n],
      [healthy, 50n],
      [asset, 30n],
    ] as const) {
      await expect(sent).to.emit(manager, "PayoutFailed").withArgs(alice.address, of, address, amount);
      await expectMoved(sent, of, [
        [address, 0n],
        [alice, 0n],
      ]);
      expect(await manager.claimableOf(alice, of)).to.equal(amount);
      await expectMoved(manager.connect(alice).claim(of, alice), of, [[alice, amount]]);
    }
  });

  it("to the hub or to the treasury is one to any other account: the reserve does not move", async () => {
    const scene = await hostileScene("RefusingToken");
    const { manager, address, hub, carol } = scene;
    await expectMoved(manager.connect(carol).withdraw(...(await payingTo(scene, hub.address))), ETH, [
      [hub, 40n],
      [address, -40n],
    ]);
    expect(await manager.reserveOf(ETH)).to.equal(0n);
  });
});

/** A relayed call whose payouts can be made to fail by somebody who chooses the gas. */
interface Relay {
  readonly title: string;
  readonly prepare: (scene: HostileScene) => Promise<(gasLimit: bigint) => Promise<ContractTransactionResponse>>;
}

/** Alice's account wants nearly all of what a payout gives, and says no at once otherwise. So does the token. */
async function thriftyScene(): Promise<HostileScene> {
  const scene = await hostileScene("ThriftyToken", [TOKEN_GAS.enough]);
  const receiver = await deployed("ThriftyReceiver", [ETHER_GAS.enough]);
  await setCode(scene.alice.address, await ethers.provider.getCode(receiver));
  await scene.hostile.turn(true);
  return scene;
}

async function exited(scene: HostileScene, signed: SignedState): Promise<void> {
  await scene.manager.connect(scene.hub).startExit(...signed);
  await ethers.provider.send("evm_increaseTime", [10_000_000]);
}

const RELAYS: readonly Relay[] = [
  {
    title: "a withdrawal",
    prepare: ({ manager, carol, signed }) =>
      Promise.resolve((gasLimit) => manager.connect(carol).withdraw(...signed, { gasLimit })),
  },
  {
    title: "a settlement",
    prepare: async (scene) => {
      await exited(scene, scene.signed);
      return (gasLimit) => scene.manager.connect(scene.carol).settle(...scene.signed, { gasLimit });
    },
  },
  {
    title: "a reclaim of ether",
    prepare: async (scene) => {
      const { manager, alice, carol, asset } = scene;
      const zero = unsigned(state(alice.address, [row({ asset })], { nonce: 0n }));
      await exited(scene, zero);
      await manager.settle(...zero);
      return (gasLimit) => manager.connect(carol).reclaim(alice, 0n, ETH, { gasLimit });
    },
  },
  {
    title: "a reclaim of a token",
    prepare: async (scene) => {
      const { manager, alice, carol, asset } = scene;
      const zero = unsigned(state(alice.address, [row()], { nonce: 0n }));
      await exited(scene, zero);
      await manager.settle(...zero);
      return (gasLimit) => manager.connect(carol).reclaim(alice, 0n, asset, { gasLimit });
    },
  },
  {
    title: "a withdrawal in a batch whose lines may fail",
    prepare: async ({ manager, multicall, carol, signed }) => {
      const callData = manager.interface.encodeFunctionData("withdraw", signed);
      const target = await manager.getAddress();
      return (gasLimit) =>
        multicall.connect(carol).aggregate3([{ target, allowFailure: true, callData }], { gasLimit });
    },
  },
];

const allBooks = async (scene: HostileScene): Promise<readonly Books[]> =>
  Promise.all([ETH, scene.healthy, scene.asset].map((asset) => books(scene, scene.alice.address, { asset })));

/** Gas limits tried, evenly spread; the spans in which a careless contract could be cheated are several steps wide. */
const LIMITS = 64n;

/** Whether the transaction went through; a reverted one changes nothing. */
const succeeds = (sent: Promise<ContractTransactionResponse>): Promise<boolean> =>
  sent.then(
    () => true,
    (error: unknown) => {
      expect(String(error)).to.match(/ran out of gas|reverted/);
      return false;
    },
  );

for (const { title, prepare } of RELAYS) {
  describe(`N-5: ${title} relayed with every gas limit`, () => {
    it("reverts as a whole or pays as with unlimited gas", async () => {
      const scene = await thriftyScene();
      const relay = await prepare(scene);
      const untouched = await allBooks(scene);
      const start = await takeSnapshot();
      const unlimited = await (await relay(16_000_000n)).wait();
      const paid = await allBooks(scene);
      expect(paid.map(({ claimable }) => claimable)).to.deep.equal([0n, 0n, 0n]);
      await start.restore();

      const seen = { reverted: 0, paid: 0 };
      const [lowest, highest] = [60_000n, unlimited!.gasUsed + 400_000n]; // above refunds and caps
      for (let i = 0n; i < LIMITS; i++) {
        const gasLimit = lowest + ((highest - lowest) * i) / LIMITS;
        const after = (await succeeds(relay(gasLimit))) ? await allBooks(scene) : untouched;
        const reverted = after[0]!.holdings === untouched[0]!.holdings && after[2]!.holdings === untouched[2]!.holdings;
        expect(after, `gas limit ${String(gasLimit)}`).to.deep.equal(reverted ? untouched : paid);
        seen[reverted ? "reverted" : "paid"] += 1;
        if (after !== untouched) await start.restore();
      }
      expect(seen.reverted).to.be.above(6);
      expect(seen.paid).to.be.above(6);
    });
  });
}

describe("InsufficientGas", () => {
  it("names what a payout of ether needs and what was left", async () => {
    const scene = await hostileScene("RefusingToken");
    const { manager, alice, carol } = scene;
    const zero = unsigned(state(alice.address, [row({ asset: scene.asset })], { nonce: 0n }));
    await exitAndSettle(scene, alice, zero);
    const needed = (50_000n * 64n) / 63n + 40_000n;
    await expect(manager.connect(carol).reclaim(alice, 0n, ETH, { gasLimit: 110_000n }))
      .to.be.revertedWithCustomError(manager, "InsufficientGas")
      .withArgs(needed, (left: bigint) => left < needed);
  });

  it("names what a payout of a token needs and what was left", async () => {
    const scene = await hostileScene("RefusingToken");
    const { manager, alice, carol, asset } = scene;
    const zero = unsigned(state(alice.address, [row()], { nonce: 0n }));
    await exitToDeadline(scene, alice, zero);
    await manager.settle(...zero);
    const needed = (200_000n * 64n) / 63n + 40_000n;
    await expect(manager.connect(carol).reclaim(alice, 0n, asset, { gasLimit: 290_000n }))
      .to.be.revertedWithCustomError(manager, "InsufficientGas")
      .withArgs(needed, (left: bigint) => left < needed);
    await expectBooks(scene, alice.address, { holdings: 370n, depositedUser: 300n, depositedHub: 70n }, { asset });
  });
});
