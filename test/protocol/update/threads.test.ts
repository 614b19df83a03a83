import { expect } from "chai";
import fc from "fast-check";
import {
  advance,
  hashState,
  hashThread,
  next,
  rowOf,
  signDigest,
  digestOf,
  threadRoot,
  threadsAfter,
  unsignedState,
  ZERO_ADDRESS,
  ZERO_HASH,
  type ChannelState,
  type Hash,
  type Ledger,
  type Thread,
  type Update,
} from "../../../protocol";
import { expectCoded } from "../../support/expect-coded";
import { DOMAIN, HUB, PAYEE, STRANGER, updateContext, USER, type Party } from "../fixtures";

const NOW = updateContext({}).nowSeconds;
const FUNDED: Ledger = { depositedHub: 10_000n, depositedUser: 10_000n, withdrawnHub: 0n, withdrawnUser: 0n };
const LEDGERS = new Map([[ZERO_ADDRESS, FUNDED]]);

/** One channel with the list of its open threads. */
interface Leg {
  readonly state: ChannelState;
  readonly open: readonly Hash[];
}

function funded(party: Party): Leg {
  const empty = unsignedState(party.address, 0n, []);
  const args = { asset: ZERO_ADDRESS, depositedHub: 10_000n, depositedUser: 10_000n };
  return { state: next(empty, { reason: "Deposit", args, nonce: 1n, previous: hashState(empty) }), open: [] };
}

function terms(salt: number, overrides: Partial<Thread> = {}): Thread {
  return {
    salt: `0x${salt.toString(16).padStart(64, "0")}`,
    ...{ sender: USER.address, receiver: PAYEE.address, asset: ZERO_ADDRESS, balanceSender: 100n, balanceReceiver: 0n },
    ...{ updatable: false, expiry: NOW + 3_600n, app: ZERO_ADDRESS, appStateHash: ZERO_HASH },
    ...overrides,
  };
}

function sign(party: Party, hash: Hash): ReturnType<typeof signDigest> {
  return signDigest(digestOf(DOMAIN, hash), party.key);
}

function step(leg: Leg, reason: "OpenThread" | "CloseThread", args: object): Update {
  return { reason, args, nonce: leg.state.nonce + 1n, previous: hashState(leg.state) } as Update;
}

function opening(leg: Leg, thread: Thread, overrides: object = {}): Update {
  const hash = hashThread(thread);
  const args = { thread, sigSender: sign(USER, hash), sigReceiver: sign(PAYEE, hash), others: leg.open, ...overrides };
  return step(leg, "OpenThread", args);
}

function closing(leg: Leg, thread: Thread, balanceReceiver: bigint, overrides: object = {}): Update {
  const others = leg.open.filter((hash) => hash !== hashThread(thread));
  return step(leg, "CloseThread", { thread, balanceReceiver, others, ...overrides });
}

function take(leg: Leg, update: Update, author: "user" | "hub" = "user"): Leg {
  const context = updateContext({ author, nonceFloor: 0n, session: 0n, ledgers: LEDGERS });
  return { state: advance(leg.state, update, context), open: threadsAfter(leg.open, update) };
}

