import { expect } from "chai";
import { takeSnapshot } from "@nomicfoundation/hardhat-network-helpers";
import { ZeroAddress } from "ethers";
import { expectBooks, expectMoved } from "../support/books";
import { ETH, row, state } from "../support/states";
import { collateralize, deposit, exitAndSettle, freshWorld, signState, unsigned, type World } from "../support/world";

const tokenOf = (world: World): Promise<string> => world.token.getAddress();

describe("deposit", () => {
  for (const [who, addressOf] of [
    ["the zero address", () => ZeroAddress],
    ["the hub", (world: World) => world.hub.address],
    ["the contract itself", (world: World) => world.address],
  ] as const) {
    it(`refuses ${who} as user`, async () => {
      const world = await freshWorld();
      const user = addressOf(world);
      await expect(world.manager.connect(world.carol).deposit(user, ETH, 5n, false, { value: 5n }))
        .to.be.revertedWithCustomError(world.manager, "InvalidUser")
        .withArgs(user);
    });
  }

  it("refuses to deposit nothing, of ETH or of a token", async () => {
    const { manager, alice, token } = await freshWorld();
    for (const asset of [ETH, token]) {
      await expect(manager.connect(alice).deposit(alice, asset, 0n, false)).to.be.revertedWithCustomError(
        manager,
        "ZeroAmount",
      );
    }
  });

  for (const value of [0n, 4n, 6n]) {
    it(`refuses ${String(value)} wei for a deposit of 5`, async () => {
      const { manager, alice } = await freshWorld();
      await expect(manager.connect(alice).deposit(alice, ETH, 5n, false, { value }))
        .to.be.revertedWithCustomError(manager, "WrongEtherValue")
        .withArgs(5n, value);
    });
  }

  for (const value of [1n, 5n]) {
    it(`refuses ${String(value)} wei with a token deposit of 5`, async () => {
      const { manager, alice, token } = await freshWorld();
      await expect(manager.connect(alice).deposit(alice, token, 5n, false, { value }))
        .to.be.revertedWithCustomError(manager, "WrongEtherValue")
        .withArgs(0n, value);
    });
  }

  it("refuses a token without code", async () => {
    const { manager, alice, bob } = await freshWorld();
    await expect(manager.connect(alice).deposit(alice, bob, 5n, false))
      .to.be.revertedWithCustomError(manager, "TokenWithoutCode")
      .withArgs(bob.address);
  });

  it("refuses a token without allowance", async () => {
    const { manager, address, alice, token } = await freshWorld();
    await token.connect(alice).approve(address, 4n);
    await expect(manager.connect(alice).deposit(alice, token, 5n, false))
      .to.be.revertedWithCustomError(token, "ERC20InsufficientAllowance")
      .withArgs(address, 4n, 5n);
  });

  it("credits ether to the user's counter", async () => {
    const world = await freshWorld();
    const { manager, address, alice } = world;
    const sent = manager.connect(alice).deposit(alice, ETH, 5n, false, { value: 5n });
    await expect(sent).to.emit(manager, "Deposited").withArgs(alice.address, ETH, alice.address, 0n, false, 5n);
    await expectMoved(sent, ETH, [
      [alice, -5n],
      [address, 5n],
    ]);
    await expectBooks(world, alice.address, { holdings: 5n, depositedUser: 5n });
  });

  it("credits a token to the hub's counter for whoever re-funds it", async () => {
    const world = await freshWorld();
    const { manager, address, alice, token } = world;
    const asset = await tokenOf(world);
    const sent = manager.connect(alice).deposit(alice, token, 7n, true);
    await expect(sent).to.emit(manager, "Deposited").withArgs(alice.address, asset, alice.address, 0n, true, 7n);
    await expectMoved(sent, asset, [
      [alice, -7n],
      [address, 7n],
    ]);
    await expectBooks(world, alice.address, { holdings: 7n, depositedHub: 7n }, { asset });
  });

  it("adds up, each side, each user and each asset apart", async () => {
    const world = await freshWorld();
    const { alice, bob } = world;
    const asset = await tokenOf(world);
    await deposit(world, alice, 5n);
    await deposit(world, alice, 11n);
    await deposit(world, alice, 17n, { forHub: true });
    await deposit(world, alice, 23n, { forHub: true });
    await deposit(world, alice, 100n, { asset });
    await deposit(world, bob, 1_000n);
    await expectBooks(world, alice.address, { holdings: 1_056n, depositedUser: 16n, depositedHub: 40n });
    await expectBooks(world, bob.address, { holdings: 1_056n, depositedUser: 1_000n });
    await expectBooks(world, alice.address, { holdings: 100n, depositedUser: 100n }, { asset });
  });

  it("goes into the current session, also while the channel is exiting", async () => {
    const world = await freshWorld();
    const { manager, alice } = world;
    await deposit(world, alice, 5n);
    await manager.connect(alice).startExit(...unsigned(state(alice.address, [row()], { nonce: 0n })));
    await deposit(world, alice, 6n);
    await expectBooks(world, alice.address, { holdings: 11n, depositedUser: 11n });
  });

  it("goes into the next session after a settlement", async () => {
    const world = await freshWorld();
    const { manager, alice } = world;
    await deposit(world, alice, 5n);
    await exitAndSettle(world, alice, unsigned(state(alice.address, [row()], { nonce: 0n })));
    await expect(manager.connect(alice).deposit(alice, ETH, 6n, false, { value: 6n }))
      .to.emit(manager, "Deposited")
      .withArgs(alice.address, ETH, alice.address, 1n, false, 6n);
    await expectBooks(world, alice.address, { holdings: 6n });
    await expectBooks(world, alice.address, { holdings: 6n, depositedUser: 6n }, { session: 1n });
  });

  it("needs nobody's consent: a stranger may pay for either side", async () => {
    const world = await freshWorld();
    const { manager, alice, carol, token } = world;
    const asset = await tokenOf(world);
    const sent = manager.connect(carol).deposit(alice, token, 9n, false);
    await expect(sent).to.emit(manager, "Deposited").withArgs(alice.address, asset, carol.address, 0n, false, 9n);
    await expectMoved(sent, asset, [
      [carol, -9n],
      [alice, 0n],
    ]);
    await expectBooks(world, alice.address, { holdings: 9n, depositedUser: 9n }, { asset });
  });

  it("C-8: takes the money of the caller, whoever else has approved the contract", async () => {
    const world = await freshWorld();
    const { manager, address, alice, others, token } = world;
    const penniless = others[0]!;
    await token.connect(penniless).approve(address, 9n);
    await expect(manager.connect(penniless).deposit(alice, token, 9n, false))
      .to.be.revertedWithCustomError(token, "ERC20InsufficientBalance")
      .withArgs(penniless.address, 0n, 9n);
    await expectMoved(manager.connect(world.bob).deposit(alice, token, 9n, true), await tokenOf(world), [
      [world.bob, -9n],
      [alice, 0n],
      [world.hub, 0n],
    ]);
  });

  it("N-11: a deposit that a reorganisation removed can be re-funded by anybody, so that later states count again", async () => {
    const world = await freshWorld();
    const { manager, alice, hub, carol } = world;
    const beforeTheFork = await takeSnapshot();
    await deposit(world, alice, 100n);
    await collateralize(world, alice, 40n);
    const rows = [row({ depositedUser: 100n, depositedHub: 40n, balanceUser: 60n, balanceHub: 80n })];
    const signed = await signState(world, alice, state(alice.address, rows));
    await beforeTheFork.restore();

    await expect(manager.connect(alice).startExit(...signed))
      .to.be.revertedWithCustomError(manager, "NotBacked")
      .withArgs(ETH, 0n, 0n);
    await manager.connect(hub).deposit(alice, ETH, 100n, false, { value: 100n });
    await expect(manager.connect(alice).startExit(...signed))
      .to.be.revertedWithCustomError(manager, "NotBacked")
      .withArgs(ETH, 0n, 100n);
    await manager.connect(carol).deposit(alice, ETH, 40n, true, { value: 40n });
    await manager.connect(alice).startExit(...signed);
  });
});
