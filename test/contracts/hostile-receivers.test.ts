import { expect } from "chai";
import { ethers } from "hardhat";
import { setCode, time } from "@nomicfoundation/hardhat-network-helpers";
import { concat, type Interface } from "ethers";
import { expectBooks, expectMoved } from "../support/books";
import { ETH, row, state } from "../support/states";
import {
  PERIOD,
  collateralize,
  deposit,
  exitToDeadline,
  freshWorld,
  signState,
  unsigned,
  type SignedState,
  type World,
} from "../support/world";

interface Funded extends World {
  readonly asset: string;
  /** Alice withdraws 30 wei and 40 units to `recipient`, the hub 7 wei; 60 wei, 55 units and 43 wei stay. */
  readonly paying: (recipient?: string) => Promise<SignedState>;
}

async function fundedWorld(): Promise<Funded> {
  const world = await freshWorld();
  const { alice } = world;
  const asset = await world.token.getAddress();
  await deposit(world, alice, 100n);
  await collateralize(world, alice, 40n);
  await deposit(world, alice, 95n, { asset });
  const rows = [
    row({
      depositedUser: 100n,
      depositedHub: 40n,
      balanceUser: 60n,
      balanceHub: 43n,
      withdrawnUser: 30n,
      withdrawnHub: 7n,
    }),
    row({ asset, depositedUser: 95n, balanceUser: 55n, withdrawnUser: 40n }),
  ];
  const paying = (recipient: string = ethers.ZeroAddress): Promise<SignedState> =>
    signState(world, alice, state(alice.address, rows, { recipient }));
  return { ...world, asset, paying };
}

const deployed = async (contract: string, args: unknown[] = []): Promise<string> =>
  (await ethers.deployContract(contract, args)).getAddress();

/** Gives an account the code of a contract, as its owner may by EIP-7702. */
async function putCode(account: string, contract: string, args: unknown[] = []): Promise<void> {
  await setCode(account, await ethers.provider.getCode(await deployed(contract, args)));
}

for (const contract of ["RevertingReceiver", "GasBurningReceiver", "BombReceiver"]) {
  describe(`a ${contract}`, () => {
    it("as recipient of a withdrawal leaves the ether to the user, and gets its tokens", async () => {
      const world = await fundedWorld();
      const { manager, alice, carol, asset, paying } = world;
      const recipient = await deployed(contract);
      const sent = manager.connect(carol).withdraw(...(await paying(recipient)));
      await expect(sent).to.emit(manager, "PayoutFailed").withArgs(alice.address, ETH, recipient, 30n);
      await expectMoved(sent, ETH, [
        [recipient, 0n],
        [alice, 0n],
      ]);
      await expectMoved(sent, asset, [[recipient, 40n]]);
      await expectBooks(world, alice.address, {
        holdings: 140n,
        reserve: 7n,
        claimable: 30n,
        depositedUser: 100n,
        depositedHub: 40n,
        withdrawnUser: 30n,
        withdrawnHub: 7n,
      });
      expect(await manager.claimableOf(recipient, ETH)).to.equal(0n);
    });

    it("B-4: as user delays only itself: the hub's side of the settlement is free at once", async () => {
      const world = await fundedWorld();
      const { manager, hub, treasury, alice, carol, asset, paying } = world;
      const signed = await paying();
      await exitToDeadline(world, alice, signed);
      await putCode(alice.address, contract);
      const sent = manager.connect(carol).settle(...signed);
      await expect(sent).to.emit(manager, "PayoutFailed").withArgs(alice.address, ETH, alice.address, 90n);
      await expectMoved(sent, ETH, [[alice, 0n]]);
      await expectMoved(sent, asset, [[alice, 95n]]);
      await expectBooks(world, alice.address, { holdings: 140n, reserve: 50n, claimable: 90n });
      await expectMoved(manager.connect(hub).recallReserve(ETH, 50n), ETH, [[treasury, 50n]]);
    });

    it("as user of a reclaim leaves the ether to be claimed", async () => {
      const world = await fundedWorld();
      const { manager, alice, carol, asset } = world;
      const zero = unsigned(state(alice.address, [row({ asset })], { nonce: 0n }));
      await exitToDeadline(world, alice, zero);
      await manager.connect(carol).settle(...zero);
      await putCode(alice.address, contract);
      await expect(manager.connect(carol).reclaim(alice, 0n, ETH))
        .to.emit(manager, "PayoutFailed")
        .withArgs(alice.address, ETH, alice.address, 100n);
      await expectBooks(world, alice.address, { holdings: 140n, reserve: 40n, claimable: 100n });
    });

    it("costs the caller no more gas than the cap of one payout", async () => {
      const { manager, carol, paying } = await fundedWorld();
      const signed = await paying(await deployed(contract));
      const receipt = await (await manager.connect(carol).withdraw(...signed)).wait();
      expect(receipt!.gasUsed).to.be.below(300_000n);
    });
  });
}

