import {
  channelManagerDomain,
  parseAddress,
  protocolError,
  validate,
  OPERATIONS,
  type OutputOf,
  type PureApps,
} from "../protocol";
import { ChainClient } from "./chain";
import { Backups, placesOf } from "./backup/backups";
import { httpTower } from "./backup/http-tower";
import { towerPlace } from "./backup/places";
import { ConnextClient } from "./connext-client";
import { Connection, type SocketConstructor } from "./connection";
import { Engine } from "./engine/engine";
import { Events } from "./engine/events";
import { clientError } from "./errors";
import type { HubConnection } from "./hub-connection";
import type { ClientOptions } from "./options";
import { openProviders } from "./providers";
import { onIdleTimer } from "./schedule";
import { openSigner, type ClientSigner } from "./signer";
import type { ClientStore } from "./store";
import { acceptsGifts } from "./threads/terms";
import { threadClient } from "./threads/thread-client";
import { openThreadWorks } from "./threads/thread-works";
import { acceptsGains } from "./threads/update-rules";

export type { ClientOptions } from "./options";
export { ConnextClient } from "./connext-client";

/** What a hub says of itself in `/config`. */
export type HubFacts = OutputOf<"getConfig">;

const CONFIG_KEY = "config";
const DEVELOPMENT_CHAINS = new Set([1337, 31337]);

/**
 * Opens a client: one user, one hub. Resolves when the record is open and the chain was read. The hub may be down if it
 * was ever reached before: exit, settle and claim work without it.
 * @throws NoSigner, HubTrustedForChain, KeyInUse, HubUnreachable (the first time), HubChanged, WrongChain, ContractMissing,
 * WrongContract, ChainUnreachable
 */
export async function getConnextClient(options: ClientOptions): Promise<ConnextClient> {
  const signer = await openSigner(options);
  await options.store.lock();
  try {
    return await open(options, signer);
  } catch (error) {
    await options.store.close();
    throw error;
  }
}

