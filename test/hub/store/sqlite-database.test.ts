import fs, { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ConflictError } from "../../../hub/store/database";
import { SqliteDatabase } from "../../../hub/store/sqlite/sqlite-database";

type Sync = (descriptor: number, done: (error: NodeJS.ErrnoException | null) => void) => void;

const INSERT = "INSERT INTO notes VALUES (?)";

describe("SqliteDatabase", () => {
  const realSync = fs.fdatasync as Sync;
  let folder: string;
  let db: SqliteDatabase;

  /** From now on the disk does with each sync what is given here. */
  const replaceSync = (sync: Sync): void => void Object.assign(fs, { fdatasync: sync });

  const insert = (note: string): Promise<void> => db.write((tx) => void db.run(tx, INSERT, note));
  const notes = (): Promise<unknown[]> => db.onDisk(db.all("SELECT note FROM notes").map(({ note }) => note));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sqlite-"));
    db = new SqliteDatabase(join(folder, "db.sqlite"));
    db.exec("CREATE TABLE notes (note TEXT NOT NULL UNIQUE) STRICT");
  });

  afterEach(async () => {
    Object.assign(fs, { fdatasync: realSync });
    await db.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("resolves a step, and answers what is read, only when the log is on disk", async () => {
    const held: (() => void)[] = [];
    replaceSync((descriptor, done) => held.push(() => realSync(descriptor, done)));
    const order: string[] = [];
    const written = insert("a").then(() => order.push("written"));
    await turns(5);
    const read = notes().then((found) => order.push(`read ${String(found)}`));
    await turns(5);
    expect(order, "while the disk writes").to.deep.equal([]);
    expect(db.sequence, "while the disk writes").to.equal(0n);
    order.push("on disk");
    held.shift()?.();
    await Promise.all([written, read]);
    expect(order).to.deep.equal(["on disk", "written", "read a"]);
    expect(db.sequence).to.equal(1n);
  });

  it("lets steps that come while the disk writes share the next commit", async () => {
    const held: (() => void)[] = [];
    replaceSync((descriptor, done) => held.push(() => realSync(descriptor, done)));
    const first = insert("a");
    await turns(5);
    const others = ["b", "c", "d"].map(insert);
    expect(held).to.have.length(1);
    held.shift()?.();
    await first;
    await turns(5);
    expect(held).to.have.length(1);
    held.shift()?.();
    await Promise.all(others);
    expect(db.sequence).to.equal(2n);
    Object.assign(fs, { fdatasync: realSync });
    expect(await notes()).to.deep.equal(["a", "b", "c", "d"]);
  });

  it("refuses a step that breaks a constraint, and commits those beside it", async () => {
    const results = await Promise.allSettled(["a", "b", "a", "c"].map(insert));
    expect(results.map(({ status }) => status)).to.deep.equal(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect((results[2] as PromiseRejectedResult).reason).to.be.instanceOf(ConflictError);
    expect(await notes()).to.deep.equal(["a", "b", "c"]);
    expect(db.sequence).to.equal(1n);
  });

  it("reads and writes nothing more once the disk has refused a commit", async () => {
    replaceSync((_descriptor, done) => setImmediate(() => done(Object.assign(new Error("EIO"), { code: "EIO" }))));
    const [a, b] = [insert("a"), insert("b")];
    for (const step of [a, b]) expect(await failureOf(step)).to.match(/disk did not take a commit: start again/);
    Object.assign(fs, { fdatasync: realSync });
    expect(await failureOf(insert("c"))).to.match(/start again/);
    expect(await failureOf(notes())).to.match(/start again/);
    expect(db.sequence).to.equal(0n);
  });

  it("commits what waits when it is closed, and takes nothing afterwards", async () => {
    const written = insert("a");
    await db.close();
    await written;
    expect(await failureOf(insert("b"))).to.match(/closed/);
    const again = new SqliteDatabase(join(folder, "db.sqlite"));
    expect(again.all("SELECT note FROM notes")).to.deep.equal([{ note: "a" }]);
    expect(again.sequence).to.equal(1n);
    await again.close();
  });
});

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

function failureOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "nothing failed",
    (error: unknown) => String(error),
  );
}
