import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import hre, { ethers } from "hardhat";
import { HDNodeWallet, JsonRpcProvider } from "ethers";
import { WebSocket } from "ws";
import { getConnextClient, memoryStore, type ClientOptions, type ConnextClient } from "../../client";
import type { SocketConstructor } from "../../client/connection";
import type { ClientStore } from "../../client/store";
import { systemClock, type Clock } from "../../hub/clock";
import { completeConfig, type AssetConfig, type HubConfig } from "../../hub/config";
import { createHub, type Hub } from "../../hub/create-hub";
import { silentLog, type Log } from "../../hub/log";
import { SignerRecord } from "../../hub/signer/signer-record";
import { openSqliteStore } from "../../hub/store/sqlite/open-store";
import { hexToBytes, parseAddress, ZERO_ADDRESS, type Address } from "../../protocol";
import { serveRpc } from "./rpc-server";
import { freshWorld, type World } from "./world";

const MNEMONIC = "test test test test test test test test test test test junk";

/** The key of a development account: 1 is the hub, 3 Alice, 4 Bob, 5 Carol. */
export function developmentKey(index: number): string {
  return HDNodeWallet.fromPhrase(MNEMONIC, undefined, `m/44'/60'/0'/0/${index}`).privateKey;
}

export const EXCHANGE_RATE = 2_000n * 10n ** 18n;

/** A chain, a contract, a funded reserve and a hub on real files and sockets. */
export interface HubWorld extends World {
  readonly hubServer: Hub;
  readonly hubUrl: string;
  readonly ethUrl: string;
  readonly folder: string;
  readonly tokenAddress: Address;
  readonly config: HubConfig;
  /** Opens a client; it is stopped with the world. */
  client(index: number, overrides?: Partial<ClientOptions> & { readonly store?: ClientStore }): Promise<ConnextClient>;
  /** Stops the hub for good; the chain and the clients go on. */
  stopHub(): Promise<void>;
  /** Stops the hub and starts it again on the same files (and port). */
  restartHub(): Promise<HubWorld>;
  close(): Promise<void>;
}

export interface HubWorldOptions {
  readonly config?: Partial<HubConfig>;
  readonly clock?: Clock;
  readonly log?: Log;
  readonly assets?: (token: Address) => readonly AssetConfig[];
}

const ETHER = 10n ** 18n;

export function testAssets(token: Address): readonly AssetConfig[] {
  const limits = { minimumPayment: 1n, collateralCeiling: 170n * ETHER, collateralFloor: 10n * ETHER };
  return [
    { asset: ZERO_ADDRESS, symbol: "ETH", decimals: 18, ...limits },
    { asset: token, symbol: "LUSD", decimals: 18, ...limits },
  ];
}

/** Everything that a test of hub and client needs. `close` ends it all. */
export async function hubWorld(options: HubWorldOptions = {}): Promise<HubWorld> {
  const world = await freshWorld();
  const token = parseAddress(await world.token.getAddress());
  await world.manager.connect(world.hub).fundReserve(ZERO_ADDRESS, 1_000n * ETHER, { value: 1_000n * ETHER });
  await world.manager.connect(world.hub).fundReserve(token, 100_000n * ETHER);
  const rpc = await serveRpc(hre.network.provider);
  const folder = mkdtempSync(join(tmpdir(), "hub-test-"));
  const config = completeConfig({
    chainId: Number((await ethers.provider.getNetwork()).chainId),
    channelManager: parseAddress(world.address),
    assets: (options.assets ?? testAssets)(token),
    confirmations: 1,
    pollIntervalMs: 50,
    collateralBatchMs: 50,
    requestsPerMinute: 1_000_000,
    prices: [
      { sellAsset: ZERO_ADDRESS, buyAsset: token, rate: EXCHANGE_RATE },
      { sellAsset: token, buyAsset: ZERO_ADDRESS, rate: 10n ** 36n / EXCHANGE_RATE },
    ],
    adminKey: "an-admin-key-for-tests-only",
    disputeWorthPercent: 0, // a test is about a few wei
    ...options.config,
  });
  const clients = new Set<ConnextClient>();
  return start({ ...world, folder, config, ethUrl: rpc.url, tokenAddress: token }, options, clients, async () => {
    await rpc.close();
    rmSync(folder, { recursive: true, force: true });
  });
}

type Base = Omit<HubWorld, "hubServer" | "hubUrl" | "client" | "stopHub" | "restartHub" | "close">;

async function start(
  base: Base,
  options: HubWorldOptions,
  clients: Set<ConnextClient>,
  forget: () => Promise<void>,
): Promise<HubWorld> {
  const { config, folder, ethUrl } = base;
  const provider = new JsonRpcProvider(ethUrl, config.chainId, {
    staticNetwork: true,
    cacheTimeout: -1,
    batchMaxCount: 1,
  });
  const hubServer = await createHub({
    config,
    store: openSqliteStore(join(folder, "hub.sqlite")),
    signerRecord: new SignerRecord(join(folder, "signer.sqlite")),
    hubKey: hexToBytes(developmentKey(1)),
    provider,
    node: { send: (method, params) => provider.send(method, [...params]) as Promise<unknown> },
    clock: options.clock ?? systemClock,
    randomBytes,
    log: options.log ?? silentLog,
  });
  const { url: hubUrl } = await hubServer.start();
  const port = Number(new URL(hubUrl).port);
  let isStopped = false;
  const stopHub = async (): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    await hubServer.close();
  };
  return {
    ...base,
    hubServer,
    hubUrl,
    stopHub,
    client: async (index, overrides = {}) => {
      const client = await getConnextClient({
        hubUrl,
        ethUrl,
        privateKey: developmentKey(index),
        store: memoryStore(),
        webSocket: WebSocket as unknown as SocketConstructor,
        pollIntervalMs: 100,
        confirmations: 1,
        ...overrides,
      });
      clients.add(client);
      return client;
    },
    restartHub: async () => {
      await stopHub();
      return start({ ...base, config: { ...config, port } }, options, clients, forget);
    },
    close: async () => {
      for (const client of clients) await client.stop().catch(() => undefined);
      await stopHub();
      await forget();
    },
  };
}

/** Waits until something is true, for as long as a slow machine may need. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const giveUpAt = Date.now() + limitMs;
  while (!(await isTrue())) {
    if (Date.now() > giveUpAt) throw new Error(`${what} did not happen within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
