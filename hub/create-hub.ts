import { Contract, Wallet, type Provider } from "ethers";
import type { FastifyInstance } from "fastify";
import {
  addressOfPrivateKey,
  bytesToHex,
  channelManagerDomain,
  hubError,
  parseAddress,
  ZERO_ADDRESS,
  type Address,
} from "../protocol";
import { readCautiously } from "../protocol/chain/channel-view";
import { readThreadView } from "../protocol/chain/thread-record";
import { channelManagerAt } from "../protocol/chain/contract";
import type { Watchtower } from "../watchtower/create-watchtower";
import { buildApp } from "./app";
import { TransactionSender } from "./chain/transaction-sender";
import { Watcher } from "./chain/watcher";
import type { Clock } from "./clock";
import type { HubConfig } from "./config";
import type { Log } from "./log";
import { inProcessMessaging, type Messaging } from "./messaging/messaging";
import { outboxPushes } from "./messaging/outbox-pushes";
import { buildOperatorApp } from "./operator-app";
import { allHandlers } from "./routes/all-handlers";
import type { JsonRpcNode } from "./routes/eth-forwarder";
import { chainEvents } from "./services/chain-events";
import { ChainSync, type ChainView } from "./services/chain-sync";
import { Channels } from "./services/channels";
import { Collateral, DEFAULT_COLLATERAL_LIMITS } from "./services/collateral";
import { CollateralBatcher } from "./services/collateral-batcher";
import { Custodial } from "./services/custodial";
import { disputeMetrics } from "./services/dispute-metrics";
import { Disputes } from "./services/disputes/disputes";
import { SessionEnds } from "./services/disputes/session-ends";
import { StaleExits } from "./services/disputes/stale-exits";
import { ThreadDisputes } from "./services/disputes/thread-disputes";
import { gasWorth } from "./services/disputes/worth";
import { Exchange } from "./services/exchange";
import { endOf } from "./services/ends";
import { Forwarding } from "./services/forwarding";
import { GasPrice } from "./services/gas-price";
import { incidentLog } from "./services/incidents";
import { Lanes } from "./services/lanes";
import { Links } from "./services/links";
import { Purchases } from "./services/purchases";
import { fixedPrices, httpPrices, Rates } from "./services/rates";
import { repeat, type Repeater } from "./services/repeat";
import type { ContractFacts, Services } from "./services/services";
import { Sessions } from "./services/sessions";
import { Threads, type ThreadsDeps } from "./services/threads/threads";
import { Withdrawals } from "./services/withdrawals";
import { HubSigner } from "./signer/hub-signer";
import type { SignerRecord } from "./signer/signer-record";
import type { Store } from "./store/store";

/** Everything that a hub is made of and does not make itself. It closes `store` and `signerRecord` when it closes. */
export interface HubDeps {
  readonly config: HubConfig;
  readonly store: Store;
  readonly signerRecord: SignerRecord;
  /** 32 bytes. */
  readonly hubKey: Uint8Array;
  readonly provider: Provider;
  /** The same node, for what is forwarded to it. */
  readonly node: JsonRpcNode;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly log: Log;
  /** Default: within this process. */
  readonly messaging?: Messaging;
  /** A tower in this process, on a key, a file and a port of its own. Default: none. */
  readonly watchtower?: EmbeddedTower;
}

/** What a hub asks of a tower that it runs along. */
export type EmbeddedTower = Pick<Watchtower, "start" | "close">;

export interface Hub {
  readonly services: Services;
  readonly watcher: Watcher;
  readonly sender: TransactionSender;
  readonly app: FastifyInstance;
  readonly operatorApp: FastifyInstance;
  /** Listens, follows the chain and sends. @returns Where it listens. */
  start(): Promise<{ readonly url: string; readonly operatorUrl: string }>;
  /** What repeats on a timer, now: prices, collateral, ends of payments, settlements. For tests and demos. */
  tick(): Promise<void>;
  /** Finishes what it began, then closes every socket and file. */
  close(): Promise<void>;
}

const TOKEN_ABI = ["function balanceOf(address) view returns (uint256)"];

/** A side whose newest block is older signs nothing (H-20). */
const MAX_VIEW_AGE_SECONDS = 600;

const DAY_MS = 86_400_000;
const OUTBOX_DAYS = 7;
const SWEEP_MS = 2_000;
const PRICES_MS = 15_000;

