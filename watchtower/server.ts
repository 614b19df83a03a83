import { JsonRpcProvider } from "ethers";
import { systemClock } from "./clock";
import { parseTowerConfig } from "./config";
import { createWatchtower } from "./create-watchtower";
import { consoleLog } from "./log";
import { openTowerStore } from "./store/sqlite/tower-store";

/** The process of a tower, from its environment (docs/watchtower.md). SIGINT and SIGTERM end it cleanly. */
async function main(): Promise<void> {
  const log = consoleLog();
  const { tower: config, ethUrl, databaseFile, privateKey } = parseTowerConfig(process.env);
  const provider = new JsonRpcProvider(ethUrl, config.chainId, { staticNetwork: true, cacheTimeout: -1 });
  const store = openTowerStore(databaseFile);
  const tower = await createWatchtower({ config, store, privateKey, provider, clock: systemClock, log });
  const stop = (): void => {
    log.info("stopping");
    void tower.close().then(() => process.exit(0));
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const { url } = await tower.start();
  log.info(`watchtower ${tower.address} listens at ${url}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
