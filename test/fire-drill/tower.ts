import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import hre from "hardhat";
import { BrowserProvider } from "ethers";
import type { ConnextClient } from "../../client";
import { completeTowerConfig } from "../../watchtower/config";
import { createWatchtower, type Watchtower } from "../../watchtower/create-watchtower";
import { silentLog } from "../../watchtower/log";
import { openTowerStore } from "../../watchtower/store/sqlite/tower-store";
import type { ChaosWorld } from "../chaos/chaos-world";
import { developmentKey } from "../support/hub";

/** An account with ether for gas and nothing else. */
const ACCOUNT = 8;

const NEVER_MS = 2 ** 31 - 1;

/** A real tower on a real file and the chain of a world. It looks at the chain when it is told to. */
export class DrillTower {
  readonly #world: ChaosWorld;
  readonly #root = mkdtempSync(join(tmpdir(), "drill-tower-"));
  readonly #folder = mkdtempSync(join(this.#root, "tower-"));
  #kept: string | undefined;
  #running: Watchtower | undefined;
  #url: string | undefined;

  constructor(world: ChaosWorld) {
    this.#world = world;
  }

  /** Starts it on its file if it does not run. */
  async start(): Promise<Watchtower> {
    this.#running ??= await this.#open();
    return this.#running;
  }

  async stop(): Promise<void> {
    const running = this.#running;
    [this.#running, this.#url] = [undefined, undefined];
    await running?.close();
  }

  /** Gives it what a client has signed last. */
  async guard(client: ConnextClient): Promise<void> {
    this.#url ??= (await (await this.start()).start()).url;
    await client.registerWithTower({ url: this.#url });
  }

  async tick(): Promise<void> {
    await (await this.start()).tick();
  }

  /** Stops it and keeps its file as it is. */
  async keep(): Promise<void> {
    await this.stop();
    this.#kept = mkdtempSync(join(this.#root, "kept-"));
    cpSync(this.#folder, this.#kept, { recursive: true });
  }

  /** Stops it and goes back to what was kept, or to nothing. */
  async goBack(): Promise<void> {
    await this.stop();
    for (const name of readdirSync(this.#folder)) rmSync(join(this.#folder, name));
    if (this.#kept !== undefined) cpSync(this.#kept, this.#folder, { recursive: true });
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.#root, { recursive: true, force: true });
  }

  #open(): Promise<Watchtower> {
    const { chainId, channelManager, apps, confirmations } = this.#world.config;
    const config = completeTowerConfig({
      ...{ chainId, channelManager, apps, confirmations },
      ...{ pollIntervalMs: NEVER_MS, requestsPerMinute: 1_000_000 },
    });
    const chain = hre.network.provider;
    const wallet = {
      request: ({ method, params }: Question) => chain.send(method, (params as unknown[] | undefined) ?? []),
    };
    const provider = new BrowserProvider(wallet, chainId, { staticNetwork: true, cacheTimeout: -1 });
    const store = openTowerStore(join(this.#folder, "tower.sqlite"));
    const { clock } = this.#world;
    return createWatchtower({ config, store, privateKey: developmentKey(ACCOUNT), provider, clock, log: silentLog });
  }
}

interface Question {
  readonly method: string;
  readonly params?: unknown;
}