/** Builds a hub. @throws ContractMismatch if the contract is not this hub's. */
export async function createHub(deps: HubDeps): Promise<Hub> {
  const { config, provider, clock, log, store } = deps;
  const contract = await readContract(deps);
  const messaging = deps.messaging ?? inProcessMessaging();
  const ref: { url: string } = { url: "" };
  const core = await wire(deps, contract, messaging, () => (config.domain === "" ? hostOf(ref.url) : config.domain));
  const { services, sender, watcher, notReady } = core;
  const handlers = allHandlers(services);
  const app = await buildApp({
    config,
    handlers,
    log,
    findSession: (token) => services.sessions.find(token),
    node: deps.node,
    hub: services.signer.address,
    socket: { messaging, store, latest: () => latestPushes(services) },
  });
  const challengePeriodSeconds = BigInt(contract.challengePeriodSeconds);
  const measureDisputes = disputeMetrics({ ...services, config, clock, store, challengePeriodSeconds });
  const operatorApp = buildOperatorApp({
    notReady,
    measure: async () => ({ ...(await measure(services, watcher)), ...(await measureDisputes()) }),
  });
  const repeaters = repeating(services, messaging);

  return {
    services,
    watcher,
    sender,
    app,
    operatorApp,
    start: async () => {
      await Promise.all([services.rates.refresh(), services.gasPrice.refresh()]);
      ref.url = await app.listen({ host: config.host, port: config.port });
      const operatorUrl = await operatorApp.listen({ host: config.host, port: config.operatorPort });
      sender.start();
      await watcher.start();
      const tower = await deps.watchtower?.start();
      if (tower !== undefined) log.info(`the watchtower in this process listens at ${tower.url}`);
      return { url: ref.url, operatorUrl };
    },
    tick: async () => {
      for (const repeater of repeaters) await repeater.run();
    },
    close: async () => {
      await deps.watchtower?.close();
      await app.close();
      await operatorApp.close();
      for (const repeater of repeaters) await repeater.stop();
      services.threads.stop();
      await watcher.close();
      await sender.close();
      await services.lanes.close();
      await services.signer.close();
      await store.database.close();
      provider.destroy();
    },
  };

  function repeating(all: Services, bus: Messaging): readonly Repeater[] {
    return [
      repeat("prices", PRICES_MS, log, async () => {
        const [rates, gas] = [await all.rates.refresh(), await all.gasPrice.refresh()];
        for (const push of latestPushes(all)) if (push.topic === "gas-price" ? gas : rates) bus.publish(push);
      }),
      repeat("collateral", config.collateralBatchMs, log, () => all.batcher.flush()),
      repeat("sweeping", SWEEP_MS, log, () => sweep(all, clock)),
    ];
  }
}

interface Core {
  readonly services: Services;
  readonly sender: TransactionSender;
  readonly watcher: Watcher;
  readonly notReady: () => readonly string[];
}

