import { expect } from "chai";
import { mine } from "@nomicfoundation/hardhat-network-helpers";
import type { TowerStore } from "../../watchtower/store/tower-store";
import {
  fundAlice,
  guardUntilQuiet,
  post,
  register,
  stateAt,
  statusOf,
  towerScene,
  windowPasses,
  wireSigned,
  type TowerScene,
} from "../support/tower";

/** Where the process dies: as if it was killed there, nothing after it happens. */
class Crash {
  #left = Infinity;
  isDead = false;

  arm(steps: number): void {
    [this.#left, this.isDead] = [steps, false];
  }

  disarm(): void {
    [this.#left, this.isDead] = [Infinity, false];
  }

  /** @throws Error once its time has come, and then for ever. */
  point(): void {
    if (this.isDead || this.#left-- <= 0) {
      this.isDead = true;
      throw new Error("killed");
    }
  }
}

describe("a watchtower that is killed", () => {
  const crash = new Crash();
  let scene: TowerScene;

  const dying = (store: TowerStore): TowerStore => ({
    ...store,
    write: (step) => {
      crash.point(); // before it is on disk
      store.write(step);
      crash.point(); // after it
    },
  });

  beforeEach(async () => {
    crash.disarm();
    scene = await towerScene({
      wrap: dying,
      node: (target) => ({
        send: async (method, params) => {
          if (method !== "eth_sendRawTransaction") return target.send(method, params);
          crash.point(); // before it is sent
          const hash = await target.send(method, params);
          crash.point(); // after it
          return hash;
        },
      }),
    });
    await fundAlice(scene);
  });
  afterEach(() => {
    crash.disarm();
    return scene.close();
  });

  it("at any write and at any transaction still answers the exit, settles, and sends nothing for nothing", async () => {
    let points = 0;
    for (let session = 0n; ; session++) {
      if (session > 0n) await fundAlice(scene);
      await register(scene, await stateAt(scene, 2n, 150n, { session }));
      await scene.world.manager.connect(scene.world.hub).startExit(...(await stateAt(scene, 1n, 10n, { session })));
      crash.arm(points);
      await scene.tower.tick().catch(() => undefined);
      const hasDied = crash.isDead;
      crash.disarm();
      await scene.restart();
      await mine();
      await guardUntilQuiet(scene);
      expect((await scene.world.manager.channelOf(scene.world.alice)).exitNonce, `point ${points}`).to.equal(2n);
      await windowPasses();
      crash.arm(points);
      await scene.tower.tick().catch(() => undefined);
      crash.disarm();
      await scene.restart();
      await mine();
      await guardUntilQuiet(scene);
      expect((await scene.world.manager.channelOf(scene.world.alice)).session, `point ${points}`).to.equal(
        session + 1n,
      );
      points += 1;
      if (!hasDied) break;
    }
    console.log(`      ${points - 1} points`);
    expect(points).to.be.greaterThan(5);
    expect(scene.store.calls(1_000).map(({ status }) => status)).to.not.include("reverted");
  });

  it("while it registers either has given no receipt, or guards what it gave one for", async () => {
    const [older, newer] = [await stateAt(scene, 1n, 10n), await stateAt(scene, 2n, 150n)];
    await register(scene, older);
    for (const point of [0, 1]) {
      crash.arm(point);
      const { status } = await post(scene, "/channel", { signed: wireSigned(newer), threads: [] });
      expect(status).to.equal(500);
      crash.disarm();
      await scene.restart();
      const guarded = (await statusOf(scene, scene.world.alice.address)).guarded?.receipt.nonce;
      expect(guarded).to.equal(point === 0 ? "1" : "2");
    }
    expect((await register(scene, newer)).receipt.nonce).to.equal("2");
  });
});