async function open(options: ClientOptions, signer: ClientSigner): Promise<ConnextClient> {
  const log = options.logger ?? (() => undefined);
  const now = options.now ?? (() => Date.now());
  const random = options.random ?? Math.random;
  const facts: { chainId: number } = { chainId: 0 };
  const webSocket = options.webSocket ?? (globalThis as { WebSocket?: SocketConstructor }).WebSocket;
  const hub: HubConnection = new Connection({
    ...{ hubUrl: options.hubUrl, signer, chainId: () => facts.chainId, now, random, log },
    ...(webSocket === undefined ? {} : { webSocket }),
    timeoutMs: options.timeoutMs ?? 15_000,
  });
  const config = await readConfig(hub, options.store);
  facts.chainId = config.chainId;
  const isDevelopment = DEVELOPMENT_CHAINS.has(config.chainId);
  const channelManager = parseAddress(config.channelManager, "config.channelManager");
  const hubAddress = parseAddress(config.hub, "config.hub");
  const providers = await openProviders(options, config.chainId);
  const confirmations = options.confirmations ?? (isDevelopment ? 1 : 12);
  const chain = new ChainClient({ providers, channelManager, signer, confirmations });
  const contract = await chain.contractFacts();
  if (contract.hub !== hubAddress) {
    const [expected, actual] = [hubAddress, contract.hub];
    throw clientError("WrongContract", { address: channelManager, field: "hub", expected, actual });
  }
  const served = config.assets.map(({ asset }) => parseAddress(asset, "config.assets"));
  const own = options.assets?.map((asset) => parseAddress(asset, "options.assets"));
  const assets = served.filter((asset) => own === undefined || own.includes(asset));
  const events = new Events(log);
  const sleep = options.sleep ?? ((ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms)));
  const domain = channelManagerDomain(BigInt(config.chainId), channelManager);
  const answerMs = options.peerPatienceMs ?? 30_000;
  const works = await openThreadWorks({
    ...{ store: options.store, signer, domain, events, hub, chain, log, answerMs },
    apps: appsOf(options, config),
    challengePeriodSeconds: BigInt(contract.challengePeriodSeconds),
    policy: options.acceptThreadUpdate ?? acceptsGains,
    schedule: onIdleTimer,
  });
  const engine = await Engine.open({
    ...{ store: options.store, signer, hubAddress, hub, chain, events, now, random, sleep, log, domain },
    assets: new Set(assets),
    threads: works.judge,
    challengePeriodSeconds: contract.challengePeriodSeconds,
    patienceMs: options.patienceMs ?? 30_000,
  });
  const autoSettle = options.autoSettle ?? signer.ethers !== undefined;
  const threads = threadClient({
    ...{ works, engine, hub, now, sleep, log, answerMs, schedule: onIdleTimer, settles: autoSettle },
    policy: options.acceptThread ?? acceptsGifts,
    defends: signer.ethers !== undefined,
    randomBytes: (count) => globalThis.crypto.getRandomValues(new Uint8Array(count)),
  });
  const towers = (options.backupTowers ?? []).map((given) => {
    const url = given.replace(/\/+$/, "");
    const tower = httpTower({ url, signer, domain, now, timeoutMs: options.timeoutMs ?? 15_000 });
    return towerPlace(tower, signer.address, `the tower at ${url}`);
  });
  const places = placesOf(hub, signer.address, [...towers, ...(options.backupPlaces ?? [])]);
  const backups = new Backups({
    ...{
      engine,
      book: works.book,
      store: options.store,
      signer,
      chain,
      wire: hub,
      events,
      domain,
      hub: hubAddress,
      places,
    },
    isAutomatic: options.autoBackup ?? signer.secret !== undefined,
    afterMs: options.backupAfterMs ?? 5_000,
    ...{ schedule: onIdleTimer, now, log },
  });
  const client = new ConnextClient({
    ...{
      backups,
      engine,
      hub,
      chain,
      events,
      signer,
      config,
      now,
      sleep,
      log,
      assets,
      confirmations,
      threads,
      autoSettle,
    },
    store: options.store,
    channelManager,
    hubAddress,
    maxSlippage: shareOf(options.maxSlippage ?? 0.01),
    ...(options.rateOf === undefined ? {} : { rateOf: options.rateOf }),
    pollIntervalMs: options.pollIntervalMs ?? (isDevelopment ? 500 : 4_000),
  });
  if (options.restoreFrom !== undefined) await client.restore([...options.restoreFrom, ...places]);
  await client.start();
  return client;
}

/** The hub's word about itself, kept for when it is down. What is signed is bound to it, so it never changes (HubChanged). */
async function readConfig(hub: HubConnection, store: ClientStore): Promise<HubFacts> {
  const stored = await store.get(CONFIG_KEY);
  const known =
    stored === undefined ? undefined : validate(OPERATIONS.getConfig.response, JSON.parse(stored), "config");
  let given: HubFacts;
  try {
    given = await hub.call("getConfig", {});
  } catch (error) {
    if (known === undefined) throw error;
    return known;
  }
  for (const field of ["channelManager", "hub", "chainId"] as const) {
    if (known !== undefined && String(known[field]).toLowerCase() !== String(given[field]).toLowerCase()) {
      throw clientError("HubChanged", { field, known: String(known[field]), given: String(given[field]) });
    }
  }
  await store.write({ [CONFIG_KEY]: JSON.stringify(given) });
  return given;
}

/** The caller's own word about the prebuilt apps, or else the hub's. */
function appsOf({ threadApps }: ClientOptions, { apps }: HubFacts): PureApps {
  const { hashlock, signed } = { ...apps, ...threadApps };
  return {
    ...(hashlock === undefined ? {} : { hashlock: parseAddress(hashlock, "apps.hashlock") }),
    ...(signed === undefined ? {} : { signed: parseAddress(signed, "apps.signed") }),
  };
}

/** @throws InvalidValue for what is no share: a negative or absurd one would accept any price. */
function shareOf(given: number): number {
  if (given >= 0 && given < 1) return given;
  throw protocolError("InvalidValue", { path: "maxSlippage", expected: "from 0 to below 1", given });
}
