import { expect } from "chai";
import { expectBooks, expectMoved } from "../support/books";
import { ETH, row, state, type AssetRow } from "../support/states";
import {
  collateralize,
  deposit,
  exitAndSettle,
  exitToDeadline,
  freshWorld,
  signState,
  unsigned,
  type World,
} from "../support/world";

interface Counters {
  readonly depositedUser?: bigint;
  readonly depositedHub?: bigint;
  readonly withdrawnUser?: bigint;
  readonly withdrawnHub?: bigint;
}

interface Ended extends World {
  readonly asset: string;
}

/** Alice's session 0 ended by a state that names ether only; of the token these counters are left. */
async function endedWorld(token: Counters): Promise<Ended> {
  const world = await freshWorld();
  const { manager, alice, carol } = world;
  const asset = await world.token.getAddress();
  const { depositedUser = 0n, depositedHub = 0n, withdrawnUser = 0n, withdrawnHub = 0n } = token;
  if (depositedUser > 0n) await deposit(world, alice, depositedUser, { asset });
  if (depositedHub > 0n) await collateralize(world, alice, depositedHub, asset);
  const rest = depositedUser + depositedHub - withdrawnUser - withdrawnHub;
  const named: AssetRow = row({ asset, ...token, balanceHub: rest });
  await manager.connect(carol).withdraw(...(await signState(world, alice, state(alice.address, [named]))));
  await deposit(world, alice, 5n);
  const zero = state(alice.address, [row()], { nonce: 0n });
  await exitAndSettle(world, alice, unsigned(zero));
  return { ...world, asset };
}

