import { expect } from "chai";
import fc from "fast-check";
import { collect, fitted, formatContents, keysOf, parseContents } from "../../../client/backup/contents";
import { mergedThread, restoredRecord } from "../../../client/backup/merge";
import { aboveEverything, DEVICES, formatRecord, newRecord, type ChannelRecord } from "../../../client/engine/record";
import { memoryStore } from "../../../client/memory-store";
import { formatOwnThread, newOwnThread, type OwnThread } from "../../../client/threads/own-thread";
import { ZERO_ADDRESS, ZERO_HASH, type Thread } from "../../../protocol";
import { both, DOMAIN, funded, HUB, hubStep, pays, signUser, STRANGER, USER } from "../engine/scene";

const nonce = fc.bigInt(1n, 2n ** 40n);
const SIGNATURE = `0x${"5a".repeat(65)}` as const;

/** A record as engines have them: something both signed, something of the hub's on top, something of the user's. */
const record = fc
  .record({
    ...{ session: fc.bigInt(0n, 5n), base: fc.option(nonce), pending: fc.nat(3), issued: fc.nat(3) },
    ...{ device: fc.bigInt(0n, DEVICES - 1n), isComplete: fc.boolean(), wish: fc.option(fc.bigInt(1n, 10n ** 18n)) },
  })
  .map(({ session, base, pending, issued, device, isComplete, wish }): ChannelRecord => {
    const start = newRecord(USER, session, device);
    const own =
      base === null ? start : { ...start, doubleSigned: both(funded(base, { session })), highestSigned: base };
    let state = own.doubleSigned?.state ?? funded(0n, { session });
    const updates = Array.from({ length: pending }, () => {
      const step = hubStep(state, "Payment", pays(1n));
      state = step.state;
      return step.update;
    });
    const signed = Array.from({ length: issued }, (_, i) => {
      const after = { ...state, nonce: state.nonce + BigInt(i) + 1n };
      return { updates: [], state: after, sigUser: signUser(after), purpose: { kind: "update" } as const };
    });
    const wishes = wish === null ? [] : [{ recipient: STRANGER, assets: [{ asset: ZERO_ADDRESS, amount: wish }] }];
    return { ...own, pending: updates, issued: signed, wishes, isComplete };
  });

const threads = fc.array(
  fc.record({
    salt: fc.bigInt(0n, 2n ** 32n),
    paid: fc.bigInt(0n, 100n),
    leg: fc.constantFrom("none", "open", "closed"),
  }),
  { maxLength: 6 },
);

function threadOf({ salt, paid, leg }: { salt: bigint; paid: bigint; leg: string }): OwnThread {
  const terms: Thread = {
    ...{ sender: USER, receiver: STRANGER, asset: ZERO_ADDRESS, balanceSender: 100n, balanceReceiver: 0n },
    ...{
      app: ZERO_ADDRESS,
      appStateHash: ZERO_HASH,
      updatable: false,
      challengePeriod: 86_400n,
      expiry: 1_900_000_000n,
    },
    ...{ salt: `0x${salt.toString(16).padStart(64, "0")}` },
  } as unknown as Thread;
  const own = newOwnThread(terms);
  const payment = { payment: { threadHash: own.hash, balanceReceiver: paid }, sigSender: SIGNATURE };
  return { ...own, leg: leg as "open", sigSender: SIGNATURE, sigReceiver: SIGNATURE, payment };
}

async function storeOf(given: ChannelRecord, own: readonly OwnThread[]): Promise<ReturnType<typeof memoryStore>> {
  const store = memoryStore();
  const keys = keysOf(DOMAIN, USER);
  await store.write({
    [keys.channel]: formatRecord(given),
    [`${keys.archive}0`]: formatRecord(given),
    other: "not ours",
  });
  for (const thread of own) await store.write({ [keys.threads + thread.hash]: formatOwnThread(thread) });
  await store.write({ [`${keys.besides}swap`]: "a secret" });
  return store;
}

