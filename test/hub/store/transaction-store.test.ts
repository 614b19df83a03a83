import { expect } from "chai";
import type { Hash } from "../../../protocol";
import { ConflictError } from "../../../hub/store/database";
import { sqliteTransactionStore } from "../../../hub/store/sqlite/transaction-store";
import { migrate } from "../../../hub/store/sqlite/migrate";
import { MIGRATIONS } from "../../../hub/store/sqlite/migrations";
import { SqliteDatabase } from "../../../hub/store/sqlite/sqlite-database";
import type { Store } from "../../../hub/store/store";
import type { TransactionRow } from "../../../hub/store/transaction-store";
import { CONTRACT } from "../../protocol/fixtures";

const hash = (byte: string): Hash => `0x${byte.repeat(32)}`;

describe("TransactionStore", () => {
  let db: SqliteDatabase;
  let store: Pick<Store, "database" | "transactions">;
  beforeEach(() => {
    db = new SqliteDatabase(":memory:");
    migrate(db, MIGRATIONS);
    store = { database: db, transactions: sqliteTransactionStore(db) };
  });
  afterEach(() => db.close());

  const enqueue = (id: string, overrides: Partial<TransactionRow> = {}): Promise<void> =>
    store.database.write((tx) => {
      const base = { id, to: CONTRACT, data: "0x12", valueWei: 2n ** 100n, kind: "normal", createdAtMs: 1 } as const;
      store.transactions.enqueue(tx, { ...base, ...overrides });
    });
  const row = async (id: string): Promise<TransactionRow> => (await store.transactions.find(id))!;
  const send = async (id: string, nonce: number, transactionHash: Hash): Promise<void> => {
    const sent = { ...(await row(id)), nonce, gasLimit: 5n, maxFeePerGas: 2n ** 70n, maxPriorityFeePerGas: 1n };
    await store.database.write((tx) =>
      store.transactions.markSent(tx, { ...sent, sentAtMs: 7, freeBlock: 3 }, { transactionHash, raw: "0xab" }),
    );
  };
  const ids = (rows: readonly TransactionRow[]): readonly string[] => rows.map(({ id }) => id);

  it("gives back what was put in", async () => {
    await enqueue("a", { deadlineSeconds: 99, wantedGas: 21_000n });
    await send("a", 4, hash("01"));
    expect(await row("a")).to.deep.equal({
      ...{ id: "a", to: CONTRACT, data: "0x12", valueWei: 2n ** 100n, kind: "normal", createdAtMs: 1 },
      ...{ deadlineSeconds: 99, wantedGas: 21_000n, status: "sent", nonce: 4, gasLimit: 5n, maxFeePerGas: 2n ** 70n },
      ...{
        maxPriorityFeePerGas: 1n,
        sentAtMs: 7,
        freeBlock: 3,
        reverts: 0,
        failures: 0,
        isFinal: false,
        isTold: false,
      },
    });
    expect(await store.transactions.attempts({ id: "a", nonce: 4 })).to.deep.equal([
      { transactionHash: hash("01"), raw: "0xab" },
    ]);
    expect(await store.transactions.find("b")).to.equal(undefined);
  });

  it("queues disputes first, then as they came, and not what waits for a retry", async () => {
    await enqueue("late", { createdAtMs: 2 });
    await enqueue("early");
    await enqueue("dispute", { kind: "dispute", createdAtMs: 3 });
    expect(ids(await store.transactions.queued(9, 0))).to.deep.equal(["dispute", "early", "late"]);
    await store.database.write((tx) => store.transactions.postpone(tx, "early", 50));
    expect(ids(await store.transactions.queued(9, 49))).to.deep.equal(["dispute", "late"]);
    expect(ids(await store.transactions.queued(9, 50))).to.deep.equal(["dispute", "early", "late"]);
    expect((await row("early")).failures).to.equal(1);
  });

  it("gives a nonce to one row only, and a row's own nonce to all of its attempts", async () => {
    await enqueue("a");
    await enqueue("b");
    await send("a", 4, hash("01"));
    await send("a", 4, hash("02"));
    expect(await store.transactions.attempts({ id: "a", nonce: 4 })).to.have.length(2);
    const refused = [() => send("b", 4, hash("03")), () => send("a", 5, hash("04"))];
    for (const attempt of refused)
      expect(await attempt().catch((error: unknown) => error)).to.be.instanceOf(ConflictError);
    expect((await row("b")).status).to.equal("queued");
    expect(ids(await store.transactions.holders(4))).to.deep.equal(["a"]);
    expect(ids(await store.transactions.holders(5))).to.deep.equal([]);
  });

  it("gives a nonce back without forgetting what was signed with it", async () => {
    await enqueue("a");
    await send("a", 4, hash("01"));
    await store.database.write((tx) => store.transactions.requeue(tx, "a", 1));
    expect(await row("a")).to.deep.include({ status: "queued", reverts: 1 });
    expect(await store.transactions.attempts(await row("a")), "none with the nonce that it has now").to.deep.equal([]);
    expect(await store.transactions.attempts({ id: "a", nonce: 4 })).to.have.length(1);
    await send("a", 9, hash("02"));
  });

  it("ends once told, and is open again if a fork takes it back", async () => {
    await enqueue("a");
    await enqueue("b");
    await send("a", 4, hash("01"));
    await store.database.write((tx) => {
      store.transactions.markMined(tx, "a", hash("01"), 8);
      store.transactions.markFinal(tx, "a");
      store.transactions.markFailed(tx, "b", "NotHub");
    });
    expect(ids(await store.transactions.untold(9, 0))).to.deep.equal(["a", "b"]);
    expect(await store.transactions.countOpen()).to.equal(0);
    await store.database.write((tx) => store.transactions.postpone(tx, "a", 50));
    expect(ids(await store.transactions.untold(9, 0))).to.deep.equal(["b"]);
    await store.database.write((tx) => store.transactions.markTold(tx, "a"));
    await store.database.write((tx) => store.transactions.markUnmined(tx, "a"));
    expect(await row("a")).to.deep.include({ status: "sent", isFinal: false, isTold: false, nonce: 4 });
    expect(ids(await store.transactions.inFlight())).to.deep.equal(["a"]);
  });

  it("refuses what must never be", async () => {
    await enqueue("a");
    await enqueue("b");
    await send("a", 4, hash("01"));
    for (const sql of [
      "DELETE FROM transactions",
      "DELETE FROM transaction_attempts",
      "UPDATE transactions SET value_wei = '1'",
      "UPDATE transactions SET value_wei = '-1'",
      "UPDATE transactions SET is_told = 1",
      "UPDATE transactions SET is_final = 1 WHERE status = 'queued'",
      "UPDATE transactions SET status = 'mined' WHERE id = 'a'",
      "UPDATE transactions SET status = 'sent' WHERE id = 'b'",
      "UPDATE transactions SET status = 'failed', is_final = 1 WHERE id = 'b'",
      `INSERT INTO transaction_attempts VALUES ('${hash("01")}', 'b', 4, '0x')`,
      `INSERT INTO transaction_attempts VALUES ('${hash("05")}', 'nobody', 4, '0x')`,
    ]) {
      expect(() => db.exec(sql), sql).to.throw(/constraint failed/i);
    }
  });
});
