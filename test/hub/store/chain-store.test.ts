import { expect } from "chai";
import type { ChainEvent } from "../../../protocol/chain/events";
import type { Hash } from "../../../protocol";
import { sqliteChainStore } from "../../../hub/store/sqlite/chain-store";
import { migrate } from "../../../hub/store/sqlite/migrate";
import { MIGRATIONS } from "../../../hub/store/sqlite/migrations";
import { SqliteDatabase } from "../../../hub/store/sqlite/sqlite-database";
import type { Store } from "../../../hub/store/store";
import { party, TOKEN } from "../../protocol/fixtures";

const USER = party(0x22).address;

function hashOf(number: number, branch = 0): Hash {
  return `0x${branch.toString(16).padStart(32, "0")}${number.toString(16).padStart(32, "0")}`;
}

function event(blockNumber: number, logIndex = 0, branch = 0): ChainEvent {
  const place = { blockNumber, logIndex, blockHash: hashOf(blockNumber, branch), transactionHash: hashOf(0) };
  return { name: "Collateralized", user: USER, asset: TOKEN, amount: BigInt(blockNumber), ...place };
}

describe("ChainStore", () => {
  let db: SqliteDatabase;
  let store: Pick<Store, "database" | "chain">;
  beforeEach(() => {
    db = new SqliteDatabase(":memory:");
    migrate(db, MIGRATIONS);
    store = { database: db, chain: sqliteChainStore(db) };
  });
  afterEach(() => db.close());

  const add = (...events: readonly ChainEvent[]): Promise<void> =>
    store.database.write((tx) => {
      const blocks = events.map(({ blockNumber: number, blockHash: hash }) => ({ number, hash }));
      store.chain.addBlocks(tx, blocks, events);
    });
  const open = async (): Promise<readonly string[]> =>
    (await store.chain.open(99)).map((each) => `${each.status} ${each.event.blockNumber}.${each.event.logIndex}`);

  it("gives back an event as it came, whatever its values", async () => {
    const exit: ChainEvent = {
      ...{ name: "ExitStarted", user: USER, caller: USER, session: 2n ** 63n, nonce: 7n, stateHash: hashOf(9) },
      ...{ deadline: 1_790_000_000n, sigHub: "0x12", sigUser: "0x" },
      ...{ blockNumber: 5, logIndex: 3, blockHash: hashOf(5), transactionHash: hashOf(6) },
    };
    const thread: ChainEvent = {
      ...{
        name: "ThreadResolved",
        threadHash: hashOf(1),
        sender: USER,
        receiver: TOKEN,
        nonce: 1n,
        balanceReceiver: 2n,
      },
      ...{
        deadline: 3n,
        resolver: "0xab",
        blockNumber: 6,
        logIndex: 0,
        blockHash: hashOf(6),
        transactionHash: hashOf(7),
      },
    };
    await add(exit, thread);
    expect((await store.chain.open(9)).map((each) => each.event)).to.deep.equal([exit, thread]);
  });

  it("keeps an event once, however often it is read", async () => {
    await add(event(5), event(5, 1));
    await add(event(5, 1), event(5));
    expect(await open()).to.deep.equal(["seen 5.0", "seen 5.1"]);
  });

  it("opens an event again with each status, and closes it when that was told", async () => {
    await add(event(5), event(9));
    await store.database.write((tx) => store.chain.markTold(tx, event(5), "seen"));
    expect(await open()).to.deep.equal(["seen 9.0"]);
    await store.database.write((tx) => store.chain.confirmUpTo(tx, 8));
    expect(await open()).to.deep.equal(["confirmed 5.0", "seen 9.0"]);
    expect(await store.chain.confirmedNumber()).to.equal(8);
    await store.database.write((tx) => store.chain.dropAbove(tx, 6));
    expect(await open()).to.deep.equal(["dropped 9.0", "confirmed 5.0"]);
    expect(await store.chain.confirmedNumber()).to.equal(6);
    expect(await store.chain.newestBlock()).to.deep.equal({ number: 5, hash: hashOf(5) });
  });

  it("remembers that what is gone had been confirmed, and forgets it if it comes back", async () => {
    await add(event(5));
    await store.database.write((tx) => store.chain.confirmUpTo(tx, 5));
    await store.database.write((tx) => store.chain.dropAbove(tx, 4));
    expect((await store.chain.open(1))[0]).to.deep.include({ status: "dropped", wasConfirmed: true });
    await add(event(5));
    expect((await store.chain.open(1))[0]).to.deep.include({ status: "seen", wasConfirmed: false });
  });

  it("keeps both of two branches apart", async () => {
    await add(event(5));
    await store.database.write((tx) => store.chain.dropAbove(tx, 4));
    await add(event(5, 0, 1));
    expect(await open()).to.deep.equal(["dropped 5.0", "seen 5.0"]);
    expect((await store.chain.newestBlock())?.hash).to.equal(hashOf(5, 1));
  });

  it("H-8: pages past any number of events whose handlers fail", async () => {
    await add(...Array.from({ length: 25 }, (_, i) => event(i + 1)));
    const seen: number[] = [];
    for (let page = await store.chain.open(10); page.length > 0; page = await store.chain.open(10, page.at(-1))) {
      seen.push(...page.map((each) => each.event.blockNumber));
    }
    expect(seen).to.deep.equal(Array.from({ length: 25 }, (_, i) => i + 1));
  });

  it("counts failures until one works", async () => {
    await add(event(5));
    for (const retryAtMs of [100, 200]) {
      await store.database.write((tx) => store.chain.markUntold(tx, event(5), retryAtMs));
    }
    expect((await store.chain.open(1))[0]).to.deep.include({ failures: 2, retryAtMs: 200, told: "" });
    await store.database.write((tx) => store.chain.markTold(tx, event(5), "seen"));
    await store.database.write((tx) => store.chain.confirmUpTo(tx, 5));
    expect((await store.chain.open(1))[0]).to.deep.include({ failures: 0, retryAtMs: 0, told: "seen" });
  });

  it("forgets marks of blocks without events only", async () => {
    await add(event(5));
    const blocks = [4, 6, 7].map((number) => ({ number, hash: hashOf(number) }));
    await store.database.write((tx) => store.chain.addBlocks(tx, blocks, []));
    await store.database.write((tx) => store.chain.prune(tx, 0, 6));
    const marks = await Promise.all(
      [3, 4, 6, 9].map(async (number) => (await store.chain.newestBlock(number))?.number),
    );
    expect(marks).to.deep.equal([undefined, undefined, 5, 7]);
  });

  it("refuses what must never be: a second block at a hash, another event at a place, an event deleted", async () => {
    await add(event(5));
    for (const sql of [
      `INSERT INTO blocks VALUES (6, '${hashOf(5)}')`,
      "DELETE FROM chain_events",
      "UPDATE chain_events SET event = '{}'",
      "UPDATE chain_events SET status = 'confirmed'",
      "INSERT INTO chain_progress VALUES (2, 1)",
    ]) {
      expect(() => db.exec(sql), sql).to.throw(/constraint failed/);
    }
  });
});