/** The one place where the parts meet. */
async function wire(
  { config, store, signerRecord, hubKey, provider, clock, randomBytes, log }: HubDeps,
  contract: ContractFacts,
  messaging: Messaging,
  domainName: () => string,
): Promise<Core> {
  const domain = channelManagerDomain(BigInt(config.chainId), config.channelManager);
  const signer = new HubSigner(hubKey, domain, signerRecord, () => store.database.sequence);
  const isRestored = await noticeRestore(store, signer, log);
  const assets = new Map(config.assets.map((asset) => [asset.asset, asset]));
  const assetSet = new Set(assets.keys());
  const lanes = new Lanes(clock);
  const pushes = outboxPushes(store, messaging, clock);
  const incidents = incidentLog(store, clock, log);
  const maxAge = Math.min(MAX_VIEW_AGE_SECONDS, Math.floor(contract.challengePeriodSeconds / 8));
  const requireFreshView = (): void => {
    const ageSeconds = watcher.ageSeconds();
    if (ageSeconds > maxAge) throw hubError("ViewTooOld", { ageSeconds, limitSeconds: maxAge });
  };
  const base = { store, signer, domain, lanes, pushes, incidents, clock };
  const channels = new Channels({ ...base, assets: assetSet, requireFreshView, isRestored });
  const collateral = new Collateral({ store, channels, clock, assets, limits: DEFAULT_COLLATERAL_LIMITS });
  const wallet = new Wallet(bytesToHex(hubKey));
  const sender: TransactionSender = new TransactionSender({
    provider,
    store,
    clock,
    log,
    signer: { address: signer.address, signTransaction: (transaction) => wallet.signTransaction(transaction) },
    chainId: config.chainId,
    confirmations: config.confirmations,
    pollIntervalMs: config.pollIntervalMs,
    maxFeePerGasCap: config.maxFeePerGasCap,
    disputeFeePerGasCap: config.disputeFeePerGasCap,
    bumpAfterMs: config.bumpAfterMs,
    onFinal: (row) => endOf(row, { store, custodial, chainSync, threadDisputes, log }),
  });
  const source = config.priceUrl === "" ? fixedPrices(config.prices) : httpPrices(config.priceUrl);
  const rates = new Rates(source, config.spreadBasisPoints, clock, log);
  const forwarding = new Forwarding({ ...base, channels, collateral });
  const exchange = new Exchange({ ...base, channels, collateral, rates, config, randomBytes });
  const outsiders = [signer.address, config.channelManager];
  const custodial: Custodial = new Custodial({
    ...base,
    channels,
    collateral,
    outgoing: sender,
    assets: assetSet,
    outsiders,
  });
  const manager = channelManagerAt(config.channelManager, provider);
  const reserveOf = (asset: Address): Promise<bigint> => manager.reserveOf(asset);
  const { channelManager } = config;
  const settings = await depositSwitch(store);
  const chainSync = new ChainSync({
    ...{ store, lanes, channels, collateral, forwarding, rates, log, assets: assetSet },
    readView: (user) => readView(provider, config, user),
    depositsPaused: () => settings.isPaused(),
  });
  const gasPrice = new GasPrice(provider, clock, log);
  const worth = gasWorth(gasPrice, rates, config.disputeWorthPercent);
  const forDisputes = { ...base, channels, outgoing: sender, worth, log, channelManager };
  const readThread: ThreadsDeps["readThread"] = (hash, thread) =>
    readThreadView(provider, channelManager, hash, thread, config.confirmations);
  const disputes = new Disputes({ ...forDisputes, readView: (user) => readView(provider, config, user) });
  const sessionEnds = new SessionEnds({
    ...{ ...forDisputes, assets: assetSet },
    readView: (user) => readView(provider, config, user),
    readLedger: (user, session, asset) => manager.ledgerOf(user, session, asset),
  });
  const challengePeriodSeconds = BigInt(contract.challengePeriodSeconds);
  const evidence = { domain, challengePeriodSeconds, apps: config.apps };
  const threadDisputes: ThreadDisputes = new ThreadDisputes({ ...forDisputes, evidence, readThread });
  const { staleExitDays: staleDays, staleExitGasMultiple: gasMultiple } = config;
  const staleExits = new StaleExits({ ...forDisputes, staleDays, gasMultiple });
  const listener = chainEvents({ chainSync, disputes, sessionEnds, threadDisputes, incidents });
  const watcher: Watcher = new Watcher({ ...config, provider, store, clock, log }, listener);
  const services: Services = {
    ...{
      ...base,
      config,
      contract,
      log,
      outgoing: sender,
      channels,
      collateral,
      forwarding,
      exchange,
      custodial,
      rates,
    },
    batcher: new CollateralBatcher({ store, outgoing: sender, clock, log, channelManager, reserveOf }),
    purchases: new Purchases({ ...base, channels, collateral, config }),
    links: new Links({ ...base, forwarding }),
    withdrawals: new Withdrawals({
      ...{ store, channels, collateral, exchange, outgoing: sender, channelManager, assets: assetSet },
    }),
    threads: new Threads({
      ...{ ...base, channels, collateral, assets, apps: config.apps, meetingMs: config.threadMeetingMs },
      challengePeriodSeconds,
      readThread,
      hasCode: async (address) => (await provider.getCode(address)) !== "0x",
    }),
    gasPrice,
    sessions: new Sessions({ store, clock, randomBytes, chainId: config.chainId, domain: domainName }),
    ...{ chainSync, disputes, sessionEnds, threadDisputes, staleExits },
    startedAtMs: clock.now(),
    depositsPaused: () => settings.isPaused(),
    setDepositsPaused: (paused, also) => settings.set(paused, also),
    reserveOf,
    walletOf: (asset) => walletOf(provider, signer.address, asset),
    headNumber: () => watcher.status().headNumber ?? 0,
    bump: (id) => sender.bump(id),
  };
  const notReady = (): readonly string[] => {
    const ageSeconds = watcher.ageSeconds();
    return ageSeconds > maxAge ? [`the newest block seen is ${ageSeconds} s old; ${maxAge} s is the limit`] : [];
  };
  return { services, sender, watcher, notReady };
}

/** Which hub and treasury the contract has. @throws ContractMismatch */
async function readContract({ config, provider, hubKey }: HubDeps): Promise<ContractFacts> {
  const manager = channelManagerAt(config.channelManager, provider);
  const [{ chainId }, hub, treasury, period] = await Promise.all([
    provider.getNetwork(),
    manager.hub(),
    manager.treasury(),
    manager.challengePeriodSeconds(),
  ]);
  const own = addressOfPrivateKey(hubKey);
  const reason =
    Number(chainId) !== config.chainId
      ? `the node serves chain ${chainId}, not ${config.chainId}`
      : parseAddress(hub) !== own
        ? `its hub is ${hub}, and the key at hand is ${own}'s`
        : undefined;
  if (reason === undefined) return { treasury: parseAddress(treasury), challengePeriodSeconds: Number(period) };
  throw hubError("ContractMismatch", { channelManager: config.channelManager, reason });
}

