import { expect } from "chai";
import { ethers } from "hardhat";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import type { ConnextClient } from "../../../client";
import type { UpdateOffer } from "../../../client/threads/update-rules";
import { hashlockOf, parseAddress, ZERO_ADDRESS, type Address, type Hash, type Hex } from "../../../protocol";
import { expectCoded } from "../../support/expect-coded";
import { until } from "../../support/hub";
import { cardRound, showCards, type Card } from "../../support/thread-apps";
import { knows, threadScene, type ThreadScene } from "./thread-scene";

const PREIMAGE: Hex = `0x${"42".repeat(32)}`;
const OTHER: Hex = `0x${"43".repeat(32)}`;

describe("apps on threads", () => {
  let scene: ThreadScene;
  let alice: ConnextClient;
  let bob: ConnextClient;
  const heard: string[] = [];
  let decide: (offer: UpdateOffer) => boolean;
  before(async () => {
    const player = { acceptThread: () => true, acceptThreadUpdate: (offer: UpdateOffer) => decide(offer) };
    scene = await threadScene({ alice: player, bob: { ...player, logger: (line) => heard.push(line) } });
    ({ alice, bob } = scene);
  });
  beforeEach(() => {
    decide = () => true;
  });
  after(() => scene.close());

  const balances = (): readonly [bigint, bigint] => [alice.balanceOf(), bob.balanceOf()];
  const ended = (hash: Hash): Promise<void> =>
    until("both legs are closed", () => [alice, bob].every((each) => knows(each, { hash }).leg === "closed"));
  const moved = async (run: () => Promise<unknown>): Promise<readonly [bigint, bigint]> => {
    const before = balances();
    await run();
    const after = balances();
    return [after[0] - before[0], after[1] - before[1]];
  };

  it("a hashlocked payment is the receiver's once it shows the preimage", async () => {
    const change = await moved(async () => {
      const wish = { to: bob.address, asset: ZERO_ADDRESS, amount: 500n };
      const { hash } = await alice.apps.payHashlocked(wish, hashlockOf(PREIMAGE));
      await expectCoded(bob.apps.claimHashlocked(hash, OTHER), "AppStateMismatch");
      await expectCoded(alice.apps.claimHashlocked(hash, PREIMAGE), "WrongThreadRole");
      await bob.apps.claimHashlocked(hash, PREIMAGE);
      await ended(hash);
    });
    expect(change).to.deep.equal([-500n, 500n]);
  });

  it("a hashlocked payment is given up by its receiver alone, whoever else asks for that, and comes back then", async () => {
    const change = await moved(async () => {
      const wish = { to: bob.address, asset: ZERO_ADDRESS, amount: 500n };
      const { hash } = await alice.apps.payHashlocked(wish, hashlockOf(OTHER));
      const asked = alice.apps.uninstall(hash);
      await until("Bob has heard that Alice wants it closed", () => heard.some((line) => line.includes("stays open")));
      expect(knows(bob, { hash }).leg).to.equal("open");
      await bob.apps.uninstall(hash);
      await asked;
      await ended(hash);
    });
    expect(change).to.deep.equal([0n, 0n]);
  });

  it("a link to a known receiver is redeemed by its secret and needs no trust in the hub", async () => {
    const change = await moved(async () => {
      const wish = { to: bob.address, asset: ZERO_ADDRESS, amount: 700n };
      const { secret, own } = await alice.apps.createThreadLink(wish);
      await expectCoded(bob.apps.redeemThreadLink(own.hash, OTHER), "AppStateMismatch");
      await bob.apps.redeemThreadLink(own.hash, secret);
      await ended(own.hash);
    });
    expect(change).to.deep.equal([-700n, 700n]);
  });

  describe("a swap", () => {
    it("exchanges both parts or none, without trust in the hub or each other", async () => {
      const token = scene.world.tokenAddress;
      await bob.deposit({ asset: token, amount: 1_000n });
      await alice.requestCollateral({ asset: token, amount: 1_000n });
      await until("Alice can receive", async () => {
        return (await bob.recipientNeedsCollateral(alice.address, { asset: token, amount: 900n })) === 0n;
      });
      const before = [alice.balanceOf(token), bob.balanceOf(token)] as const;
      const give = { asset: ZERO_ADDRESS, amount: 10n };
      const want = { asset: token, amount: 900n };
      const change = await moved(async () => {
        const { gave, got } = await alice.swaps.swap({ to: bob.address, give, want }, (offer) => {
          void bob.swaps.join(offer, want);
        });
        await ended(got);
        await ended(gave);
        const [first, second] = [knows(alice, { hash: gave }), knows(alice, { hash: got })];
        const { challengePeriodSeconds } = alice.config;
        expect(first.thread.expiry - second.thread.expiry >= 2n * BigInt(challengePeriodSeconds)).to.equal(true);
      });
      expect(change).to.deep.equal([-10n, 10n]);
      expect([alice.balanceOf(token), bob.balanceOf(token)]).to.deep.equal([before[0] + 900n, before[1] - 900n]);
    });

    it("shows no secret for a part that is too small", async () => {
      const token = scene.world.tokenAddress;
      const want = { asset: token, amount: 50n };
      const swap = alice.swaps.swap({ to: bob.address, give: { asset: ZERO_ADDRESS, amount: 10n }, want }, (offer) => {
        void bob.swaps.join(offer, { asset: token, amount: 49n });
      });
      await expectCoded(swap, "SwapUnsafe");
      const given = alice.listThreads().filter(({ leg, thread }) => leg === "open" && thread.receiver === bob.address);
      expect(given).to.have.length(1);
      for (const { hash } of given) await bob.closeThread(hash);
      for (const { hash } of bob.listThreads().filter(({ leg }) => leg === "open")) await alice.closeThread(hash);
    });

    it("is joined only with the hash that was offered, and while there is time", async () => {
      const wish = { to: bob.address, asset: ZERO_ADDRESS, amount: 10n };
      const { hash: threadHash } = await alice.apps.payHashlocked(wish, hashlockOf(OTHER)); // no longer than a day
      const give = { asset: ZERO_ADDRESS, amount: 10n };
      await expectCoded(bob.swaps.join({ threadHash, hashlock: hashlockOf(PREIMAGE) }, give), "AppStateMismatch");
      await expectCoded(bob.swaps.join({ threadHash, hashlock: hashlockOf(OTHER) }, give), "SwapUnsafe");
      await bob.closeThread(threadHash);
    });
  });

  describe("a game of two players that this code knows nothing of", () => {
    const cards: readonly [Card, Card] = [
      { value: 9, salt: `0x${"a1".repeat(32)}` },
      { value: 4, salt: `0x${"b2".repeat(32)}` },
    ];
    let game: Address;
    before(async () => {
      game = parseAddress(await (await ethers.deployContract("HighestCardApp")).getAddress());
    });
    const round = (score: bigint, stake: bigint): Hex => cardRound(...cards, score, stake) as Hex;
    const install = (score = 100n): Promise<{ readonly hash: Hash }> =>
      alice.apps.install({
        ...{ to: bob.address, asset: ZERO_ADDRESS, amount: 100n, balanceReceiver: score, updatable: true },
        app: { address: game, appState: round(score, 0n) },
      });

    it("is played off chain, and closed by what it has decided", async () => {
      const change = await moved(async () => {
        const { hash } = await install();
        await alice.apps.update(hash, round(100n, 30n));
        expect(await bob.apps.resolve(hash, showCards(...cards) as Hex)).to.equal(70n); // Alice's nine beats the four
        await until("Alice has the cards too", () => knows(alice, { hash }).resolved === 70n);
        decide = () => false; // nobody needs to be asked for what the app has decided
        await alice.apps.uninstall(hash);
        await ended(hash);
      });
      expect(change).to.deep.equal([30n, -30n]);
    });

    it("takes no round that the other player does not accept", async () => {
      const { hash } = await install();
      decide = ({ gain, appState }) => gain >= 0n && appState === round(100n, 10n);
      await alice.apps.update(hash, round(100n, 10n));
      await expectCoded(alice.apps.update(hash, round(100n, 90n)), "ThreadUpdateRefused");
      await expectCoded(alice.apps.update(hash, round(100n, 10n), 90n), "ThreadUpdateRefused");
      expect(knows(bob, { hash }).update?.update.balanceReceiver).to.equal(100n);
      await alice.closeThread(hash);
      await ended(hash);
    });

    it("is played to its end at the contract when the other player leaves, and paid in both channels", async () => {
      const before = balances();
      const { hash } = await install();
      await alice.apps.update(hash, round(100n, 40n));
      await alice.apps.resolve(hash, showCards(...cards) as Hex);
      await (await alice.challengeThread(hash)).wait();
      const { manager } = scene.world;
      const record = await manager.recordOf(hash);
      expect([record.balanceReceiver, record.nonce, record.resolved]).to.deep.equal([60n, 1n, true]);
      await until("Alice's client has seen it", () => knows(alice, { hash }).onChain !== undefined);
      await expectCoded(alice.apps.update(hash, round(60n, 0n)), "ThreadDisputed");
      await time.increaseTo(record.deadline);
      await ended(hash);
      await until("both are paid", () => alice.balanceOf() === before[0] + 40n && bob.balanceOf() === before[1] - 40n);
    });
  });
});
