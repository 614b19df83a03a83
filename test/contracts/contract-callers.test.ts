import { expect } from "chai";
import { ethers } from "hardhat";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import type { Interface } from "ethers";
import type { ContractUser } from "../../typechain-types";
import { expectBooks, expectMoved } from "../support/books";
import { signPermit } from "../support/permits";
import { ETH, row, state } from "../support/states";
import { PERIOD, deposit, freshWorld, signState, unsigned, type SignedState, type World } from "../support/world";

interface Scene extends World {
  /** A contract that makes the calls that anybody tells it to make. */
  readonly caller: ContractUser;
  readonly callerAddress: string;
}

async function withContract(): Promise<Scene> {
  const world = await freshWorld();
  const caller = await ethers.deployContract("ContractUser");
  return { ...world, caller, callerAddress: await caller.getAddress() };
}

/** A second ChannelManager: its treasury is the contract, as a multi-signature wallet would be. */
async function withContractAsTreasury(): Promise<Scene> {
  const scene = await withContract();
  const manager = await ethers.deployContract("ChannelManager", [scene.hub, scene.caller, PERIOD]);
  return { ...scene, manager, address: await manager.getAddress() };
}

const encode = ({ manager }: World, name: string, args: readonly unknown[]): string =>
  (manager.interface as Interface).encodeFunctionData(name, args);

const virgin = (user: string): SignedState => unsigned(state(user, [row()], { nonce: 0n }));