/** A database that is older than what was signed with it was put back: every user must show its newest state first. */
async function noticeRestore(store: Store, signer: HubSigner, log: Log): Promise<boolean> {
  if (signer.isDatabaseOlder()) {
    log.warn(
      "the database is older than what was signed with it: every channel waits until its user has shown its state",
    );
    await store.database.write((tx) => {
      store.channels.requireProofs(tx);
      store.operation.setSetting(tx, "restored", "yes");
    });
  }
  return (await store.operation.setting("restored")) === "yes";
}

async function depositSwitch(store: Store): Promise<{
  readonly isPaused: () => boolean;
  readonly set: Services["setDepositsPaused"];
}> {
  let paused = (await store.operation.setting("depositsPaused")) === "yes";
  return {
    isPaused: () => paused,
    set: async (given, also) => {
      await store.database.write((tx) => {
        store.operation.setSetting(tx, "depositsPaused", given ? "yes" : "no");
        also(tx);
      });
      paused = given;
    },
  };
}

async function readView(provider: Provider, config: HubConfig, user: Address): Promise<ChainView> {
  const assets = config.assets.map(({ asset }) => asset);
  const head = await provider.getBlockNumber();
  const view = await readCautiously(provider, config.channelManager, user, assets, head, config.confirmations);
  const ledgers = new Map([...view.ledgers].filter(([, ledger]) => Object.values(ledger).some((each) => each !== 0n)));
  const { session, exitNonce, exitDeadline } = view;
  return exitDeadline === 0n
    ? { session, ledgers }
    : { session, ledgers, exit: { nonce: exitNonce, deadline: exitDeadline } };
}

async function walletOf(provider: Provider, hub: Address, asset: Address): Promise<bigint> {
  if (asset === ZERO_ADDRESS) return provider.getBalance(hub);
  const token = new Contract(asset, TOKEN_ABI, provider);
  return (await token.getFunction("balanceOf").staticCall(hub)) as bigint;
}

async function sweep(all: Services, clock: Clock): Promise<void> {
  const { forwarding, chainSync, store, threads, disputes, threadDisputes, staleExits } = all;
  await forwarding.endExpired();
  await threads.finishClosings();
  await disputes.answerRunning();
  await disputes.settleDue();
  await staleExits.look();
  await store.database.write((tx) => {
    store.sessions.prune(tx, clock.now());
    store.operation.prune(tx, BigInt(Math.floor(clock.now() / 1000)));
    store.outbox.prune(tx, clock.now() - OUTBOX_DAYS * DAY_MS);
  });
  await chainSync.lookAtExits(); // from here on it needs the node
  await threadDisputes.lookAround();
}

function latestPushes({
  rates,
  gasPrice,
}: Services): readonly { readonly topic: "exchange-rates" | "gas-price"; readonly data: object }[] {
  const { rates: current, asOfMs } = rates.current();
  const { maxFeePerGas, maxPriorityFeePerGas, asOfMs: gasAsOfMs } = gasPrice.current();
  return [
    {
      topic: "exchange-rates",
      data: { rates: current.map((each) => ({ ...each, rate: each.rate.toString() })), asOfMs },
    },
    {
      topic: "gas-price",
      data: {
        maxFeePerGas: maxFeePerGas.toString(),
        maxPriorityFeePerGas: maxPriorityFeePerGas.toString(),
        asOfMs: gasAsOfMs,
      },
    },
  ];
}

async function measure(
  { store }: Services,
  watcher: Watcher,
): Promise<Readonly<Record<string, readonly [help: string, value: number]>>> {
  const [{ channels, exiting }, payments, incidents, open] = await Promise.all([
    store.channels.count(),
    store.payments.count(),
    store.operation.incidents(),
    store.transactions.countOpen(),
  ]);
  return {
    channels: ["Channels that the hub knows", channels],
    channels_exiting: ["Channels that are exiting", exiting],
    payments_total: ["Payments taken, whatever became of them", payments],
    incidents_total: ["What went against the rules", incidents],
    transactions_open: ["Transactions that are not final", open],
    view_age_seconds: ["Age of the newest block seen", Math.min(watcher.ageSeconds(), 1e9)],
    head_block: ["Newest block seen", watcher.status().headNumber ?? 0],
  };
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "localhost";
}
