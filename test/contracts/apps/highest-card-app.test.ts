import { expect } from "chai";
import { ethers } from "hardhat";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { id, keccak256 } from "ethers";
import type { HighestCardApp } from "../../../typechain-types";
import { PERIOD, freshWorld, signUpdate, type World } from "../../support/world";
import { agree, endSession, movementOf, recordOf, type Agreed } from "../../support/threads";
import { cardRound, showCards, type Card } from "../../support/thread-apps";

const card = (value: number): Card => ({ value, salt: id(`hides ${value}`) });

/** Alice and Bob put 50 each on a table; the terms themselves are no round. */
async function table(): Promise<{ world: World; game: HighestCardApp } & Agreed> {
  const world = await freshWorld();
  const game = await ethers.deployContract("HighestCardApp");
  const stakes = { balanceSender: 50n, balanceReceiver: 50n, updatable: true };
  const agreed = await agree(world, { ...stakes, app: await game.getAddress(), appStateHash: keccak256("0x") });
  return { world, game, ...agreed };
}

// The interface is general: a game that this repository does not ship plays on a thread as its own apps do.
describe("A game as a thread app", () => {
  const rounds: [what: string, sender: number, receiver: number, outcome: bigint][] = [
    ["the receiver's card is higher", 3, 9, 70n],
    ["the sender's card is higher", 9, 3, 30n],
    ["the cards are equal", 5, 5, 50n],
  ];
  for (const [what, sender, receiver, outcome] of rounds) {
    it(`pays ${outcome} of 100 to the receiver when ${what}`, async () => {
      const { world, thread, signed, hash } = await table();
      const { manager, alice, bob, carol } = world;
      const appState = cardRound(card(sender), card(receiver), 50n, 20n);
      const round = { nonce: 1n, balanceReceiver: 50n, appStateHash: keccak256(appState) };
      const update = await signUpdate(world, alice, bob, thread, round);
      await manager.resolveThreadWithUpdate(signed, update, appState, showCards(card(sender), card(receiver)));
      expect(await recordOf(world, hash)).to.include({ balanceReceiver: outcome, nonce: 1n, resolved: true });

      for (const user of [alice, bob]) await endSession(world, user, [thread]);
      const settle = manager.connect(carol);
      for (const [user, paid] of [
        [alice, 100n - outcome],
        [bob, outcome],
      ] as const) {
        const moved = await movementOf(world, { user, session: 0n }, () => settle.settleThread(user, 0n, thread, []));
        expect(moved).to.deep.equal({ user: paid, reserve: 100n - paid, locked: -100n, claimable: 0n, held: -paid });
      }
    });
  }

  it("plays round after round off chain, and a round that was left open gives the score before it", async () => {
    const { world, thread, signed, hash } = await table();
    const { manager, alice, bob, carol } = world;
    const [first, second] = [cardRound(card(3), card(9), 50n, 20n), cardRound(card(8), card(2), 70n, 25n)];
    const rounds = [
      { nonce: 1n, balanceReceiver: 50n, appStateHash: keccak256(first) },
      { nonce: 2n, balanceReceiver: 70n, appStateHash: keccak256(second) },
    ] as const;
    const [one, two] = [
      await signUpdate(world, alice, bob, thread, rounds[0]),
      await signUpdate(world, alice, bob, thread, rounds[1]),
    ];
    await manager.resolveThreadWithUpdate(signed, one, first, showCards(card(3), card(9)));
    await manager.challengeThreadWithUpdate(signed, two); // nobody shows the cards of the second round
    await endSession(world, bob, [thread]);
    expect(await recordOf(world, hash)).to.include({ balanceReceiver: 70n, nonce: 2n, resolved: false });
    await time.increase(PERIOD);
    await expect(manager.connect(carol).settleThread(bob, 0n, thread, [])).to.changeEtherBalance(bob, 70n);
  });

  it("does not let a player show another card than the one committed to, or the cards of another round", async () => {
    const { world, game, thread, signed } = await table();
    const { manager, alice, bob } = world;
    const appState = cardRound(card(3), card(9), 50n, 20n);
    await expect(game.resolve(thread, appState, showCards(card(10), card(9))))
      .to.be.revertedWithCustomError(game, "NotTheCommittedCard")
      .withArgs([10n, card(10).salt]);
    await expect(game.resolve(thread, appState, showCards(card(3), card(2))))
      .to.be.revertedWithCustomError(game, "NotTheCommittedCard")
      .withArgs([2n, card(2).salt]);
    const round = { nonce: 1n, balanceReceiver: 50n, appStateHash: keccak256(appState) };
    const update = await signUpdate(world, alice, bob, thread, round);
    await expect(manager.resolveThreadWithUpdate(signed, update, appState, showCards(card(10), card(9))))
      .to.be.revertedWithCustomError(manager, "AppFailed")
      .withArgs(thread.app);
  });
});
