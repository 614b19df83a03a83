import { JsonRpcProvider, type Provider } from "ethers";
import { vars } from "hardhat/config";
import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { parseAddress, ZERO_ADDRESS } from "../../protocol";
import { systemClock } from "../../watchtower/clock";
import { completeTowerConfig, type TowerFee } from "../../watchtower/config";
import { createWatchtower, type Watchtower } from "../../watchtower/create-watchtower";
import { consoleLog, type Log } from "../../watchtower/log";
import { openTowerStore } from "../../watchtower/store/sqlite/tower-store";
import { readAddressBook, requireEntry } from "../address-book/read-address-book";
import { parseAmount } from "../amount";
import { connect, recordsDirectory } from "../chain/connect";
import type { Chain } from "../chain/identify-chain";
import { accountOf, addressOf } from "../chain/keys";
import { operationError } from "../errors";
import { filesOf } from "../hub/files";

export interface TowerStartOptions {
  readonly host: string;
  readonly port: number;
  readonly fee: string | undefined;
  readonly days: number;
  readonly payee: string | undefined;
  readonly directory: string | undefined;
  readonly log?: Log;
}

/** The development account of a local tower. */
const LOCAL_ACCOUNT = "9";

/** Starts a tower for the network's deployment on a file of its own. @throws NotDeployed, WatchtowerKeyMissing */
export async function startTower(
  hre: HardhatRuntimeEnvironment,
  options: TowerStartOptions,
): Promise<{ readonly tower: Watchtower; readonly url: string; readonly chain: Chain }> {
  const chain = await connect(hre);
  const directory = recordsDirectory(hre, chain, options.directory);
  const book = await readAddressBook(chain, directory);
  const entry = requireEntry(book, "ChannelManager", chain, directory);
  const { HashlockApp: hashlock, SignedApp: signed } = book.contracts;
  const privateKey = keyOf(hre, chain);
  const config = completeTowerConfig({
    chainId: chain.chainId,
    channelManager: parseAddress(entry.address),
    startBlock: entry.blockNumber,
    confirmations: chain.isLocal ? 1 : 12,
    pollIntervalMs: chain.isLocal ? 500 : 6_000,
    ...{ host: options.host, port: options.port },
    apps: {
      ...(hashlock === undefined ? {} : { hashlock: parseAddress(hashlock.address) }),
      ...(signed === undefined ? {} : { signed: parseAddress(signed.address) }),
    },
    ...feeOf(chain, options),
  });
  const store = openTowerStore(filesOf(hre, chain).watchtower);
  const log = options.log ?? consoleLog();
  const tower = await createWatchtower({
    config,
    store,
    privateKey,
    provider: providerOf(hre, chain),
    clock: systemClock,
    log,
  });
  return { tower, chain, ...(await tower.start()) };
}

/** ETH; without a payee there is no fee. */
function feeOf(chain: Chain, { fee, days, payee }: TowerStartOptions): { readonly fee?: TowerFee } {
  if (fee === undefined || payee === undefined) return {};
  const { units } = parseAmount(fee, [{ address: ZERO_ADDRESS, symbol: "ETH", decimals: 18 }]);
  return { fee: { payee: addressOf(chain, payee), asset: ZERO_ADDRESS, amount: units, days } };
}

/** @throws WatchtowerKeyMissing */
function keyOf(hre: HardhatRuntimeEnvironment, chain: Chain): string {
  const given = process.env.WATCHTOWER_PRIVATE_KEY ?? vars.get("WATCHTOWER_PRIVATE_KEY", "");
  if (given !== "") return given;
  if (!chain.isLocal) throw operationError("WatchtowerKeyMissing", { network: chain.network });
  return accountOf(hre, chain, LOCAL_ACCOUNT).privateKey;
}

function providerOf(hre: HardhatRuntimeEnvironment, chain: Chain): Provider {
  const { config } = hre.network;
  if (!("url" in config)) return hre.ethers.provider;
  return new JsonRpcProvider(config.url, chain.chainId, { staticNetwork: true, cacheTimeout: -1 });
}