describe("a receiver that re-enters", () => {
  const calls: readonly (readonly [name: string, args: (world: Funded) => unknown[]])[] = [
    ["claim", ({ alice }) => [ETH, alice.address]],
    ["reclaim", ({ alice }) => [alice.address, 0n, ETH]],
    ["recallReserve", () => [ETH, 1n]],
    ["fundReserve", ({ asset }) => [asset, 1n]],
    ["deposit", ({ alice, asset }) => [alice.address, asset, 1n, false]],
  ];

  for (const [name, args] of calls) {
    it(`into ${name} is refused, and is paid once`, async () => {
      const world = await fundedWorld();
      const { manager, address, carol, paying } = world;
      const receiver = await ethers.deployContract("ReentrantReceiver");
      await receiver.setCall(address, (manager.interface as Interface).encodeFunctionData(name, args(world)));
      const signed = await paying(await receiver.getAddress());
      await expectMoved(manager.connect(carol).withdraw(...signed), ETH, [
        [receiver, 30n],
        [address, -30n],
      ]);
      expect(await receiver.succeeded()).to.be.false;
      expect(await receiver.answer()).to.equal(manager.interface.getError("ReentrancyGuardReentrantCall")!.selector);
    });
  }

  it("into claim while it claims is refused, and is paid once", async () => {
    const world = await fundedWorld();
    const { manager, address, alice, carol, paying } = world;
    await manager.connect(carol).withdraw(...(await paying(await deployed("RevertingReceiver"))));
    const receiver = await ethers.deployContract("ReentrantReceiver");
    await receiver.setCall(address, manager.interface.encodeFunctionData("claim", [ETH, await receiver.getAddress()]));
    await expectMoved(manager.connect(alice).claim(ETH, receiver), ETH, [
      [receiver, 30n],
      [address, -30n],
    ]);
    expect(await receiver.answer()).to.equal(manager.interface.getError("ReentrancyGuardReentrantCall")!.selector);
  });
});

describe("accounts with code (EIP-7702)", () => {
  it("sign and are paid like any other", async () => {
    const world = await fundedWorld();
    const { manager, alice, hub, carol, paying } = world;
    for (const account of [alice, hub]) await putCode(account.address, "ThriftyReceiver", [1n]);
    const signed = await paying();
    await expectMoved(manager.connect(carol).withdraw(...signed), ETH, [[alice, 30n]]);
  });

  it("that delegate to a receiver which refuses leave the ether to be claimed", async () => {
    const world = await fundedWorld();
    const { manager, alice, carol, paying } = world;
    const signed = await paying();
    await setCode(alice.address, concat(["0xef0100", await deployed("RevertingReceiver")]));
    await expect(manager.connect(carol).withdraw(...signed))
      .to.emit(manager, "PayoutFailed")
      .withArgs(alice.address, ETH, alice.address, 30n);
    expect(await manager.claimableOf(alice, ETH)).to.equal(30n);
  });

  it("that delegate to a receiver which accepts are paid", async () => {
    const world = await fundedWorld();
    const { manager, alice, carol, paying } = world;
    const signed = await paying();
    await setCode(alice.address, concat(["0xef0100", await deployed("ThriftyReceiver", [40_000n])]));
    await expectMoved(manager.connect(carol).withdraw(...signed), ETH, [[alice, 30n]]);
  });
});

describe("a contract without a key as user", () => {
  it("that was unwilling when its channel settled claims later, when it is willing", async () => {
    const world = await freshWorld();
    const { manager, address, alice, hub, carol } = world;
    const user = await ethers.deployContract("ContractUser");
    const userAddress = await user.getAddress();
    await manager.connect(alice).deposit(user, ETH, 5n, false, { value: 5n });
    const zero = unsigned(state(userAddress, [row()], { nonce: 0n }));
    await manager.connect(hub).startExit(...zero);
    await time.increase(PERIOD);
    await manager.connect(carol).settle(...zero);
    await expectBooks(world, userAddress, { holdings: 5n, claimable: 5n });

    const claim = manager.interface.encodeFunctionData("claim", [ETH, userAddress]);
    await expect(user.execute(address, claim)).to.be.revertedWithCustomError(user, "CallFailed");
    await user.setWilling(true);
    await expectMoved(user.execute(address, claim), ETH, [[userAddress, 5n]]);
    await expectBooks(world, userAddress, {});
  });
});
