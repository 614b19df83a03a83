import { expect } from "chai";
import { mine, rpc } from "./chain-scene";
import { BUMP_AFTER_MS, senderScene, type SenderScene } from "./sender-scene";

/**
 * A process that dies at one place: before or after a durable write, before or after a broadcast. From then on nothing of
 * it has any effect.
 */
class Cut {
  #left: number;
  isDead = false;

  constructor(place: number) {
    this.#left = place;
  }

  pass(): void {
    if (this.isDead || this.#left-- === 0) {
      this.isDead = true;
      throw new Error("cut");
    }
  }

  /** @returns `work` with one place before it and one after. */
  async around<T>(work: () => Promise<T>): Promise<T> {
    this.pass();
    const result = await work();
    this.pass();
    return result;
  }
}

describe("TransactionSender: a crash at any point", () => {
  let scene: SenderScene;
  afterEach(() => scene.close());

  /** Sends, offers more, is mined, is told: everything a transaction goes through. */
  async function run(cut: Cut): Promise<void> {
    const { database, transactions } = scene.store();
    const write: typeof database.write = (build) => cut.around(() => database.write(build));
    scene.node.distort((ask, method, params) => {
      if (cut.isDead) return Promise.reject(new Error("cut"));
      return method === "eth_sendRawTransaction" ? cut.around(() => ask(method, params)) : ask(method, params);
    });
    const sender = scene.sender({ store: { database: { ...database, write }, transactions } });
    await rpc("evm_setAutomine", false);
    await sender.submit(scene.fund("a", 5n));
    await sender.submit(scene.fund("b", 7n, { kind: "dispute" }));
    await sender.step();
    scene.clock.nowMs += BUMP_AFTER_MS;
    await sender.step();
    await mine();
    for (let i = 0; i < 3; i++) await sender.step();
  }

  /** The same file, another process, the same wishes. */
  async function resume(): Promise<void> {
    scene.node.heal();
    await scene.reopen();
    const sender = scene.sender();
    await sender.submit(scene.fund("a", 5n));
    await sender.submit(scene.fund("b", 7n, { kind: "dispute" }));
    for (let i = 0; i < 4; i++) {
      scene.clock.nowMs += BUMP_AFTER_MS;
      await sender.step();
      await mine();
    }
  }

  it("executes each transaction exactly once, wherever it was cut", async function () {
    this.timeout(180_000);
    let places = 0;
    for (let isCut = true; isCut; places++) {
      scene = await senderScene();
      const used = await scene.used();
      const cut = new Cut(places);
      await run(cut).catch(() => undefined);
      isCut = cut.isDead;
      await resume();
      const where = `cut at place ${places}`;
      expect(await scene.reserve(), where).to.equal(12n);
      expect(await scene.used(), where).to.equal(used + 2);
      for (const id of ["a", "b"]) {
        expect((await scene.row(id)).isTold, where).to.equal(true);
        expect(scene.ends, where).to.include(`${id} mined`);
      }
      if (isCut) await scene.close();
    }
    expect(places).to.be.greaterThan(25);
  });
});
