import { expect } from "chai";
import { ethers } from "hardhat";
import { setCode } from "@nomicfoundation/hardhat-network-helpers";
import { concat, toBeHex, zeroPadValue } from "ethers";
import { expectBooks, expectMoved } from "../support/books";
import { SETTLEMENT, hostileScene, type HostileScene } from "../support/hostile-scene";
import { ETH, row, state } from "../support/states";
import { deposit, exitAndSettle, exitToDeadline, freshWorld, signState, unsigned } from "../support/world";

const word = (n: bigint): string => toBeHex(n, 32);

/** One way in which a token that was fine when it came in fails to go out. */
interface Failure {
  readonly title: string;
  readonly contract: string;
  readonly turn: (scene: HostileScene) => Promise<void>;
}

const turned = async ({ hostile }: HostileScene): Promise<void> => {
  await hostile.turn(true);
};

const answering =
  (answer: string) =>
  async (scene: HostileScene): Promise<void> => {
    await (await ethers.getContractAt("GarbageToken", scene.asset)).setAnswer(answer);
    await turned(scene);
  };

const FAILURES: readonly Failure[] = [
  { title: "returns false", contract: "RefusingToken", turn: turned },
  { title: "answers 2", contract: "GarbageToken", turn: answering(word(2n)) },
  { title: "answers a huge number", contract: "GarbageToken", turn: answering(word(2n ** 256n - 1n)) },
  { title: "answers a single byte", contract: "GarbageToken", turn: answering("0x01") },
  { title: "answers 31 bytes", contract: "GarbageToken", turn: answering(`0x${"00".repeat(30)}01`) },
  { title: "answers false and more", contract: "GarbageToken", turn: answering(word(0n) + word(1n).slice(2)) },
  { title: "answers with a bomb of data", contract: "BombToken", turn: turned },
  {
    title: "reverts with a bomb of data",
    contract: "BombToken",
    turn: async (scene) => {
      await (await ethers.getContractAt("BombToken", scene.asset)).setReverting(true);
      await turned(scene);
    },
  },
  {
    title: "has frozen the user",
    contract: "FreezingToken",
    turn: async ({ asset, alice }) => {
      await (await ethers.getContractAt("FreezingToken", asset)).freeze(alice, true);
    },
  },
  {
    title: "has frozen the contract",
    contract: "FreezingToken",
    turn: async ({ asset, address }) => {
      await (await ethers.getContractAt("FreezingToken", asset)).freeze(address, true);
    },
  },
  { title: "burns all gas", contract: "GasBurningToken", turn: turned },
  { title: "has lost its code", contract: "NoZeroToken", turn: ({ asset }) => setCode(asset, "0x") },
];

for (const { title, contract, turn } of FAILURES) {
  describe(`a token that ${title}`, () => {
    async function turnedScene(): Promise<HostileScene> {
      const scene = await hostileScene(contract);
      await turn(scene);
      return scene;
    }

    it("withholds nothing else of a withdrawal, and its own part becomes claimable", async () => {
      const { manager, alice, carol, asset, healthy, signed } = await turnedScene();
      const sent = manager.connect(carol).withdraw(...signed);
      await expect(sent)
        .to.emit(manager, "PayoutFailed")
        .withArgs(alice.address, asset, alice.address, 30n)
        .and.to.emit(manager, "Withdrawn")
        .withArgs(alice.address, asset, alice.address, 0n, 1n, 30n, 3n);
      await expectMoved(sent, ETH, [[alice, 40n]]);
      await expectMoved(sent, healthy, [[alice, 50n]]);
      expect([await manager.claimableOf(alice, asset), await manager.reserveOf(asset)]).to.deep.equal([30n, 3n]);
      const { withdrawnUser, withdrawnHub } = await manager.ledgerOf(alice, 0n, asset);
      expect([withdrawnUser, withdrawnHub]).to.deep.equal([30n, 3n]);
      expect([await manager.claimableOf(alice, ETH), await manager.claimableOf(alice, healthy)]).to.deep.equal([
        0n,
        0n,
      ]);
    });

    it("B-5: withholds nothing else of a settlement, and its own part becomes claimable", async () => {
      const scene = await turnedScene();
      const { manager, alice, carol, asset, healthy, signed } = scene;
      await exitToDeadline(scene, alice, signed);
      const sent = manager.connect(carol).settle(...signed);
      await expect(sent).to.emit(manager, "PayoutFailed").withArgs(alice.address, asset, alice.address, 310n);
      await expectMoved(sent, ETH, [[alice, SETTLEMENT.ether.user]]);
      await expectMoved(sent, healthy, [[alice, SETTLEMENT.healthy.user]]);
      expect(await manager.claimableOf(alice, asset)).to.equal(SETTLEMENT.hostile.user);
      expect(await manager.reserveOf(asset)).to.equal(SETTLEMENT.hostile.hub);
      await expectBooks(scene, alice.address, { holdings: 60n, reserve: 60n });
      await expectBooks(scene, alice.address, {}, { asset: healthy });
    });

    it("leaves what is reclaimed of it to be claimed", async () => {
      const scene = await turnedScene();
      const { manager, alice, carol, asset, healthy } = scene;
      const zero = state(alice.address, [row(), row({ asset: healthy })], { nonce: 0n });
      await exitAndSettle(scene, alice, unsigned(zero));
      await expect(manager.connect(carol).reclaim(alice, 0n, asset))
        .to.emit(manager, "PayoutFailed")
        .withArgs(alice.address, asset, alice.address, 300n);
      expect([await manager.claimableOf(alice, asset), await manager.reserveOf(asset)]).to.deep.equal([300n, 70n]);
    });

    it("costs the caller no more gas than the cap of one payout", async () => {
      const { manager, carol, signed } = await turnedScene();
      const receipt = await (await manager.connect(carol).withdraw(...signed)).wait();
      expect(receipt!.gasUsed).to.be.below(520_000n);
    });
  });
}

