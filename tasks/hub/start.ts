import { randomBytes } from "node:crypto";
import { JsonRpcProvider, type Provider } from "ethers";
import { vars } from "hardhat/config";
import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { systemClock } from "../../hub/clock";
import { completeConfig, type AssetConfig, type HubConfig } from "../../hub/config";
import { createHub, type Hub } from "../../hub/create-hub";
import { consoleLog, type Log } from "../../hub/log";
import type { Rate } from "../../hub/services/rates";
import { SignerRecord } from "../../hub/signer/signer-record";
import { openSqliteStore } from "../../hub/store/sqlite/open-store";
import { hexToBytes, parseAddress, ZERO_ADDRESS, type Address } from "../../protocol";
import { ChannelManager__factory } from "../../typechain-types";
import type { AddressBook } from "../address-book/address-book";
import { readAddressBook, requireEntry } from "../address-book/read-address-book";
import { connect, recordsDirectory } from "../chain/connect";
import type { Chain } from "../chain/identify-chain";
import { accountOf } from "../chain/keys";
import { operationError } from "../errors";
import { readToken } from "../reserve/reserve";
import { ensureAdminKey, filesOf } from "./files";

export interface StartOptions {
  readonly port: number;
  readonly operatorPort: number;
  readonly host: string;
  readonly directory: string | undefined;
  readonly log?: Log;
}

export interface StartedHub {
  readonly hub: Hub;
  readonly url: string;
  readonly operatorUrl: string;
  readonly chain: Chain;
  readonly config: HubConfig;
}

/** Ten times the floor and the ceiling of the specification's token, in units of an asset with these decimals. */
const FLOOR_UNITS = 10n;
const CEILING_UNITS = 170n;

/** One ether in local dollars, for chains where nothing has a price. */
const LOCAL_RATE = 2_000n * 10n ** 18n;

/** Starts the hub of the network's deployment on files of its own. @throws NotDeployed, HubKeyMissing, HubIsRunning */
export async function startHub(hre: HardhatRuntimeEnvironment, options: StartOptions): Promise<StartedHub> {
  const chain = await connect(hre);
  const directory = recordsDirectory(hre, chain, options.directory);
  const book = await readAddressBook(chain, directory);
  const entry = requireEntry(book, "ChannelManager", chain, directory);
  const files = filesOf(hre, chain);
  const { provider, send } = providerOf(hre, chain);
  const channelManager = parseAddress(entry.address);
  const hubKey = await hubKeyOf(hre, chain, channelManager, provider);
  const token = book.contracts.LocalToken?.address;
  const config = completeConfig({
    chainId: chain.chainId,
    channelManager,
    startBlock: entry.blockNumber,
    confirmations: chain.isLocal ? 1 : 12,
    pollIntervalMs: chain.isLocal ? 250 : 4_000,
    collateralBatchMs: chain.isLocal ? 300 : 5_000,
    host: options.host,
    port: options.port,
    operatorPort: options.operatorPort,
    adminKey: ensureAdminKey(files),
    assets: await assetsOf(provider, token),
    prices: token === undefined ? [] : localPrices(parseAddress(token)),
    priceUrl: process.env.HUB_PRICE_URL ?? "",
    apps: appsOf(book.contracts),
  });
  const hub = await createHub({
    config,
    store: openSqliteStore(files.database),
    signerRecord: openRecord(files.signerRecord),
    hubKey,
    provider,
    node: { send },
    clock: systemClock,
    randomBytes,
    log: options.log ?? consoleLog(),
  });
  return { hub, chain, config, ...(await hub.start()) };
}

function appsOf({ HashlockApp, SignedApp }: AddressBook["contracts"]): HubConfig["apps"] {
  return {
    ...(HashlockApp === undefined ? {} : { hashlock: parseAddress(HashlockApp.address) }),
    ...(SignedApp === undefined ? {} : { signed: parseAddress(SignedApp.address) }),
  };
}

function openRecord(file: string): SignerRecord {
  try {
    return new SignerRecord(file);
  } catch (error) {
    throw operationError("HubIsRunning", { file }, error);
  }
}

/** A provider of the hub's own, so that it can be closed with it. */
function providerOf(
  hre: HardhatRuntimeEnvironment,
  chain: Chain,
): { readonly provider: Provider; readonly send: (method: string, params: readonly unknown[]) => Promise<unknown> } {
  const { config } = hre.network;
  if (!("url" in config)) {
    return { provider: hre.ethers.provider, send: (method, params) => hre.network.provider.send(method, [...params]) };
  }
  const provider = new JsonRpcProvider(config.url, chain.chainId, { staticNetwork: true, cacheTimeout: -1 });
  return { provider, send: (method, params) => provider.send(method, [...params]) as Promise<unknown> };
}

/** On a local chain the development account that the contract was deployed for; elsewhere HUB_PRIVATE_KEY. */
async function hubKeyOf(
  hre: HardhatRuntimeEnvironment,
  chain: Chain,
  channelManager: Address,
  provider: Provider,
): Promise<Uint8Array> {
  const given = process.env.HUB_PRIVATE_KEY ?? vars.get("HUB_PRIVATE_KEY", "");
  if (given !== "") return hexToBytes(given.toLowerCase());
  const hub = await ChannelManager__factory.connect(channelManager, provider).hub();
  if (!chain.isLocal) throw operationError("HubKeyMissing", { hub, network: chain.network });
  return hexToBytes(accountOf(hre, chain, hub).privateKey);
}

async function assetsOf(provider: Provider, token: string | undefined): Promise<readonly AssetConfig[]> {
  const ether = assetOf(ZERO_ADDRESS, "ETH", 18);
  if (token === undefined) return [ether];
  const { symbol, decimals } = await readToken(provider, token);
  return [ether, assetOf(parseAddress(token), symbol, decimals)];
}

function assetOf(asset: Address, symbol: string, decimals: number): AssetConfig {
  const unit = 10n ** BigInt(decimals);
  const minimumPayment = decimals > 9 ? 10n ** BigInt(decimals - 9) : 1n;
  return {
    ...{ asset, symbol, decimals, minimumPayment },
    collateralFloor: FLOOR_UNITS * unit,
    collateralCeiling: CEILING_UNITS * unit,
  };
}

function localPrices(token: Address): readonly Rate[] {
  return [
    { sellAsset: ZERO_ADDRESS, buyAsset: token, rate: LOCAL_RATE },
    { sellAsset: token, buyAsset: ZERO_ADDRESS, rate: 10n ** 36n / LOCAL_RATE },
  ];
}
