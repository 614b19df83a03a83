import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import hre from "hardhat";
import type { Clock } from "../../../hub/clock";
import type { Log } from "../../../hub/log";
import { openSqliteStore } from "../../../hub/store/sqlite/open-store";
import type { Store } from "../../../hub/store/store";
import { parseAddress, type Address } from "../../../protocol";
import { distortedNode, type DistortedNode } from "../../support/distorted-node";
import { freshWorld, type World } from "../../support/world";

/** A chain, a node in between, and a store on disk. */
export interface ChainScene {
  readonly world: World;
  readonly manager: Address;
  readonly node: DistortedNode;
  readonly clock: TestClock;
  readonly log: Log & { readonly lines: string[] };
  /** The open store; `reopen` closes and opens the same file. */
  store(): Store;
  reopen(): Promise<Store>;
  close(): Promise<void>;
}

export class TestClock implements Clock {
  nowMs = Date.now();

  now(): number {
    return this.nowMs;
  }
}

export async function chainScene(): Promise<ChainScene> {
  const world = await freshWorld();
  const folder = mkdtempSync(join(tmpdir(), "chain-test-"));
  const file = join(folder, "hub.sqlite");
  const node = distortedNode();
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  let store = openSqliteStore(file);
  return {
    world,
    manager: parseAddress(world.address),
    node,
    clock: new TestClock(),
    log: { info: keep, warn: keep, error: keep, lines },
    store: () => store,
    reopen: async () => {
      await store.database.close();
      return (store = openSqliteStore(file));
    },
    close: async () => {
      node.provider.destroy();
      await store.database.close();
      await rpc("evm_setAutomine", true);
      rmSync(folder, { recursive: true });
    },
  };
}

export function rpc(method: string, ...params: unknown[]): Promise<unknown> {
  return hre.network.provider.request({ method, params });
}

export async function mine(count = 1): Promise<void> {
  await rpc("hardhat_mine", `0x${count.toString(16)}`);
}

/** Remembers the chain as it is. @returns What goes back there, and makes the next block another one. */
export async function forkPoint(): Promise<() => Promise<void>> {
  const snapshot = await rpc("evm_snapshot");
  return async () => {
    await rpc("evm_revert", snapshot);
    await rpc("evm_increaseTime", 7);
  };
}