describe("a token that recovers", () => {
  it("pays what it owes by a claim, once", async () => {
    const scene = await hostileScene("RefusingToken");
    const { manager, address, alice, carol, hostile, asset, signed } = scene;
    await hostile.turn(true);
    await manager.connect(carol).withdraw(...signed);
    await hostile.turn(false);
    await expectMoved(manager.connect(alice).claim(asset, alice), asset, [
      [address, -30n],
      [alice, 30n],
    ]);
    await expectBooks(
      scene,
      alice.address,
      { holdings: 340n, reserve: 3n, depositedUser: 300n, depositedHub: 70n, withdrawnUser: 30n, withdrawnHub: 3n },
      { asset },
    );
  });

  it("adds up what failed before", async () => {
    const scene = await hostileScene("RefusingToken");
    const { manager, alice, carol, hostile, asset, signed } = scene;
    await hostile.turn(true);
    await manager.connect(carol).withdraw(...signed);
    await exitAndSettle(scene, alice, signed);
    expect(await manager.claimableOf(alice, asset)).to.equal(310n);
  });
});

describe("a token whose answer has more than a word", () => {
  it("has paid if the first word is true", async () => {
    const scene = await hostileScene("GarbageToken");
    await answering(word(1n) + "ff")(scene);
    const { manager, alice, carol, asset, signed } = scene;
    await expect(manager.connect(carol).withdraw(...signed)).not.to.emit(manager, "PayoutFailed");
    expect(await manager.claimableOf(alice, asset)).to.equal(0n);
  });
});

describe("a token that lies", () => {
  it("B-5: about a reserve without bounds does not block the settlement or withdrawal of ether", async () => {
    const world = await freshWorld();
    const { manager, address, alice, bob, carol } = world;
    const token = await ethers.deployContract("LyingToken");
    const asset = await token.getAddress();
    await deposit(world, alice, 100n);
    await token.setLie(5n);
    await manager.connect(alice).deposit(alice, asset, 5n, true);
    await token.setLie(0n);
    await token.transfer(manager, 0n);
    // as raw calldata, so that the test also runs against a contract that takes amounts of 256 bits
    const { selector } = manager.interface.getFunction("fundReserve");
    const brimful = concat([selector, zeroPadValue(asset, 32), word(2n ** 256n - 1n)]);
    await token.setLie(2n ** 256n - 1n);
    await expect(bob.sendTransaction({ to: address, data: brimful })).to.be.reverted;
    await token.setLie(2n ** 128n - 1n);
    await manager.connect(bob).fundReserve(asset, 2n ** 128n - 1n);
    const rows = [
      row({ depositedUser: 100n, balanceUser: 90n, withdrawnUser: 10n }),
      row({ asset, depositedHub: 5n, balanceHub: 2n, withdrawnHub: 3n }),
    ];
    const signed = await signState(world, alice, state(alice.address, rows));
    await expectMoved(manager.connect(carol).withdraw(...signed), ETH, [[alice, 10n]]);
    await exitToDeadline(world, alice, signed);
    await expectMoved(manager.connect(carol).settle(...signed), ETH, [[alice, 90n]]);
  });

  it("N-4: of which there are seven, all burning gas, leaves the settlement of ether within a tenth of a block", async () => {
    const world = await freshWorld();
    const { manager, address, alice, carol } = world;
    await deposit(world, alice, 100n);
    const rows = [row({ depositedUser: 100n, balanceUser: 100n })];
    for (let i = 0; i < 7; i++) {
      const token = await ethers.deployContract("GasBurningToken");
      const asset = await token.getAddress();
      await token.mint(alice, 9n);
      await token.connect(alice).approve(address, 9n);
      await deposit(world, alice, 9n, { asset });
      await token.turn(true);
      rows.push(row({ asset, depositedUser: 9n, balanceUser: 9n }));
    }
    const signed = await signState(world, alice, state(alice.address, rows));
    await exitToDeadline(world, alice, signed);
    const sent = manager.connect(carol).settle(...signed, { gasLimit: 3_000_000n });
    await expectMoved(sent, ETH, [[alice, 100n]]);
    expect(await manager.claimableOf(alice, rows[1]!.asset)).to.equal(9n);
  });
});
