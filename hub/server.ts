import { randomBytes } from "node:crypto";
import { JsonRpcProvider } from "ethers";
import { systemClock } from "./clock";
import { parseConfig } from "./config";
import { createWatchtower } from "../watchtower/create-watchtower";
import type { TowerServerConfig } from "../watchtower/config";
import { openTowerStore } from "../watchtower/store/sqlite/tower-store";
import { createHub, type EmbeddedTower } from "./create-hub";
import { consoleLog, type Log } from "./log";
import { SignerRecord } from "./signer/signer-record";
import { openSqliteStore } from "./store/sqlite/open-store";

/** The process of a hub, from its environment (docs/operations.md). SIGINT and SIGTERM end it cleanly. */
async function main(): Promise<void> {
  const log = consoleLog();
  const settings = parseConfig(process.env);
  const { hub: config, ethUrl, databaseFile, signerFile, hubKey } = settings;
  const watchtower = settings.watchtower && (await openTower(settings.watchtower, log));
  const provider = new JsonRpcProvider(ethUrl, config.chainId, { staticNetwork: true, cacheTimeout: -1 });
  const hub = await createHub({
    config,
    store: openSqliteStore(databaseFile),
    signerRecord: new SignerRecord(signerFile),
    hubKey,
    provider,
    node: { send: (method, params) => provider.send(method, [...params]) as Promise<unknown> },
    clock: systemClock,
    randomBytes,
    log,
    ...(watchtower === undefined ? {} : { watchtower }),
  });
  const stop = (): void => {
    log.info("stopping");
    void hub.close().then(() => process.exit(0));
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const { url, operatorUrl } = await hub.start();
  log.info(`hub ${hub.services.signer.address} listens at ${url}; health and metrics at ${operatorUrl}`);
}

/** With a node connection of its own. */
function openTower(
  { tower: config, ethUrl, databaseFile, privateKey }: TowerServerConfig,
  log: Log,
): Promise<EmbeddedTower> {
  const provider = new JsonRpcProvider(ethUrl, config.chainId, { staticNetwork: true, cacheTimeout: -1 });
  const store = openTowerStore(databaseFile);
  return createWatchtower({ config, store, privateKey, provider, clock: systemClock, log });
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
