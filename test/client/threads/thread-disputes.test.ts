import { expect } from "chai";
import fc from "fast-check";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import type { ClientView } from "../../../client/chain";
import { nextMove, type Situation } from "../../../client/threads/next-move";
import { provenOf, standingOf, type OwnThread } from "../../../client/threads/own-thread";
import { ThreadDisputes } from "../../../client/threads/thread-disputes";
import {
  addressOfPrivateKey,
  hashlockOf,
  threadUpdateType,
  parseAddress,
  signedAppState,
  signOutcome,
  ZERO_ADDRESS,
  type Hash,
  type Hex,
} from "../../../protocol";
import { expectCoded } from "../../support/expect-coded";
import { PERIOD } from "../../support/world";
import { pair, type Pair, type Person } from "./pair";

const PREIMAGE: Hex = `0x${"17".repeat(32)}`;
const ARBITER = Uint8Array.from({ length: 32 }, () => 9);

describe("a party's threads at the contract, without the hub", () => {
  let two: Pair;
  let alice: Person;
  let bob: Person;
  before(async () => {
    two = await pair({ alice: { policy: () => true }, bob: { policy: () => true } });
    ({ alice, bob } = two);
  });

  /** The session of their channels, as the chain would show it. */
  let session = 0n;
  const disputesOf = ({ works, log }: Person): ThreadDisputes =>
    new ThreadDisputes({
      ...{ works, defends: true, settles: true, log: (line) => log.push(line) },
      view: async (): Promise<ClientView> => {
        const [headTimestamp, headNumber] = [await time.latest(), await time.latestBlock()];
        return { session, ledgers: new Map(), headNumber, headTimestamp };
      },
      close: () => Promise.resolve(),
    });
  const recordOf = async ({ hash }: Pick<OwnThread, "hash">) => {
    const { balanceReceiver, nonce, resolved, deadline } = await two.world.manager.recordOf(hash);
    return { balanceReceiver, nonce, resolved, deadline };
  };
  const at = ({ works }: Person, { hash }: { readonly hash: Hash }): OwnThread => works.book.get(hash);
  const update = async (by: Person, hash: Hash, wish: Parameters<Person["works"]["updates"]["propose"]>[1]) => {
    const answer = by.works.updates.propose(hash, wish);
    for (let i = 0; i < 4; i++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      await two.settle();
    }
    await answer;
  };

  it("A-1: the sender opens the record at its terms, and the receiver by itself raises it to what was paid", async () => {
    const own = await two.agree();
    await alice.works.streaming.pay(own.hash, 9n);
    await two.settle();
    await (await disputesOf(alice).challenge(own.hash)).wait();
    expect(await recordOf(own)).to.include({ balanceReceiver: 0n });
    await disputesOf(bob).look();
    expect(await recordOf(own)).to.include({ balanceReceiver: 9n });
    await expectCoded(disputesOf(bob).challenge(own.hash), "NothingBetter");
    await expectCoded(disputesOf(alice).challenge(own.hash), "NothingBetter");
    await expectCoded(
      alice.works.streaming.pay(own.hash, 1n).then(() => disputesOf(alice).look(true)),
      "ThreadDisputed",
    );
  });

  it("N-6, N-7: the newest update that both signed stands, whoever shows an older one first", async () => {
    const own = await two.agree({ updatable: true });
    await update(alice, own.hash, { balanceReceiver: 700n });
    const stale = at(alice, own);
    await update(alice, own.hash, { balanceReceiver: 200n });
    await alice.works.book.save(stale);
    await (await disputesOf(alice).challenge(own.hash)).wait();
    expect(await recordOf(own)).to.include({ balanceReceiver: 700n, nonce: 1n });
    await disputesOf(bob).look();
    expect(await recordOf(own)).to.include({ balanceReceiver: 200n, nonce: 2n });
  });

  it("N-8: terms that differ in anything but the salt are another thread", async () => {
    const [own, other] = [
      await two.agree(),
      await two.agree({ salt: (await two.agree()).thread.salt, balanceSender: 5n }),
    ];
    await (await disputesOf(alice).challenge(other.hash)).wait();
    expect((await recordOf(own)).deadline).to.equal(0n);
  });

  it("a hashlocked payment is taken at the contract by its preimage, which the sender learns there", async () => {
    const app = parseAddress(await two.world.hashlock.getAddress());
    const own = await two.agree({ app }, hashlockOf(PREIMAGE));
    await bob.works.resolutions.resolve(own.hash, PREIMAGE);
    bob.sent.length = 0; // the sender hears nothing
    await (await disputesOf(bob).challenge(own.hash)).wait();
    expect(await recordOf(own)).to.include({ balanceReceiver: 1_000n, resolved: true });
    await disputesOf(alice).look();
    expect(at(alice, own).resolution?.resolver).to.equal(PREIMAGE);
  });

  it("an arbiter's word counts for a thread whose receiver has it", async () => {
    const app = parseAddress(await two.world.signedApp.getAddress());
    const own = await two.agree({ app }, signedAppState(addressOfPrivateKey(ARBITER)));
    const resolver = signOutcome(own.thread, 640n, ARBITER, bob.works.domain);
    expect(await bob.works.resolutions.resolve(own.hash, resolver)).to.equal(640n);
    await expectCoded(bob.works.resolutions.resolve(own.hash, `0x${"00".repeat(64)}`), "AppFailed");
    await (await disputesOf(bob).challenge(own.hash)).wait();
    expect(await recordOf(own)).to.include({ balanceReceiver: 640n, resolved: true });
  });

  it("N-10: deadline and window do not move, however often better evidence comes", async () => {
    const own = await two.agree({ updatable: true });
    await (await disputesOf(alice).challenge(own.hash)).wait();
    const { deadline } = await recordOf(own);
    await update(alice, own.hash, { balanceReceiver: 1n }).catch(() => undefined);
    for (const balance of [5n, 6n, 7n]) {
      const record = at(bob, own);
      const { hash, thread } = record;
      const content = { threadHash: hash, nonce: balance, balanceReceiver: balance, appStateHash: thread.appStateHash };
      const sign = ({ works }: Person) => works.signer.signStatement(threadUpdateType, content, works.domain);
      const signed = { update: content, sigSender: await sign(alice), sigReceiver: await sign(bob) };
      await bob.works.book.note(hash, { update: signed });
      await disputesOf(bob).look(true);
      expect(await recordOf(own)).to.include({ balanceReceiver: balance, deadline });
    }
  });

  it("a sender does not let an app's thread wait for ever: after its expiry it opens the record itself", async () => {
    const app = parseAddress(await two.world.hashlock.getAddress());
    const expiry = BigInt(await time.latest()) + 100n;
    const own = await two.agree({ app, expiry }, hashlockOf(PREIMAGE));
    await disputesOf(alice).look();
    expect((await recordOf(own)).deadline).to.equal(0n);
    await time.increase(Number(PERIOD / 2n) + 200);
    await disputesOf(alice).look();
    expect((await recordOf(own)).deadline).not.to.equal(0n);
  });

  it("property: after any payments and updates the receiver's evidence is taken, at the value it says", async function () {
    this.timeout(120_000);
    const step = fc.record({ amount: fc.bigInt(1n, 60n), isDelivered: fc.boolean(), isUpdate: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), async (steps, updatable) => {
        const own = await two.agree({ updatable });
        for (const { amount, isDelivered } of steps) {
          if (updatable) await update(alice, own.hash, { balanceReceiver: amount });
          else await alice.works.streaming.pay(own.hash, amount);
          if (isDelivered) await two.settle();
          else alice.sent.length = 0;
        }
        const expected = provenOf(at(bob, own));
        await (await disputesOf(bob).challenge(own.hash)).wait();
        expect(await recordOf(own)).to.include({ balanceReceiver: expected, nonce: standingOf(at(bob, own)).nonce });
        expect(expected <= provenOf(at(alice, own)) || updatable).to.equal(true);
      }),
      { numRuns: 40 },
    );
  });

  describe("what to do next", () => {
    let stream: OwnThread;
    before(async () => {
      session = 0n;
      stream = await two.agree();
    });
    const shown = {
      balanceReceiver: 0n,
      nonce: 0n,
      deadline: 100n,
      resolved: false,
      senderPaid: false,
      receiverPaid: false,
    };
    const situation = (overrides: Partial<Situation>): Situation => ({
      ...{ user: bob.works.user, record: undefined, nowSeconds: 10n, challengePeriodSeconds: PERIOD, session: "open" },
      ...overrides,
    });

    it("nothing while the channels go on and nobody has shown anything", () => {
      expect(nextMove(stream, situation({}))).to.equal(undefined);
    });

    it("the terms at least, when the own channel ends", () => {
      expect(nextMove(stream, situation({ session: "exiting" }))).to.equal("open");
      expect(nextMove(stream, situation({ session: "ended", user: alice.works.user }))).to.equal("open");
    });

    it("the leg's payout once the record is final, and once only", () => {
      const over = { nowSeconds: 100n, session: "ended" as const };
      expect(nextMove(stream, situation({ ...over, record: shown }))).to.equal("settle");
      expect(nextMove(stream, situation({ ...over, record: { ...shown, receiverPaid: true } }))).to.equal(undefined);
      expect(nextMove(stream, situation({ ...over, record: { ...shown, senderPaid: true } }))).to.equal("settle");
    });

    it("its end in a channel that goes on", () => {
      expect(nextMove(stream, situation({ record: shown, nowSeconds: 100n }))).to.equal("close");
    });

    it("no update in an app's last window, when the contract takes none", () => {
      const { hash, thread } = stream;
      const content = { threadHash: hash, nonce: 3n, balanceReceiver: 5n, appStateHash: thread.appStateHash };
      const app = parseAddress(`0x${"0a".repeat(20)}`);
      const of = (address: typeof app): OwnThread => ({
        ...stream,
        thread: { ...thread, updatable: true, app: address },
        update: { update: content, sigSender: "0x", sigReceiver: "0x" },
      });
      const late = situation({ record: { ...shown, deadline: PERIOD + 50n }, nowSeconds: 60n });
      expect(nextMove(of(app), late)).to.equal(undefined);
      expect(nextMove(of(app), { ...late, nowSeconds: 40n })).to.equal("update");
      expect(nextMove(of(ZERO_ADDRESS), late)).to.equal("update");
    });
  });
});
