import { expect } from "chai";
import { expectBooks, expectMoved } from "../support/books";
import { ETH, row, state, type AssetRow, type State } from "../support/states";
import {
  collateralize,
  deposit,
  freshWorld,
  signState,
  unsigned,
  type SignedState,
  type World,
} from "../support/world";

interface Funded extends World {
  readonly asset: string;
  /** Alice's state over 1000 wei of hers and 400 of the hub's, of which these amounts are withdrawn. */
  readonly withdrawing: (user: bigint, hub: bigint, overrides?: Partial<State>) => Promise<SignedState>;
}

/** Alice paid the hub 100 of her 1000; the hub put in 400. The same in the token, times two. */
const ethRow = (withdrawnUser: bigint, withdrawnHub: bigint): AssetRow =>
  row({
    depositedUser: 1_000n,
    depositedHub: 400n,
    withdrawnUser,
    withdrawnHub,
    balanceUser: 900n - withdrawnUser,
    balanceHub: 500n - withdrawnHub,
  });

async function fundedWorld(): Promise<Funded> {
  const world = await freshWorld();
  const asset = await world.token.getAddress();
  await deposit(world, world.alice, 1_000n);
  await collateralize(world, world.alice, 400n);
  await deposit(world, world.alice, 2_000n, { asset });
  await collateralize(world, world.alice, 800n, asset);
  const withdrawing = (user: bigint, hub: bigint, overrides: Partial<State> = {}): Promise<SignedState> =>
    signState(world, world.alice, state(world.alice.address, [ethRow(user, hub)], overrides));
  return { ...world, asset, withdrawing };
}

const LEDGER = { depositedUser: 1_000n, depositedHub: 400n };

