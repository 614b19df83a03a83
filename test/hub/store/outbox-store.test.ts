import { expect } from "chai";
import { KEPT_EVENTS } from "../../../hub/store/outbox-store";
import { openSqliteStore } from "../../../hub/store/sqlite/open-store";
import type { Store } from "../../../hub/store/store";
import { party } from "../../protocol/fixtures";

const [ALICE, BOB] = [party(0x11).address, party(0x22).address];
const event = (amount: number) => ({ kind: "payment", payment: { amount: String(amount) } }) as const;

describe("OutboxStore", () => {
  let store: Store;

  beforeEach(() => (store = openSqliteStore(":memory:")));
  afterEach(() => store.database.close());

  const append = (user: typeof ALICE, ...amounts: readonly number[]): Promise<void> =>
    store.database.write((tx) => {
      for (const amount of amounts) store.outbox.append(tx, user, event(amount), amount);
    });
  const amountsAfter = async (user: typeof ALICE, cursor: bigint, limit = 2_000): Promise<readonly number[]> =>
    (await store.outbox.after(user, cursor, limit)).map((row) => {
      return Number((JSON.parse(row.event) as { payment: { amount: string } }).payment.amount);
    });

  it("gives each user its own events after a cursor, in order, up to a limit", async () => {
    await append(ALICE, 1, 2);
    await append(BOB, 3);
    await append(ALICE, 4);
    expect(await amountsAfter(ALICE, 0n)).to.deep.equal([1, 2, 4]);
    expect(await amountsAfter(BOB, 0n)).to.deep.equal([3]);
    const [first] = await store.outbox.after(ALICE, 0n, 1);
    expect(await amountsAfter(ALICE, first!.cursor)).to.deep.equal([2, 4]);
  });

  it("keeps nothing of a step that was not committed", async () => {
    const failing = store.database.write((tx) => {
      store.outbox.append(tx, ALICE, event(1), 1);
      throw new Error("refused");
    });
    expect(await failing.catch((error: unknown) => String(error))).to.equal("Error: refused");
    expect(await amountsAfter(ALICE, 0n)).to.deep.equal([]);
  });

  it("never gives a cursor twice, even when nothing is left", async () => {
    await append(ALICE, 1);
    const newest = await store.outbox.newestCursor();
    await store.database.write((tx) => store.outbox.prune(tx, 10));
    expect(await store.outbox.newestCursor()).to.equal(newest);
    await append(ALICE, 2);
    expect(await amountsAfter(ALICE, newest)).to.deep.equal([2]);
  });

  it("keeps the newest of each user, however busy the others are", async () => {
    const many = Array.from({ length: 400 }, (_, i) => i);
    await append(BOB, 7);
    for (let i = 0; i < 5; i++) await append(ALICE, ...many);
    const kept = await amountsAfter(ALICE, 0n);
    expect(kept).to.have.length.within(KEPT_EVENTS, KEPT_EVENTS + 257);
    expect(kept.at(-1)).to.equal(399);
    expect(await amountsAfter(BOB, 0n)).to.deep.equal([7]);
  });

  it("takes any cursor of the wire, and begins at 0", async () => {
    expect(await store.outbox.newestCursor()).to.equal(0n);
    await append(ALICE, 1);
    expect(await amountsAfter(ALICE, 2n ** 64n - 1n)).to.deep.equal([]);
  });
});