describe("reclaim", () => {
  it("refuses the current session, open or exiting, and any later one", async () => {
    const world = await freshWorld();
    const { manager, alice, carol } = world;
    await deposit(world, alice, 5n);
    for (const session of [0n, 1n, 2n ** 64n - 1n]) {
      await expect(manager.connect(carol).reclaim(alice, session, ETH))
        .to.be.revertedWithCustomError(manager, "SessionNotEnded")
        .withArgs(0n, session);
    }
    await exitToDeadline(world, alice, unsigned(state(alice.address, [row()], { nonce: 0n })));
    await expect(manager.connect(alice).reclaim(alice, 0n, ETH))
      .to.be.revertedWithCustomError(manager, "SessionNotEnded")
      .withArgs(0n, 0n);
  });

  it("refuses an asset that the settled state named, and one that never was there", async () => {
    const { manager, alice, bob, carol, asset } = await endedWorld({});
    for (const of of [ETH, asset, bob.address]) {
      await expect(manager.connect(carol).reclaim(alice, 0n, of))
        .to.be.revertedWithCustomError(manager, "NothingToReclaim")
        .withArgs(alice.address, 0n, of);
    }
  });

  it("refuses the current session after one has ended", async () => {
    const world = await endedWorld({ depositedUser: 3n });
    const { manager, alice, carol } = world;
    await deposit(world, alice, 9n);
    await expect(manager.connect(carol).reclaim(alice, 1n, ETH))
      .to.be.revertedWithCustomError(manager, "SessionNotEnded")
      .withArgs(1n, 1n);
  });

  const cases: readonly (readonly [title: string, token: Counters, user: bigint, hub: bigint])[] = [
    ["each side's own deposits", { depositedUser: 100n, depositedHub: 40n }, 100n, 40n],
    ["the user's deposits alone", { depositedUser: 100n }, 100n, 0n],
    ["the hub's deposits alone", { depositedHub: 40n }, 0n, 40n],
    [
      "deposits minus each side's own withdrawals",
      { depositedUser: 100n, depositedHub: 40n, withdrawnUser: 30n, withdrawnHub: 7n },
      70n,
      33n,
    ],
    [
      "all to the hub where the user took more than it put in",
      { depositedUser: 10n, depositedHub: 40n, withdrawnUser: 25n, withdrawnHub: 4n },
      0n,
      21n,
    ],
    [
      "all to the hub where the user took exactly what it put in",
      { depositedUser: 10n, depositedHub: 40n, withdrawnUser: 10n },
      0n,
      40n,
    ],
    [
      "all that is left to the user where the hub took more than it put in",
      { depositedUser: 100n, depositedHub: 5n, withdrawnHub: 45n },
      60n,
      0n,
    ],
    ["to the user never more than is left", { depositedUser: 100n, withdrawnUser: 1n, withdrawnHub: 98n }, 1n, 0n],
  ];
  for (const [title, token, amountUser, amountHub] of cases) {
    it(`pays ${title}`, async () => {
      const world = await endedWorld(token);
      const { manager, address, alice, hub, carol, asset } = world;
      const { withdrawnHub = 0n } = token;
      const sent = manager.connect(carol).reclaim(alice, 0n, asset);
      await expect(sent)
        .to.emit(manager, "Reclaimed")
        .withArgs(alice.address, asset, 0n, amountUser, amountHub)
        .and.not.to.emit(manager, "PayoutFailed");
      await expectMoved(sent, asset, [
        [address, -amountUser],
        [alice, amountUser],
        [carol, 0n],
        [hub, 0n],
      ]);
      const reserve = withdrawnHub + amountHub;
      await expectBooks(world, alice.address, { holdings: reserve, reserve }, { asset });
    });
  }

  it("pays ether the same way", async () => {
    const world = await freshWorld();
    const { manager, alice, carol } = world;
    const asset = await world.token.getAddress();
    await deposit(world, alice, 100n);
    await collateralize(world, alice, 40n);
    await deposit(world, alice, 3n, { asset });
    await exitAndSettle(world, alice, unsigned(state(alice.address, [row({ asset })], { nonce: 0n })));
    const sent = manager.connect(carol).reclaim(alice, 0n, ETH);
    await expect(sent).to.emit(manager, "Reclaimed").withArgs(alice.address, ETH, 0n, 100n, 40n);
    await expectMoved(sent, ETH, [[alice, 100n]]);
    await expectBooks(world, alice.address, { holdings: 40n, reserve: 40n });
  });

  it("pays the same to both where a stranger settled the unsigned state with a shorter list of assets", async () => {
    const world = await freshWorld();
    const { manager, alice, carol } = world;
    await deposit(world, alice, 100n);
    await collateralize(world, alice, 40n);
    await exitToDeadline(world, alice, unsigned(state(alice.address, [row()], { nonce: 0n })));
    await manager.connect(carol).settle(...unsigned(state(alice.address, [], { nonce: 0n })));
    await expectBooks(world, alice.address, { holdings: 140n, depositedUser: 100n, depositedHub: 40n });
    await expectMoved(manager.connect(carol).reclaim(alice, 0n, ETH), ETH, [[alice, 100n]]);
    await expectBooks(world, alice.address, { holdings: 40n, reserve: 40n });
  });

  it("pays once", async () => {
    const { manager, alice, carol, asset } = await endedWorld({ depositedUser: 100n, depositedHub: 40n });
    await manager.connect(carol).reclaim(alice, 0n, asset);
    await expect(manager.connect(carol).reclaim(alice, 0n, asset))
      .to.be.revertedWithCustomError(manager, "NothingToReclaim")
      .withArgs(alice.address, 0n, asset);
  });

  it("N-1: dropping a row and reclaiming it pays at most deposits minus withdrawals", async () => {
    const world = await freshWorld();
    const { manager, alice, bob, carol } = world;
    const asset = await world.token.getAddress();
    await deposit(world, bob, 500n, { asset });
    await deposit(world, alice, 100n, { asset });
    await deposit(world, alice, 5n);
    const withdrawn = row({ asset, depositedUser: 100n, withdrawnUser: 90n, balanceHub: 10n });
    await manager.connect(carol).withdraw(...(await signState(world, alice, state(alice.address, [withdrawn]))));
    const dropped = await signState(world, alice, state(alice.address, [row()], { nonce: 2n }));
    await exitAndSettle(world, alice, dropped);
    await expectMoved(manager.connect(alice).reclaim(alice, 0n, asset), asset, [[alice, 10n]]);
    await expectBooks(world, bob.address, { holdings: 500n, depositedUser: 500n }, { asset });
  });

  it("N-1: nothing is left to reclaim where everything was withdrawn, and arithmetic does not fail", async () => {
    const { manager, alice, carol, asset } = await endedWorld({
      depositedUser: 10n,
      depositedHub: 40n,
      withdrawnUser: 50n,
    });
    await expect(manager.connect(carol).reclaim(alice, 0n, asset))
      .to.be.revertedWithCustomError(manager, "NothingToReclaim")
      .withArgs(alice.address, 0n, asset);
  });
});
