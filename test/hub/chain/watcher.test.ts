import { expect } from "chai";
import { ethers } from "hardhat";
import type { WatcherListener } from "../../../hub/chain/event-delivery";
import { Watcher, type WatcherDeps } from "../../../hub/chain/watcher";
import { ETH } from "../../support/states";
import { NodeFailure, onlyFor } from "../../support/distorted-node";
import { chainScene, forkPoint, mine, rpc, type ChainScene } from "./chain-scene";

type Account = ChainScene["world"]["alice"];

describe("Watcher", () => {
  let scene: ChainScene;
  let startBlock: number;
  let told: string[];
  let refuse: (line: string) => boolean;
  const watchers = new Set<Watcher>();

  beforeEach(async () => {
    scene = await chainScene();
    startBlock = (await ethers.provider.getBlockNumber()) + 1;
    told = [];
    refuse = () => false;
  });
  afterEach(async () => {
    for (const watcher of watchers) await watcher.close();
    watchers.clear();
    await scene.close();
  });

  /** Tells as `seen 5`, where 5 is the amount. */
  const listener: WatcherListener = {
    seen: (event) => hear("seen", event),
    confirmed: (event) => hear("confirmed", event),
    dropped: (event, { wasConfirmed }) => hear(wasConfirmed ? "incident" : "dropped", event),
  };

  function hear(status: string, event: object): Promise<void> {
    const line = `${status} ${"amount" in event ? String(event.amount) : ""}`;
    if (refuse(line)) return Promise.reject(new Error("the handler fails"));
    told.push(line);
    return Promise.resolve();
  }

  function watch(overrides: Partial<WatcherDeps> = {}): Watcher {
    const { manager: channelManager, clock, log, node } = scene;
    const config = { startBlock, confirmations: 3, pollIntervalMs: 10, channelManager };
    const watcher = new Watcher(
      { provider: node.provider, store: scene.store(), clock, log, ...config, ...overrides },
      listener,
    );
    watchers.add(watcher);
    return watcher;
  }

  async function deposit(amount: bigint, user: Account = scene.world.alice): Promise<void> {
    await scene.world.manager.connect(user).deposit(user, ETH, amount, false, { value: amount });
  }

  const heard = (): string[] => told.splice(0);

  it("tells an event at first sight, and once more when it is as deep as configured", async () => {
    const watcher = watch();
    await deposit(5n);
    await watcher.poll();
    expect(heard()).to.deep.equal(["seen 5"]);
    await mine();
    await watcher.poll();
    expect(heard()).to.deep.equal([]);
    await mine();
    await watcher.poll();
    await watcher.poll();
    expect(heard()).to.deep.equal(["confirmed 5"]);
  });

  it("takes a mined event for confirmed where one confirmation is enough", async () => {
    await deposit(5n);
    await watch({ confirmations: 1 }).poll();
    expect(heard()).to.deep.equal(["seen 5", "confirmed 5"]);
  });

  it("catches up in ranges, in order, whatever the size of a range", async () => {
    for (const amount of [1n, 2n, 3n, 4n, 5n]) await deposit(amount);
    await mine(4);
    await deposit(6n);
    await watch({ maxBlocksPerQuery: 2 }).poll();
    const deep = [1, 2, 3, 4, 5].flatMap((amount) => [`seen ${amount}`, `confirmed ${amount}`]);
    expect(heard()).to.deep.equal([...deep, "seen 6"]);
  });

  it("reads nothing older than the deployment, and nothing of another contract", async () => {
    await deposit(1n);
    startBlock = (await ethers.provider.getBlockNumber()) + 1;
    await scene.world.token.connect(scene.world.alice).transfer(scene.world.bob, 1n);
    await deposit(2n);
    await watch().poll();
    expect(heard()).to.deep.equal(["seen 2"]);
  });

  it("takes back what a fork removed, and tells what it brought instead", async () => {
    const watcher = watch();
    const goBack = await forkPoint();
    await deposit(5n);
    await mine();
    await watcher.poll();
    await goBack();
    await deposit(6n);
    await mine(2);
    await watcher.poll();
    expect(heard()).to.deep.equal(["seen 5", "dropped 5", "seen 6", "confirmed 6"]);
  });

  it("notices a fork of the newest block alone", async () => {
    const watcher = watch();
    const goBack = await forkPoint();
    await deposit(5n);
    await watcher.poll();
    await goBack();
    await deposit(6n);
    await watcher.poll();
    expect(heard()).to.deep.equal(["seen 5", "dropped 5", "seen 6"]);
  });

  it("flags what was confirmed and is gone", async () => {
    const watcher = watch();
    await deposit(4n);
    const goBack = await forkPoint();
    await deposit(5n);
    await mine(9);
    await watcher.poll();
    expect(heard()).to.deep.equal(["seen 4", "confirmed 4", "seen 5", "confirmed 5"]);
    await goBack();
    await mine(12);
    await watcher.poll();
    expect(heard()).to.deep.equal(["incident 5"]);
  });

  it("finds a fork between blocks that it read far apart", async () => {
    const watcher = watch();
    await deposit(1n);
    await mine(40);
    await deposit(2n);
    await watcher.poll();
    const goBack = await forkPoint();
    await mine(30);
    await deposit(3n);
    await mine(30);
    await deposit(4n);
    await mine(20);
    await watcher.poll();
    heard();
    await goBack();
    await mine(100);
    await watcher.poll();
    expect(heard()).to.deep.equal(["incident 3", "incident 4"]);
    expect(scene.log.lines.join()).to.match(/forked above block/);
  });

  it("tells an event again that a second fork brought back", async () => {
    const watcher = watch();
    await deposit(5n);
    await watcher.poll();
    const known = await scene.store().chain.newestBlock();
    await scene.store().database.write((tx) => scene.store().chain.dropAbove(tx, startBlock - 1)); // as a fork does
    const { chain } = scene.store();
    expect((await chain.open(9)).map(({ status }) => status)).to.deep.equal(["dropped"]);
    await watcher.poll(); // the same block again, before anybody has heard of the first fork
    expect(heard()).to.deep.equal(["seen 5"]);
    expect(await chain.newestBlock()).to.deep.equal(known);
  });

  it("goes on where it stopped, and notices a fork that came while it was away", async () => {
    const goBack = await forkPoint();
    await deposit(5n);
    const first = watch();
    await first.poll();
    await first.close();
    await scene.reopen();
    await watch().poll();
    expect(heard()).to.deep.equal(["seen 5"]);
    await scene.reopen();
    await goBack();
    await mine(3);
    await watch().poll();
    expect(heard()).to.deep.equal(["dropped 5"]);
  });

  it("tells an event again if it was cut off before it could note that it had", async () => {
    await deposit(5n);
    await watch().poll();
    await mine(2);
    const { chain, database } = scene.store();
    const markTold = (): never => {
      throw new Error("cut");
    };
    await watch({ store: { database, chain: { ...chain, markTold } } }).poll();
    await scene.reopen();
    await watch().poll();
    await watch().poll();
    expect(heard()).to.deep.equal(["seen 5", "confirmed 5", "confirmed 5"]);
  });

  it("reads nothing that it could not keep", async () => {
    await deposit(5n);
    const { chain } = scene.store();
    const database = { ...scene.store().database, write: () => Promise.reject(new Error("the disk is full")) };
    expect(await failure(watch({ store: { database, chain } }).poll())).to.match(/disk is full/);
    expect(heard()).to.deep.equal([]);
    await watch().poll();
    expect(heard()).to.deep.equal(["seen 5"]);
  });

  it("H-8: a handler that fails for one user stops nobody else, and is called again, in order", async () => {
    const { alice, bob } = scene.world;
    refuse = (line) => line === "seen 1";
    await deposit(1n, alice);
    await deposit(2n, alice);
    await deposit(3n, bob);
    const watcher = watch();
    await watcher.poll();
    expect(heard()).to.deep.equal(["seen 3"]);
    expect(watcher.status().lastError).to.equal(undefined);
    await watcher.poll();
    refuse = () => false;
    await watcher.poll();
    expect(heard(), "it waits a little longer after each failure").to.deep.equal([]);
    scene.clock.nowMs += 60_000;
    await watcher.poll();
    expect(heard()).to.deep.equal(["seen 1", "confirmed 1", "seen 2"]);
  });

  it("H-8: a log that cannot be read is left out, and the others are told", async () => {
    await deposit(5n);
    await deposit(6n);
    scene.node.distort(
      onlyFor("eth_getLogs", async (params, ask) => {
        const logs = (await ask("eth_getLogs", params)) as { data: string }[];
        return logs.map((log) =>
          BigInt(log.data.slice(0, 2) + log.data.slice(-8)) === 5n ? { ...log, data: "0x01" } : log,
        );
      }),
    );
    await watch().poll();
    expect(heard()).to.deep.equal(["seen 6"]);
    expect(scene.log.lines.join()).to.match(/cannot be read/);
  });

  it("H-8: begins at the deployment and never reads a block twice while nothing happens", async () => {
    const watcher = watch();
    await deposit(5n);
    await mine(5);
    await watcher.poll();
    const before = scene.node.asked.get("eth_getLogs");
    await watcher.poll();
    expect(scene.node.asked.get("eth_getLogs")).to.equal(before);
  });

  describe("with a node that lags or lies", () => {
    /** As a node that is `count` blocks behind. */
    const behind = (count: number): void => {
      scene.node.distort(async (ask, method, params) => {
        const head = Number(await ask("eth_blockNumber", [])) - count;
        if (method === "eth_blockNumber") return `0x${head.toString(16)}`;
        if (method !== "eth_getBlockByNumber") return ask(method, params);
        const which = params[0] === "latest" ? head : Number(params[0]);
        return which > head ? null : ask(method, [`0x${which.toString(16)}`, params[1]]);
      });
    };

    it("drops nothing when the node falls behind what it has shown", async () => {
      const watcher = watch();
      await deposit(5n);
      await mine(20);
      await deposit(6n);
      await watcher.poll();
      heard();
      for (const count of [1, 2, 10, 21, 22]) {
        behind(count);
        await watcher.poll();
      }
      expect(heard()).to.deep.equal([]);
      expect(watcher.status()).to.include({ processedNumber: startBlock + 21, headNumber: startBlock - 1 });
      scene.node.heal();
      await mine(2);
      await watcher.poll();
      expect(heard()).to.deep.equal(["confirmed 6"]);
    });

    it("takes a block that the node does not have for no fork", async () => {
      const watcher = watch();
      await deposit(5n);
      await watcher.poll();
      await mine();
      scene.node.distort(
        onlyFor("eth_getBlockByNumber", (params, ask) =>
          params[0] === "latest" ? ask("eth_getBlockByNumber", params) : null,
        ),
      );
      expect(await failure(watcher.poll())).to.match(/does not have block/);
      scene.node.heal();
      await watcher.poll();
      expect(heard()).to.deep.equal(["seen 5"]);
    });

    it("finds an event that the node left out at first", async () => {
      const watcher = watch();
      await deposit(5n);
      scene.node.distort(onlyFor("eth_getLogs", () => []));
      await watcher.poll();
      expect(heard()).to.deep.equal([]);
      scene.node.heal();
      await mine(2);
      await watcher.poll();
      expect(heard()).to.deep.equal(["seen 5", "confirmed 5"]);
    });

    for (const confirmations of [1, 3]) {
      it(`believes no log of a block that is not in the chain (${confirmations} deep)`, async () => {
        await deposit(5n);
        const watcher = watch({ confirmations });
        scene.node.distort(
          onlyFor("eth_getLogs", async (params, ask) => {
            const logs = (await ask("eth_getLogs", params)) as object[];
            return logs.map((log) => ({ ...log, blockHash: `0x${"5e".repeat(32)}` }));
          }),
        );
        expect(await failure(watcher.poll())).to.match(/answered with/);
        expect(heard()).to.deep.equal([]);
        scene.node.heal();
        await watcher.poll();
        expect(heard()[0]).to.equal("seen 5");
        expect(watcher.status().lastError).to.equal(undefined);
      });
    }

    it("believes no log outside of what it asked for, and none of another contract", async () => {
      await deposit(5n);
      await mine(5);
      const watcher = watch();
      scene.node.distort(
        onlyFor("eth_getLogs", async (params, ask) => {
          const logs = (await ask("eth_getLogs", params)) as object[];
          return logs.map((log) => ({ ...log, blockNumber: "0x1" }));
        }),
      );
      expect(await failure(watcher.poll())).to.match(/log of block 1/);
      scene.node.distort(
        onlyFor("eth_getLogs", async (params, ask) => {
          const logs = (await ask("eth_getLogs", params)) as object[];
          return logs.map((log) => ({ ...log, address: `0x${"70".repeat(20)}` }));
        }),
      );
      await watcher.poll();
      expect(heard()).to.deep.equal([]);
    });

    it("reads again what a fork changed while it was read", async () => {
      const watcher = watch({ confirmations: 1 });
      const goBack = await forkPoint();
      await deposit(5n);
      let isMoved = false;
      scene.node.distort(
        onlyFor("eth_getLogs", async (params, ask) => {
          const logs = await ask("eth_getLogs", params);
          if (isMoved) return logs;
          isMoved = true;
          await goBack();
          await deposit(6n);
          return logs;
        }),
      );
      expect(await failure(watcher.poll())).to.match(/changed|does not have/);
      await watcher.poll();
      expect(heard()).to.deep.equal(["seen 6", "confirmed 6"]);
    });

    it("H-20: survives a node that does not answer, says so, and counts its view as old", async () => {
      const watcher = watch();
      const { timestamp } = (await ethers.provider.getBlock("latest"))!;
      expect(watcher.isViewOld(timestamp * 1000, 600), "before the first block").to.equal(true);
      await watcher.poll();
      expect(watcher.isViewOld((timestamp + 600) * 1000, 600)).to.equal(false);
      expect(watcher.isViewOld((timestamp + 601) * 1000, 600)).to.equal(true);
      scene.clock.nowMs = (timestamp + 5) * 1000;
      expect(watcher.ageSeconds()).to.equal(5);
      scene.node.distort(() => Promise.reject(new NodeFailure(-32_000, "out of order")));
      await mine();
      await watcher.start();
      await watcher.start();
      expect(watcher.status()).to.deep.include({ processedNumber: startBlock - 1 });
      expect(watcher.status().lastError).to.be.a("string");
      expect(watcher.ageSeconds()).to.equal(5);
    });

    it("H-20: counts a view as old when blocks come but their events cannot be read", async () => {
      const watcher = watch();
      await watcher.poll();
      const age = watcher.ageSeconds();
      await rpc("evm_increaseTime", 1_000);
      await mine();
      scene.node.distort(onlyFor("eth_getLogs", () => Promise.reject(new NodeFailure(-32_005, "too many requests"))));
      await failure(watcher.poll());
      expect(watcher.ageSeconds()).to.equal(age);
      expect(watcher.status().headNumber).to.equal(startBlock);
      expect(watcher.status().processedNumber).to.equal(startBlock - 1);
    });
  });

  it("tells everything from a block on again when asked to", async () => {
    const watcher = watch();
    await deposit(5n);
    await deposit(6n);
    await mine(2);
    await watcher.poll();
    heard();
    await watcher.replayFrom(startBlock + 1);
    expect(heard()).to.deep.equal(["seen 6", "confirmed 6"]);
  });

  it("polls by itself until it is closed, and one poll at a time", async () => {
    const watcher = watch({ confirmations: 1 });
    await watcher.start();
    await deposit(5n);
    const until = Date.now() + 5_000;
    while (told.length < 2 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(heard()).to.deep.equal(["seen 5", "confirmed 5"]);
    await watcher.close();
    await deposit(6n);
    await Promise.all([watcher.poll(), watcher.poll()]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(heard()).to.deep.equal([]);
  });

  it("tells of each newest block once, when its events have been told", async () => {
    const heads: number[] = [];
    const { manager: channelManager, clock, log, node } = scene;
    const deps = { provider: node.provider, store: scene.store(), clock, log, channelManager, startBlock };
    const watcher = new Watcher(
      { ...deps, confirmations: 1, pollIntervalMs: 10 },
      { ...listener, head: ({ number }) => void heads.push(number + told.length * 1_000_000) },
    );
    await watcher.poll();
    await deposit(5n);
    await watcher.poll();
    await watcher.poll();
    expect(heads).to.deep.equal([startBlock - 1, startBlock + 2_000_000]);
  });
});

async function failure(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => "it did not fail",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}