describe("threads in a channel", () => {
  const leg = funded(USER);

  it("A-9, A-10: both legs have the same leaf, and locked is what the leaves hold", () => {
    const thread = terms(1, { balanceReceiver: 30n });
    const [sender, receiver] = [take(leg, opening(leg, thread)), take(funded(PAYEE), opening(funded(PAYEE), thread))];
    expect(sender.state.threadRoot).to.equal(receiver.state.threadRoot);
    expect(rowOf(sender.state, ZERO_ADDRESS)).to.include({ balanceUser: 9_900n, balanceHub: 9_970n, locked: 130n });
    expect(rowOf(receiver.state, ZERO_ADDRESS)).to.include({ balanceUser: 9_970n, balanceHub: 9_900n, locked: 130n });
  });

  const refusals: readonly (readonly [string, () => Update, string])[] = [
    [
      "terms that the receiver has not signed",
      () => opening(leg, terms(1), { sigReceiver: sign(USER, hashThread(terms(1))) }),
      "InvalidSignature",
    ],
    [
      "terms that the sender has not signed",
      () => opening(leg, terms(1), { sigSender: sign(PAYEE, hashThread(terms(1))) }),
      "InvalidSignature",
    ],
    [
      "other threads than there are",
      () => opening(leg, terms(1), { others: [hashThread(terms(2))] }),
      "ThreadNotInRoot",
    ],
    ["the hub as a party", () => opening(leg, terms(1, { receiver: HUB.address })), "InvalidThread"],
    ["an expiry that has passed", () => opening(leg, terms(1, { expiry: NOW })), "InvalidThread"],
    ["an expiry in more than 30 days", () => opening(leg, terms(1, { expiry: NOW + 31n * 86_400n })), "InvalidThread"],
    ["a stake above the user's balance", () => opening(leg, terms(1, { balanceSender: 10_001n })), "BalanceTooLow"],
    ["a stake above the hub's balance", () => opening(leg, terms(1, { balanceReceiver: 10_001n })), "BalanceTooLow"],
  ];
  for (const [what, make, code] of refusals) {
    it(`refuses ${what}: ${code}`, () => expectCoded(() => take(leg, make()), code));
  }

  it("refuses a thread that is not of this channel's user", () =>
    expectCoded(() => next(funded(STRANGER).state, opening(funded(STRANGER), terms(1))), "NotThreadParty"));

  it("is opened by the user alone", () => expectCoded(() => take(leg, opening(leg, terms(1)), "hub"), "WrongAuthor"));

  it("refuses the same thread twice in one channel", () => {
    const once = take(leg, opening(leg, terms(1)));
    return expectCoded(() => take(once, opening(once, terms(1))), "DuplicateThread");
  });

  it("refuses to close what is not open, above the sum, or below nothing", async () => {
    const once = take(leg, opening(leg, terms(1)));
    await expectCoded(() => take(once, closing(once, terms(2), 0n)), "ThreadNotInRoot");
    await expectCoded(() => take(once, closing(once, terms(1), 101n)), "BalanceAboveSum");
    await expectCoded(() => take(once, closing(once, terms(1), -1n)), "InvalidValue");
  });

  it("A-9, N-6: any opening and closing over two channels keeps the roots, and the hub's net is zero", () => {
    const move = fc.record({
      close: fc.boolean(),
      which: fc.nat(20),
      sender: fc.bigInt(0n, 200n),
      receiver: fc.bigInt(0n, 200n),
      share: fc.nat(100),
    });
    fc.assert(
      fc.property(fc.array(move, { minLength: 1, maxLength: 30, size: "max" }), (moves) => {
        let [a, b] = [funded(USER), funded(PAYEE)];
        const open: Thread[] = [];
        for (const [i, { close, which, sender, receiver, share }] of moves.entries()) {
          const picked = open[which % Math.max(1, open.length)];
          if (close && picked !== undefined) {
            const outcome = ((picked.balanceSender + picked.balanceReceiver) * BigInt(share)) / 100n;
            [a, b] = [take(a, closing(a, picked, outcome)), take(b, closing(b, picked, outcome))];
            open.splice(open.indexOf(picked), 1);
          } else if (sender + receiver > 0n) {
            const thread = terms(i + 1, { balanceSender: sender, balanceReceiver: receiver });
            [a, b] = [take(a, opening(a, thread)), take(b, opening(b, thread))];
            open.push(thread);
          }
          for (const each of [a, b]) {
            expect(each.state.threadRoot).to.equal(threadRoot(open.map(hashThread)));
            const locked = open.reduce((sum, thread) => sum + thread.balanceSender + thread.balanceReceiver, 0n);
            expect(rowOf(each.state, ZERO_ADDRESS).locked).to.equal(locked);
          }
        }
        for (const thread of [...open]) [a, b] = [take(a, closing(a, thread, 0n)), take(b, closing(b, thread, 0n))];
        const hub = rowOf(a.state, ZERO_ADDRESS).balanceHub + rowOf(b.state, ZERO_ADDRESS).balanceHub;
        expect(hub).to.equal(20_000n);
      }),
      { numRuns: 60 },
    );
  });

  it("takes 64 threads and no more", () => {
    let full = leg;
    for (let i = 1; i <= 64; i++) full = take(full, opening(full, terms(i)));
    expect(full.open).to.have.lengthOf(64);
    expect(() => take(full, opening(full, terms(65)))).to.throw(/65 threads/);
  });
});
