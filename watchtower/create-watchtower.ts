import { Wallet, type Provider } from "ethers";
import type { FastifyInstance } from "fastify";
import { channelManagerDomain, hubError, parseAddress, watchtowerDomain, type Address } from "../protocol";
import { readChannel } from "../protocol/chain/channel-view";
import { ChannelManager__factory } from "../typechain-types";
import { buildTowerApp } from "./app";
import { Sender } from "./chain/sender";
import type { Clock } from "./clock";
import type { WatchtowerConfig } from "./config";
import { GRACE_SECONDS } from "./guard/fees";
import { Patrol } from "./guard/patrol";
import { receiptSigner } from "./guard/receipts";
import type { Log } from "./log";
import { towerHandlers, type HandlerDeps } from "./routes/handlers";
import type { TowerStore } from "./store/tower-store";

/** Everything that a tower is made of and does not make itself. It closes `store` and `provider` when it closes. */
export interface WatchtowerDeps {
  readonly config: WatchtowerConfig;
  readonly store: TowerStore;
  /** Of an account that owns gas money and nothing else. It signs receipts too. */
  readonly privateKey: string;
  readonly provider: Provider;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Watchtower {
  /** Whose key it is. */
  readonly address: Address;
  readonly app: FastifyInstance;
  /** Listens and follows the chain. @returns Where it listens. */
  start(): Promise<{ readonly url: string }>;
  /** One look at the chain, and what follows from it, now. For tests and demos. @throws what the node throws */
  tick(): Promise<void>;
  /** Ends the look that runs, then closes socket, file and connection. */
  close(): Promise<void>;
}

/** A tower that has not seen the chain for so many polls guards nothing. */
const MAX_MISSED_POLLS = 10;

/** Builds a tower. @throws ContractMismatch if the node serves another chain, or nothing is at that address */
export async function createWatchtower(deps: WatchtowerDeps): Promise<Watchtower> {
  const { config, store, provider, clock, log } = deps;
  const wallet = new Wallet(deps.privateKey);
  const address = parseAddress(wallet.address);
  const { handlerDeps, patrol } = await wire(deps, wallet, address);
  const notReady = (): readonly string[] => {
    const ageMs = clock.now() - (patrol.lastPass?.atMs ?? 0);
    return ageMs > config.pollIntervalMs * MAX_MISSED_POLLS ? ["the chain was not seen for too long"] : [];
  };
  const app = await buildTowerApp({ config, handlers: towerHandlers(handlerDeps), notReady, log });
  const loop = passes(patrol, config, log, () => forgetUnpaid(deps));
  return {
    ...{ address, app },
    start: async () => {
      const url = await app.listen({ host: config.host, port: config.port });
      loop.start();
      return { url };
    },
    tick: () => loop.run(),
    close: async () => {
      await app.close();
      await loop.stop();
      store.close();
      provider.destroy();
    },
  };
}

async function wire(
  { config, store, provider, clock, log }: WatchtowerDeps,
  wallet: Wallet,
  address: Address,
): Promise<{ readonly handlerDeps: HandlerDeps; readonly patrol: Patrol }> {
  const { channelManager, fee } = config;
  const chainId = BigInt(config.chainId);
  const { hub, challengePeriodSeconds } = await readContract(provider, config);
  const domain = channelManagerDomain(chainId, channelManager);
  const towerDomain = watchtowerDomain(chainId, channelManager);
  const evidence = { domain, challengePeriodSeconds, apps: config.apps };
  const handlerDeps: HandlerDeps = {
    ...{ config, store, hub, evidence, clock, domain },
    ...(fee === undefined ? {} : { fee }),
    towerDomain,
    signer: receiptSigner(wallet, address, towerDomain),
    readChannel: async (user, assets) =>
      readChannel(provider, channelManager, user, assets, await provider.getBlockNumber()),
  };
  const sender = new Sender({ ...config, provider, wallet, store, clock, log });
  const patrol = new Patrol({ ...config, provider, store, sender, evidence, clock, log });
  return { handlerDeps, patrol };
}

/** @throws ContractMismatch */
async function readContract(
  provider: Provider,
  { chainId, channelManager }: WatchtowerConfig,
): Promise<{ readonly hub: Address; readonly challengePeriodSeconds: bigint }> {
  const network = await provider.getNetwork();
  if (Number(network.chainId) !== chainId) {
    const reason = `the node serves chain ${network.chainId}, not ${chainId}`;
    throw hubError("ContractMismatch", { channelManager, reason });
  }
  const manager = ChannelManager__factory.connect(channelManager, provider);
  try {
    const [hub, challengePeriodSeconds] = await Promise.all([manager.hub(), manager.challengePeriodSeconds()]);
    return { hub: parseAddress(hub), challengePeriodSeconds };
  } catch (cause) {
    throw hubError("ContractMismatch", { channelManager, reason: "it does not answer as one" }, cause);
  }
}

/** Who has not paid for a long time, and has nothing going on, is forgotten. */
function forgetUnpaid({ config, store, clock, log }: WatchtowerDeps): void {
  if (config.fee === undefined) return;
  const before = BigInt(Math.floor(clock.now() / 1000)) - GRACE_SECONDS;
  store.write(() => {
    const count = store.forgetUnpaid(before);
    if (count > 0) log.info(`${count} users who do not pay any more were forgotten`);
  });
}

/** One pass at a time, again and again. */
function passes(
  patrol: Patrol,
  { pollIntervalMs }: WatchtowerConfig,
  log: Log,
  tidy: () => void,
): { start(): void; run(): Promise<void>; stop(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;
  const run = (): Promise<void> => {
    const next = running.then(async () => {
      if (isStopped) return;
      tidy();
      await patrol.pass();
    });
    running = next.catch(() => undefined);
    return next;
  };
  const again = (): void => {
    run()
      .catch((error: unknown) => log.error("the chain could not be looked at", error))
      .finally(() => {
        if (!isStopped) timer = setTimeout(again, pollIntervalMs);
      });
  };
  return {
    start: again,
    run,
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
