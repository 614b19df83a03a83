import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { memoryStore } from "../../client";
import { sqliteStore } from "../../client/node";
import type { ClientStore } from "../../client/store";
import { expectCoded } from "../support/expect-coded";

const CHILD = join(__dirname, "node", "store-child.ts");

let folder: string;
let file: string;
const opened: ClientStore[] = [];

/** Opens the same entries again each time. */
type Open = () => ClientStore;

const BACKENDS: readonly (readonly [name: string, backend: () => Open])[] = [
  [
    "memory",
    () => {
      const entries = new Map<string, string>();
      return () => memoryStore(entries);
    },
  ],
  ["SQLite", () => () => sqliteStore(file)],
];

describe("client stores", () => {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "client-store-"));
    file = join(folder, "deep", "client.sqlite");
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [name, backend] of BACKENDS) {
    describe(`in ${name}`, () => {
      let open: Open;
      beforeEach(() => {
        const make = backend();
        open = () => {
          const store = make();
          opened.push(store);
          return store;
        };
      });

      it("gives back what was written, nothing for what was not, and forgets what was deleted", async () => {
        const store = open();
        await store.write({ a: "1", b: "", "ключ 🔑": "'; DROP TABLE entries; --" });
        expect(await store.get("a")).to.equal("1");
        expect(await store.get("b")).to.equal("");
        expect(await store.get("ключ 🔑")).to.equal("'; DROP TABLE entries; --");
        expect(await store.get("c")).to.equal(undefined);
        await store.write({ a: undefined, b: "2", never: undefined });
        expect(await store.get("a")).to.equal(undefined);
        expect(await store.get("b")).to.equal("2");
      });

      it("lists the keys with a prefix, and no others, in order", async () => {
        const store = open();
        await store.write({
          "p:2": "b",
          "p:10": "a",
          "p:": "0",
          "p:\u{10fffe}": "z",
          "p;": "no",
          o: "no",
          "P:1": "no",
        });
        expect(await store.list("p:")).to.deep.equal([
          ...[
            ["p:", "0"],
            ["p:10", "a"],
            ["p:2", "b"],
            ["p:\u{10fffe}", "z"],
          ],
        ]);
        expect(await store.list("p:%")).to.deep.equal([]);
        expect(await store.list("")).to.have.length(7);
      });

      it("keeps what was written when it is opened again", async () => {
        const first = open();
        await first.write({ a: "1" });
        await first.close();
        expect(await open().get("a")).to.equal("1");
      });

      it("is locked by one at a time, until that one closes", async () => {
        const [first, second] = [open(), open()];
        await first.lock();
        await first.lock();
        await expectCoded(second.lock(), "KeyInUse");
        await expectCoded(second.lock(), "KeyInUse");
        await second.close();
        await expectCoded(open().lock(), "KeyInUse");
        await first.close();
        await first.close();
        await open().lock();
      });
    });
  }

  describe("in a SQLite file", () => {
    const children: ChildProcess[] = [];
    afterEach(() => children.splice(0).forEach((child) => child.kill("SIGKILL")));

    const start = (...args: readonly string[]): ChildProcess => {
      const child = fork(CHILD, args, { execArgv: ["-r", "ts-node/register/transpile-only"], stdio: "inherit" });
      children.push(child);
      return child;
    };
    const said = async (child: ChildProcess): Promise<unknown> => ((await once(child, "message")) as unknown[])[0];

    it("W-10: refuses a second process with the same record, and takes it when the first was killed", async function () {
      this.timeout(120_000);
      const first = start("lock", file);
      expect(await said(first)).to.equal("locked");
      expect(await said(start("lock", file))).to.equal("KeyInUse");
      const own = sqliteStore(file);
      opened.push(own);
      await expectCoded(own.lock(), "KeyInUse");
      first.kill("SIGKILL");
      await once(first, "exit");
      await own.lock();
      expect(await said(start("lock", file))).to.equal("KeyInUse");
    });

    it("W-10: keeps its lock when this process opens the same record once more and is refused", async function () {
      this.timeout(120_000);
      const [first, second] = [sqliteStore(file), sqliteStore(file)];
      opened.push(first, second);
      await first.lock();
      await expectCoded(second.lock(), "KeyInUse");
      await second.close();
      expect(await said(start("lock", file))).to.equal("KeyInUse");
    });

    it("has all of a write or nothing after kill -9 at any moment, and nothing less than it confirmed", async function () {
      this.timeout(120_000);
      for (const delayMs of [0, 7, 31]) {
        const child = start("write", file);
        let confirmed = 0;
        child.on("message", (count: number) => (confirmed = count));
        while (confirmed < 20) await once(child, "message");
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        child.kill("SIGKILL");
        await once(child, "exit");
        const store = sqliteStore(file);
        const entries = await store.list("part:");
        await store.close();
        const values = new Set(entries.map(([, value]) => value));
        expect(entries).to.have.length(50);
        expect([...values], "one write's parts").to.have.length(1);
        expect(Number([...values][0])).to.be.at.least(confirmed);
        rmSync(file, { force: true });
        for (const end of ["-wal", "-shm"]) rmSync(file + end, { force: true });
      }
    });

    it("can be read by its owner alone, its journal and its lock too", async () => {
      const store = sqliteStore(file);
      opened.push(store);
      await store.lock();
      await store.write({ a: "1" });
      for (const end of ["", "-wal", "-shm", ".lock"]) {
        expect(statSync(file + end).mode & 0o777, `mode of ${end}`).to.equal(0o600);
      }
    });

    it("changes nothing when one value of a write cannot be kept", async () => {
      const store = sqliteStore(file);
      opened.push(store);
      await store.write({ a: "1" });
      let failed = false;
      await store.write({ a: "2", b: null as never }).catch(() => (failed = true));
      expect(failed).to.be.true;
      expect(await store.get("a")).to.equal("1");
      await store.write({ a: "3" });
      expect(await store.get("a")).to.equal("3");
    });
  });
});