describe("what is in a backup", () => {
  it("comes back as it was, for whatever record and threads", async () => {
    const cases = fc.asyncProperty(record, threads, async (given, rows) => {
      const own = [...new Map(rows.map(threadOf).map((each) => [each.hash, each])).values()];
      const stored = await collect(await storeOf(given, own), keysOf(DOMAIN, USER), HUB, 5);
      const back = parseContents(formatContents(stored));
      expect(back.record).to.deep.equal(given);
      expect(new Set(back.threads.map(formatOwnThread))).to.deep.equal(new Set(own.map(formatOwnThread)));
      expect(back.archive).to.deep.equal({ "0": formatRecord(given) });
      expect(back.besides).to.deep.equal({ swap: "a secret" });
      expect([back.hub, back.madeAtMs]).to.deep.equal([HUB, 5]);
    });
    await fc.assert(cases, { numRuns: 100 });
  });

  it("is made to fit by leaving out what has ended first, and never the record", async () => {
    const rows = Array.from({ length: 60 }, (_, i) =>
      threadOf({ salt: BigInt(i), paid: 1n, leg: i < 30 ? "closed" : "open" }),
    );
    const stored = await collect(await storeOf(newRecord(USER, 0n, 1n), rows), keysOf(DOMAIN, USER), HUB, 5);
    const whole = formatContents(stored).length;
    for (const most of [whole, Math.floor(whole * 0.7), Math.floor(whole * 0.3), 600]) {
      const { stored: kept, leftOut } = fitted(stored, most);
      expect(formatContents(kept).length).to.be.at.most(Math.max(most, 600));
      const legs = parseContents(formatContents(kept)).threads.map(({ leg }) => leg);
      if (legs.includes("closed")) expect(legs.filter((leg) => leg === "open")).to.have.length(30);
      expect(leftOut === 0).to.equal(most === whole);
      expect(kept.record).to.equal(stored.record);
    }
  });
});

describe("a restored record", () => {
  it("is never complete, never signs near anything that was shown, and never has less than the store", () => {
    const cases = fc.property(record, record, fc.array(nonce, { maxLength: 3 }), (own, backup, shown) => {
      const given = { ...backup, session: own.session > backup.session ? backup.session : own.session };
      const restored = restoredRecord({ ...own, isComplete: false }, given, shown);
      expect(restored.isComplete).to.equal(false);
      const known = [own.highestSigned, given.highestSigned, given.doubleSigned?.state.nonce ?? 0n, ...shown];
      const top = known.reduce((a, b) => (a > b ? a : b));
      if (top > 0n) expect(restored.highestSigned >= top + 1_000n * DEVICES).to.equal(true);
      const base = restored.doubleSigned?.state.nonce ?? 0n;
      expect(base >= (own.doubleSigned?.state.nonce ?? 0n)).to.equal(true);
      expect(restored.device).to.equal(own.device);
      expect(restored.wishes).to.deep.equal(own.wishes.filter((wish) => restored.wishes.includes(wish)));
      for (const { state } of own.issued.filter((each) => each.state.nonce > base)) {
        expect(restored.issued.some((each) => each.state.nonce === state.nonce)).to.equal(true);
      }
    });
    fc.assert(cases, { numRuns: 300 });
  });

  it("that a complete store has more of already changes nothing", () => {
    const own = { ...newRecord(USER, 0n, 3n), doubleSigned: both(funded(50n)), highestSigned: 50n, isComplete: true };
    const old = { ...newRecord(USER, 0n, 4n), doubleSigned: both(funded(20n)), highestSigned: 20n };
    expect(restoredRecord(own, old, [])).to.equal(own);
    expect(restoredRecord(own, undefined, [50n])).to.equal(own);
    expect(restoredRecord(own, undefined, [51n])).to.deep.equal({ ...aboveEverything(own, 51n), isComplete: false });
  });

  it("does not ask for withdrawals again that an old backup remembers", () => {
    const wishes = [{ recipient: STRANGER, assets: [{ asset: ZERO_ADDRESS, amount: 5n }] }];
    const given = { ...newRecord(USER, 0n, 4n), doubleSigned: both(funded(20n)), wishes };
    expect(restoredRecord(newRecord(USER, 0n, 3n), given, []).wishes).to.deep.equal([]);
  });

  it("has of each thread the better proof, whichever side has it", () => {
    const low = threadOf({ salt: 1n, paid: 10n, leg: "open" });
    const high = threadOf({ salt: 1n, paid: 40n, leg: "open" });
    const closed = { ...low, leg: "closed" as const };
    expect(mergedThread(low, high).payment).to.deep.equal(high.payment);
    expect(mergedThread(high, low).payment).to.deep.equal(high.payment);
    expect(mergedThread(undefined, low)).to.equal(low);
    expect(mergedThread(closed, high).leg).to.equal("closed");
  });
});