describe("calls by a contract are the contract's own, whoever signed the transaction", () => {
  for (const party of ["hub", "treasury"] as const) {
    it(`refuses a recall of the reserve by a contract that the ${party} called`, async () => {
      const scene = await withContract();
      const { manager, address, caller, callerAddress } = scene;
      await manager.fundReserve(ETH, 5n, { value: 5n });
      await expect(caller.connect(scene[party]).execute(address, encode(scene, "recallReserve", [ETH, 5n])))
        .to.be.revertedWithCustomError(caller, "CallFailed")
        .withArgs(manager.interface.encodeErrorResult("NotHubOrTreasury", [callerAddress]));
      expect(await manager.reserveOf(ETH)).to.equal(5n);
    });
  }

  for (const party of ["alice", "hub", "treasury"] as const) {
    it(`refuses an exit of alice by a contract that ${party} called`, async () => {
      const scene = await withContract();
      const { manager, address, alice, caller, callerAddress } = scene;
      await deposit(scene, alice, 5n);
      await expect(caller.connect(scene[party]).execute(address, encode(scene, "startExit", virgin(alice.address))))
        .to.be.revertedWithCustomError(caller, "CallFailed")
        .withArgs(manager.interface.encodeErrorResult("NotParty", [callerAddress]));
      expect((await manager.channelOf(alice)).exitDeadline).to.equal(0n);
    });
  }

  it("names the contract as payer of what it deposits", async () => {
    const scene = await withContract();
    const { manager, address, alice, bob, caller, callerAddress } = scene;
    const call = encode(scene, "deposit", [alice.address, ETH, 5n, false]);
    const sent = caller.connect(bob).execute(address, call, { value: 5n });
    await expect(sent).to.emit(manager, "Deposited").withArgs(alice.address, ETH, callerAddress, 0n, false, 5n);
    await expectBooks(scene, alice.address, { holdings: 5n, depositedUser: 5n });
  });

  it("names the contract as payer of what it adds to the reserve", async () => {
    const scene = await withContract();
    const { manager, address, bob, caller, callerAddress } = scene;
    const sent = caller.connect(bob).execute(address, encode(scene, "fundReserve", [ETH, 5n]), { value: 5n });
    await expect(sent).to.emit(manager, "ReserveFunded").withArgs(ETH, callerAddress, 5n);
    expect(await manager.reserveOf(ETH)).to.equal(5n);
  });

  it("takes the contract's tokens, and does not use up a permit of whoever signed the transaction", async () => {
    const scene = await withContract();
    const { address, alice, caller, callerAddress, token } = scene;
    await token.mint(callerAddress, 5n);
    await caller.execute(token, token.interface.encodeFunctionData("approve", [address, 5n]));
    const asset = await token.getAddress();
    const call = encode(scene, "depositWithPermit", [
      alice.address,
      asset,
      5n,
      false,
      ...(await signPermit(scene, alice, 5n)),
    ]);
    await expectMoved(caller.connect(alice).execute(address, call), asset, [
      [callerAddress, -5n],
      [alice, 0n],
      [address, 5n],
    ]);
    expect(await token.nonces(alice)).to.equal(0n);
  });

  it("lets a contract claim what is its own, and nobody else", async () => {
    const scene = await withContract();
    const { manager, address, alice, bob, hub, caller, callerAddress } = scene;
    await manager.deposit(callerAddress, ETH, 5n, false, { value: 5n });
    await manager.connect(hub).startExit(...virgin(callerAddress));
    await time.increase(PERIOD);
    await manager.settle(...virgin(callerAddress));
    expect(await manager.claimableOf(callerAddress, ETH)).to.equal(5n);
    const sent = caller.connect(alice).execute(address, encode(scene, "claim", [ETH, bob.address]));
    await expect(sent).to.emit(manager, "Claimed").withArgs(callerAddress, ETH, bob.address, 5n);
    await expectMoved(sent, ETH, [
      [address, -5n],
      [bob, 5n],
    ]);
    expect(await manager.claimableOf(callerAddress, ETH)).to.equal(0n);
  });

  it("refuses a claim by a contract that has none, and names the contract", async () => {
    const scene = await withContract();
    const { manager, address, alice, caller, callerAddress } = scene;
    await expect(caller.connect(alice).execute(address, encode(scene, "claim", [ETH, alice.address])))
      .to.be.revertedWithCustomError(caller, "CallFailed")
      .withArgs(manager.interface.encodeErrorResult("NothingToClaim", [callerAddress, ETH]));
  });

  it("names the contract as the one who challenged", async () => {
    const scene = await withContract();
    const { manager, address, alice, bob, caller, callerAddress } = scene;
    await deposit(scene, alice, 5n);
    await manager.connect(alice).startExit(...virgin(alice.address));
    const newer = await signState(scene, alice, state(alice.address, [row({ depositedUser: 5n, balanceUser: 5n })]));
    await caller.connect(bob).execute(address, encode(scene, "challenge", newer));
    const [event] = await manager.queryFilter(manager.filters.ExitChallenged(alice));
    expect(event?.args.caller).to.equal(callerAddress);
    expect(event?.args.nonce).to.equal(1n);
  });

  it("lets a treasury that is a contract recall the reserve", async () => {
    const scene = await withContractAsTreasury();
    const { manager, address, bob, caller, callerAddress } = scene;
    await manager.fundReserve(ETH, 5n, { value: 5n });
    await caller.setWilling(true);
    const sent = caller.connect(bob).execute(address, encode(scene, "recallReserve", [ETH, 3n]));
    await expect(sent).to.emit(manager, "ReserveRecalled").withArgs(ETH, callerAddress, 3n);
    await expectMoved(sent, ETH, [
      [address, -3n],
      [callerAddress, 3n],
    ]);
  });

  it("lets a treasury that is a contract start an exit", async () => {
    const scene = await withContractAsTreasury();
    const { manager, address, alice, bob, caller, callerAddress } = scene;
    await manager.deposit(alice, ETH, 5n, false, { value: 5n });
    await caller.connect(bob).execute(address, encode(scene, "startExit", virgin(alice.address)));
    const [event] = await manager.queryFilter(manager.filters.ExitStarted(alice));
    expect(event?.args.caller).to.equal(callerAddress);
    expect((await manager.channelOf(alice)).exitDeadline).to.equal(event?.args.deadline);
  });
});