describe("withdraw", () => {
  it("refuses while the channel is exiting", async () => {
    const { manager, alice, carol, withdrawing } = await fundedWorld();
    const signed = await withdrawing(30n, 7n);
    await manager.connect(alice).startExit(...signed);
    const { exitDeadline } = await manager.channelOf(alice);
    await expect(manager.connect(carol).withdraw(...signed))
      .to.be.revertedWithCustomError(manager, "ChannelExiting")
      .withArgs(exitDeadline);
  });

  it("refuses a state older than a withdrawal of the user, or of the hub", async () => {
    const { manager, carol, withdrawing } = await fundedWorld();
    const olderUser = await withdrawing(29n, 7n);
    const olderHub = await withdrawing(30n, 6n, { nonce: 9n });
    await manager.connect(carol).withdraw(...(await withdrawing(30n, 7n, { nonce: 2n })));
    for (const older of [olderUser, olderHub]) {
      await expect(manager.connect(carol).withdraw(...older))
        .to.be.revertedWithCustomError(manager, "NotFresh")
        .withArgs(ETH, 7n, 30n);
    }
  });

  it("pays the user's part to the user and the hub's part to the reserve, whoever relays it", async () => {
    const world = await fundedWorld();
    const { manager, address, hub, alice, carol, withdrawing } = world;
    const sent = manager.connect(carol).withdraw(...(await withdrawing(30n, 7n, { nonce: 5n })));
    await expect(sent)
      .to.emit(manager, "Withdrawn")
      .withArgs(alice.address, ETH, alice.address, 0n, 5n, 30n, 7n)
      .and.not.to.emit(manager, "PayoutFailed");
    await expectMoved(sent, ETH, [
      [address, -30n],
      [alice, 30n],
      [hub, 0n],
      [carol, 0n],
    ]);
    await expectBooks(world, alice.address, {
      ...LEDGER,
      holdings: 1_370n,
      reserve: 7n,
      withdrawnUser: 30n,
      withdrawnHub: 7n,
    });
  });

  it("pays the recipient that the state names", async () => {
    const world = await fundedWorld();
    const { manager, alice, bob, carol, withdrawing } = world;
    const sent = manager.connect(carol).withdraw(...(await withdrawing(30n, 7n, { recipient: bob.address })));
    await expect(sent).to.emit(manager, "Withdrawn").withArgs(alice.address, ETH, bob.address, 0n, 1n, 30n, 7n);
    await expectMoved(sent, ETH, [
      [alice, 0n],
      [bob, 30n],
    ]);
    await expectBooks(world, alice.address, {
      ...LEDGER,
      holdings: 1_370n,
      reserve: 7n,
      withdrawnUser: 30n,
      withdrawnHub: 7n,
    });
  });

  it("executes the difference to what was paid before", async () => {
    const world = await fundedWorld();
    const { manager, address, alice, carol, withdrawing } = world;
    await manager.connect(carol).withdraw(...(await withdrawing(30n, 7n)));
    const sent = manager.connect(carol).withdraw(...(await withdrawing(230n, 60n, { nonce: 2n })));
    await expect(sent).to.emit(manager, "Withdrawn").withArgs(alice.address, ETH, alice.address, 0n, 2n, 200n, 53n);
    await expectMoved(sent, ETH, [
      [address, -200n],
      [alice, 200n],
    ]);
    await expectBooks(world, alice.address, {
      ...LEDGER,
      holdings: 1_170n,
      reserve: 60n,
      withdrawnUser: 230n,
      withdrawnHub: 60n,
    });
  });

  it("withdraws of the hub alone without paying anybody", async () => {
    const world = await fundedWorld();
    const { manager, address, alice, carol, withdrawing } = world;
    const sent = manager.connect(carol).withdraw(...(await withdrawing(0n, 7n)));
    await expect(sent).to.emit(manager, "Withdrawn").withArgs(alice.address, ETH, alice.address, 0n, 1n, 0n, 7n);
    await expectMoved(sent, ETH, [
      [address, 0n],
      [alice, 0n],
    ]);
    await expectBooks(world, alice.address, { ...LEDGER, holdings: 1_400n, reserve: 7n, withdrawnHub: 7n });
  });

  it("withdraws of the user alone without touching the reserve", async () => {
    const world = await fundedWorld();
    const { manager, alice, carol, withdrawing } = world;
    const sent = manager.connect(carol).withdraw(...(await withdrawing(30n, 0n)));
    await expect(sent).to.emit(manager, "Withdrawn").withArgs(alice.address, ETH, alice.address, 0n, 1n, 30n, 0n);
    await expectMoved(sent, ETH, [[alice, 30n]]);
    await expectBooks(world, alice.address, { ...LEDGER, holdings: 1_370n, withdrawnUser: 30n });
  });

  it("E-2: says per asset what was paid, and nothing of assets that did not move", async () => {
    const world = await fundedWorld();
    const { manager, address, alice, bob, carol, asset } = world;
    const tokenRow = row({ asset, depositedUser: 2_000n, depositedHub: 800n, balanceUser: 1_500n, balanceHub: 1_289n });
    const both = [ethRow(30n, 7n), { ...tokenRow, withdrawnUser: 11n }];
    const first = await signState(world, alice, state(alice.address, both, { nonce: 3n, recipient: bob.address }));
    const sent = manager.connect(carol).withdraw(...first);
    await expect(sent)
      .to.emit(manager, "Withdrawn")
      .withArgs(alice.address, ETH, bob.address, 0n, 3n, 30n, 7n)
      .and.to.emit(manager, "Withdrawn")
      .withArgs(alice.address, asset, bob.address, 0n, 3n, 11n, 0n);
    await expectMoved(sent, asset, [
      [address, -11n],
      [alice, 0n],
      [bob, 11n],
    ]);
    await expectMoved(sent, ETH, [[bob, 30n]]);

    const onlyEth = [ethRow(130n, 7n), { ...tokenRow, withdrawnUser: 11n }];
    const second = await signState(world, alice, state(alice.address, onlyEth, { nonce: 4n }));
    const receipt = await (await manager.connect(carol).withdraw(...second)).wait();
    expect(receipt!.logs).to.have.lengthOf(1);
    await expectBooks(
      world,
      alice.address,
      { holdings: 2_789n, depositedUser: 2_000n, depositedHub: 800n, withdrawnUser: 11n },
      { asset },
    );
  });

  it("A-3: the same state again moves nothing", async () => {
    const world = await fundedWorld();
    const { manager, address, alice, carol, withdrawing } = world;
    const signed = await withdrawing(30n, 7n);
    await manager.connect(carol).withdraw(...signed);
    const again = manager.connect(alice).withdraw(...signed);
    await expectMoved(again, ETH, [
      [address, 0n],
      [alice, 0n],
    ]);
    expect((await (await again).wait())!.logs).to.be.empty;
    await expectBooks(world, alice.address, {
      ...LEDGER,
      holdings: 1_370n,
      reserve: 7n,
      withdrawnUser: 30n,
      withdrawnHub: 7n,
    });
  });

  it("A-3: any later state with the same counters moves nothing, and an older one no more than it withdraws", async () => {
    const world = await fundedWorld();
    const { manager, address, carol, withdrawing } = world;
    await manager.connect(carol).withdraw(...(await withdrawing(30n, 7n, { nonce: 2n })));
    for (const nonce of [3n, 2n ** 64n - 1n, 1n]) {
      await expectMoved(manager.connect(carol).withdraw(...(await withdrawing(30n, 7n, { nonce }))), ETH, [
        [address, 0n],
      ]);
    }
    expect(await manager.reserveOf(ETH)).to.equal(7n);
  });

  it("moves nothing for the unsigned state", async () => {
    const world = await fundedWorld();
    const { manager, alice, carol } = world;
    const sent = manager.connect(carol).withdraw(...unsigned(state(alice.address, [row()], { nonce: 0n })));
    expect((await (await sent).wait())!.logs).to.be.empty;
    await expectBooks(world, alice.address, { ...LEDGER, holdings: 1_400n });
  });

  it("lets both leave with everything at once, without a window, and go on in the same session", async () => {
    const world = await fundedWorld();
    const { manager, alice, carol, withdrawing } = world;
    await expectMoved(manager.connect(carol).withdraw(...(await withdrawing(900n, 500n))), ETH, [[alice, 900n]]);
    const empty = { ...LEDGER, holdings: 500n, reserve: 500n, withdrawnUser: 900n, withdrawnHub: 500n };
    await expectBooks(world, alice.address, empty);
    await deposit(world, alice, 50n);
    await expectBooks(world, alice.address, { ...empty, holdings: 550n, depositedUser: 1_050n });
  });

  it("does not depend on the sender: deposits that came later stay where they are", async () => {
    const world = await fundedWorld();
    const { manager, alice, carol, withdrawing } = world;
    const signed = await withdrawing(30n, 7n);
    await deposit(world, alice, 77n);
    await manager.connect(carol).withdraw(...signed);
    await expectBooks(world, alice.address, {
      holdings: 1_447n,
      reserve: 7n,
      depositedUser: 1_077n,
      depositedHub: 400n,
      withdrawnUser: 30n,
      withdrawnHub: 7n,
    });
  });
});
