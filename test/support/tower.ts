import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import hre, { ethers } from "hardhat";
import { mine, setBalance, time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { JsonRpcProvider, Wallet } from "ethers";
import type { SignedThreadStruct } from "../../typechain-types/contracts/ChannelManager";
import {
  channelManagerDomain,
  formatThread,
  parseAddress,
  type Domain,
  type Thread,
  type WireError,
  type WireGuardRequest,
  type WireThreadEvidence,
  type WireWatchReceipts,
  type WatchtowerOutput,
} from "../../protocol";
import type { Clock } from "../../watchtower/clock";
import { completeTowerConfig, type WatchtowerConfig } from "../../watchtower/config";
import { createWatchtower, type Watchtower } from "../../watchtower/create-watchtower";
import { silentLog } from "../../watchtower/log";
import { openTowerStore } from "../../watchtower/store/sqlite/tower-store";
import type { TowerStore } from "../../watchtower/store/tower-store";
import { serveRpc, type RpcTarget } from "./rpc-server";
import { row, state as stateOf, type State, type Terms } from "./states";
import { rootOf } from "./thread-tree";
import {
  collateralize,
  deposit,
  freshWorld,
  PERIOD,
  signState,
  threadHash,
  type SignedState,
  type World,
} from "./world";

/** The tower's clock in tests: the real one, moved on by hand. */
export class TowerClock implements Clock {
  movedMs = 0;

  now(): number {
    return Date.now() + this.movedMs;
  }
}

export interface TowerScene {
  readonly world: World;
  readonly domain: Domain;
  readonly clock: TowerClock;
  readonly folder: string;
  readonly rpcUrl: string;
  readonly wallet: { readonly address: string; readonly privateKey: string };
  readonly tower: Watchtower;
  readonly store: TowerStore;
  readonly url: string;
  /** Stops the tower and starts it again on the same file. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface TowerSceneOptions {
  readonly config?: Partial<WatchtowerConfig>;
  /** Stands between the tower and its node. */
  readonly node?: (target: RpcTarget) => RpcTarget;
  /** Stands between the tower and its file. */
  readonly wrap?: (store: TowerStore) => TowerStore;
}

/** A tower on a real file, chain and port. It looks at the chain when a test says so. */
export async function towerScene({ config = {}, node, wrap }: TowerSceneOptions = {}): Promise<TowerScene> {
  const world = await freshWorld();
  const provider: RpcTarget = hre.network.provider;
  const rpc = await serveRpc(node?.(provider) ?? provider);
  const folder = mkdtempSync(join(tmpdir(), "tower-test-"));
  const wallet = Wallet.createRandom();
  await setBalance(wallet.address, 10n ** 20n);
  const clock = new TowerClock();
  const chainId = Number((await ethers.provider.getNetwork()).chainId);
  const channelManager = parseAddress(world.address);
  const hashlock = parseAddress(await world.hashlock.getAddress());
  const full = completeTowerConfig({
    ...{ chainId, channelManager, apps: { hashlock }, confirmations: 1, requestsPerMinute: 1_000_000 },
    pollIntervalMs: 3_600_000,
    ...config,
  });
  const open = async (): Promise<Pick<TowerScene, "tower" | "store" | "url">> => {
    const eth = new JsonRpcProvider(rpc.url, chainId, { staticNetwork: true, cacheTimeout: -1, batchMaxCount: 1 });
    const file = openTowerStore(join(folder, "tower.sqlite"));
    const store = wrap?.(file) ?? file;
    const deps = { config: full, store, privateKey: wallet.privateKey, provider: eth, clock, log: silentLog };
    const tower = await createWatchtower(deps);
    const url = await tower.app.listen({ host: "127.0.0.1", port: 0 });
    return { tower, store, url };
  };
  const scene = {
    ...{ world, clock, folder, wallet, rpcUrl: rpc.url, domain: channelManagerDomain(BigInt(chainId), channelManager) },
    ...(await open()),
    restart: async () => {
      await scene.tower.close();
      Object.assign(scene, await open());
    },
    close: async () => {
      await scene.tower.close();
      await rpc.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return scene;
}

/** A deposit of 100 wei by each side of Alice's channel, so that states can say who has what of 200. */
export async function fundAlice({ world }: TowerScene, user: HardhatEthersSigner = world.alice): Promise<void> {
  await deposit(world, user, 100n);
  await collateralize(world, user, 100n);
}

/** A state of the funded channel in which the user has so much, with these threads. */
export async function stateAt(
  { world }: TowerScene,
  nonce: bigint,
  balanceUser: bigint,
  options: { readonly threads?: readonly Terms[]; readonly session?: bigint; readonly user?: HardhatEthersSigner } = {},
): Promise<SignedState> {
  const { threads = [], session = 0n, user = world.alice } = options;
  const locked = threads.reduce(
    (sum, thread) => sum + BigInt(thread.balanceSender) + BigInt(thread.balanceReceiver),
    0n,
  );
  const balances = { balanceUser, balanceHub: 200n - balanceUser - locked, locked };
  const rows = [row({ depositedUser: 100n, depositedHub: 100n, ...balances })];
  const threadRoot = rootOf(threads.map(threadHash));
  return signState(world, user, stateOf(user.address, rows, { nonce, session, threadRoot }));
}

export function wireSigned([state, sigHub, sigUser]: SignedState): WireGuardRequest["signed"] {
  return { state: wireState(state), sigHub, sigUser } as WireGuardRequest["signed"];
}

function wireState(state: State): object {
  const text = (_: string, value: unknown): unknown => (typeof value === "bigint" ? value.toString() : value);
  return JSON.parse(JSON.stringify(state, text)) as object;
}

export function wireThread({ thread, sigSender, sigReceiver }: SignedThreadStruct): WireThreadEvidence {
  return { thread: formatThread(thread as unknown as Thread), sigSender, sigReceiver } as WireThreadEvidence;
}

export interface Answer<Body> {
  readonly status: number;
  readonly body: Body & Partial<WireError>;
}

export async function post<Body = WireWatchReceipts>(
  { url }: TowerScene,
  path: string,
  body: unknown,
): Promise<Answer<Body>> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}/api/watchtower${path}`, { method: "POST", body: text, headers });
  return { status: answer.status, body: (await answer.json()) as Answer<Body>["body"] };
}

export async function statusOf(
  { url }: TowerScene,
  user: string,
): Promise<WatchtowerOutput<"getStatus"> & Partial<WireError>> {
  const answer = await fetch(`${url}/api/watchtower/channel/${user}`);
  return (await answer.json()) as WatchtowerOutput<"getStatus">;
}

/** Registers, and expects that it worked. */
export async function register(
  scene: TowerScene,
  signed: SignedState,
  threads: readonly WireThreadEvidence[] = [],
): Promise<WireWatchReceipts> {
  const { status, body } = await post(scene, "/channel", { signed: wireSigned(signed), threads });
  if (status !== 200) throw new Error(`${status} ${body.code}: ${body.message}`);
  return body;
}

/** The tower looks until nothing more is on its way. */
export async function guardUntilQuiet(scene: TowerScene): Promise<void> {
  for (let round = 0; round < 12; round++) {
    await scene.tower.tick();
    await mine();
    await scene.tower.tick();
    if (scene.store.openCalls().length === 0) return;
  }
  throw new Error("the tower does not come to an end");
}

export async function windowPasses(): Promise<void> {
  await time.increase(PERIOD + 1n);
}
