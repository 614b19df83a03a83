import { expect } from "chai";
import { hasCode } from "../../../client/errors";
import fc from "fast-check";
import type { OwnThread } from "../../../client/threads/own-thread";
import type { Proposal } from "../../../client/threads/peer-message";
import { threadUpdateType, UINT64_MAX, ZERO_HASH, type Hash } from "../../../protocol";
import { codeOf, expectCoded } from "../../support/expect-coded";
import { pair, type Pair, type Person } from "./pair";

describe("updates that both parties of a thread sign", () => {
  let two: Pair;
  let alice: Person;
  let bob: Person;
  let own: OwnThread;
  let accepts: (gain: bigint) => boolean;
  before(async () => {
    two = await pair({ alice: { policy: ({ gain }) => accepts(gain) }, bob: { policy: ({ gain }) => accepts(gain) } });
    ({ alice, bob } = two);
  });
  beforeEach(async () => {
    accepts = () => true;
    own = await two.agree({ updatable: true });
    alice.sent.length = bob.sent.length = 0;
  });

  const standing = ({ works }: Person) => works.book.get(own.hash).update?.update;
  const propose = (by: Person, balanceReceiver: bigint) => {
    const answer = by.works.updates.propose(own.hash, { balanceReceiver });
    answer.catch(() => undefined);
    return answer;
  };
  /** Until everything that runs has sent what it sends. */
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 4; i++) {
      await pause();
      await two.settle();
    }
  };
  /** A proposal of the other side for what stood before may win over it, which looks like a refusal; once, not for ever. */
  const untilTaken = async (by: Person, balanceReceiver: bigint): Promise<void> => {
    const first = propose(by, balanceReceiver);
    await settle();
    const isTaken = await first.then(
      () => true,
      (error: unknown) => !hasCode(error, "ThreadUpdateRefused"),
    );
    const last = isTaken ? first : propose(by, balanceReceiver);
    await settle();
    await last;
  };
  const signed = async (
    by: Person,
    nonce: bigint,
    balanceReceiver: bigint,
    threadHash: Hash = own.hash,
  ): Promise<Proposal> => {
    const update = { threadHash, nonce, balanceReceiver, appStateHash: ZERO_HASH };
    return { update, signature: await by.works.signer.signStatement(threadUpdateType, update, by.works.domain) };
  };

  it("hold on both sides once both have signed", async () => {
    const answer = propose(alice, 400n);
    await settle();
    expect((await answer).update).to.include({ nonce: 1n, balanceReceiver: 400n });
    expect(standing(bob)).to.deep.equal(standing(alice));
    const back = propose(bob, 100n);
    await settle();
    expect((await back).update).to.include({ nonce: 2n, balanceReceiver: 100n });
  });

  it("are refused by signing again, above, what stood, so that the refused one can never count", async () => {
    accepts = (gain) => gain >= 0n;
    const answer = propose(alice, 0n);
    await settle();
    await answer; // nothing changes
    const greedy = propose(bob, 900n);
    await settle();
    await expectCoded(greedy, "ThreadUpdateRefused");
    expect(standing(alice)).to.deep.include({ balanceReceiver: 0n, nonce: 3n });
    expect(standing(bob)).to.deep.equal(standing(alice));
  });

  it("give way to the higher address where both propose at one nonce, which then wins one nonce above", async () => {
    const [low, high] = alice.works.user < bob.works.user ? [alice, bob] : [bob, alice];
    const [lower, higher] = [propose(low, 300n), propose(high, 700n)];
    await settle();
    expect((await higher).update).to.include({ nonce: 2n, balanceReceiver: 700n });
    await expectCoded(lower, "ThreadUpdateOvertaken");
    expect(standing(low)).to.deep.equal(standing(high));
  });

  it("are signed at once where both propose the same", async () => {
    const both = [propose(alice, 500n), propose(bob, 500n)];
    await settle();
    for (const { update } of await Promise.all(both)) expect(update).to.include({ nonce: 1n, balanceReceiver: 500n });
  });

  it("N-7: are nothing where they are half signed, somebody else's, above the sum, or far above", async () => {
    const tries: readonly (readonly [string, Promise<Proposal>])[] = [
      ["InvalidSignature", signed(bob, 1n, 10n)],
      ["BalanceAboveSum", signed(alice, 1n, 1_001n)],
      ["ThreadHashMismatch", signed(alice, 1n, 10n, ZERO_HASH)],
      ["UpdateNotAllowed", signed(alice, 0n, 10n)],
      ["NonceTooHigh", signed(alice, UINT64_MAX, 10n)],
    ];
    for (const [code, proposal] of tries) {
      expect(await codeOf(bob.works.updates.receiveProposal(own.hash, await proposal)), code).to.equal(code);
    }
    expect(standing(bob)).to.equal(undefined);
    expect(bob.works.book.get(own.hash).ownUpdate).to.equal(undefined);
  });

  it("N-6: do not exist on a thread that is not updatable, and cannot lower what was paid", async () => {
    own = await two.agree();
    await alice.works.streaming.pay(own.hash, 10n);
    await settle();
    await expectCoded(propose(alice, 0n), "UpdateNotAllowed");
    await expectCoded(bob.works.updates.receiveProposal(own.hash, await signed(alice, 1n, 0n)), "UpdateNotAllowed");
  });

  it("are over once the thread is at the contract", async () => {
    const record = {
      balanceReceiver: 0n,
      nonce: 0n,
      deadline: 1n,
      resolved: false,
      senderPaid: false,
      receiverPaid: false,
    };
    await alice.works.book.note(own.hash, { onChain: record });
    await expectCoded(propose(alice, 1n), "ThreadDisputed");
  });

  it("whatever is lost, doubled or late: one signature per nonce and side, and both sides agree in the end", async function () {
    this.timeout(60_000);
    const step = fc.oneof(
      fc.record({ kind: fc.constant("propose" as const), by: fc.nat(1), balance: fc.bigInt(0n, 1_000n) }),
      fc.record({ kind: fc.constantFrom("deliver" as const, "lose" as const, "double" as const), by: fc.nat(1) }),
    );
    const lost = { propose: { kind: "propose", by: 1, balance: 0n }, lose: { kind: "lose", by: 1 } } as const;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.bigInt(-200n, 200n), async (steps, least) => {
        own = await two.agree({ updatable: true });
        accepts = (gain) => gain >= least;
        const signatures = watchSignatures([alice, bob]);
        for (const each of steps) {
          const by = [alice, bob][each.by] as Person;
          if (each.kind === "propose") void propose(by, each.balance);
          else if (each.kind === "lose") by.sent.shift();
          else if (each.kind === "double" && by.sent[0] !== undefined) by.sent.push(by.sent[0]);
          else await two.deliver(by);
          await new Promise((resolve) => setImmediate(resolve));
        }
        accepts = () => true;
        await settle();
        await untilTaken(alice, 123n);
        signatures.end();
        expect(standing(bob)).to.deep.equal(standing(alice));
        expect(signatures.doubled()).to.deep.equal([]);
      }),
      { numRuns: 60, examples: [[[lost.propose, lost.propose, lost.lose, lost.lose], 0n]] },
    );
  });
});

/** Everything that two people sign on threads, to be searched for two updates of one nonce by one hand. */
function watchSignatures(people: readonly Person[]): { end(): void; doubled(): readonly string[] } {
  const seen = new Map<string, Set<string>>();
  const undo = people.map(({ works }) => {
    const { signer } = works;
    const honest = signer.signStatement.bind(signer);
    const watched: typeof honest = (type, value, domain) => {
      const { threadHash, nonce } = value as { threadHash?: string; nonce?: bigint };
      const key = `${works.user} ${threadHash ?? ""} ${nonce ?? ""}`;
      const text = JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? each.toString() : each));
      if (type.name === "ThreadUpdate") seen.set(key, (seen.get(key) ?? new Set()).add(text));
      return honest(type, value, domain);
    };
    Object.assign(signer, { signStatement: watched });
    return () => Object.assign(signer, { signStatement: honest });
  });
  return {
    end: () => undo.forEach((each) => each()),
    doubled: () => [...seen].filter(([, texts]) => texts.size > 1).map(([key]) => key),
  };
}
