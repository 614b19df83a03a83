import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { HDNodeWallet } from "ethers";
import type { ConnextClient } from "../../client";
import { getNodeClient } from "../../client/node";
import { completeConfig } from "../../hub/config";
import { createHub, type Hub } from "../../hub/create-hub";
import { silentLog } from "../../hub/log";
import { SignerRecord } from "../../hub/signer/signer-record";
import { openSqliteStore } from "../../hub/store/sqlite/open-store";
import { hexToBytes, parseAddress, ZERO_ADDRESS, type Address } from "../../protocol";
import {
  ChannelManager__factory,
  LocalToken__factory,
  type ChannelManager,
  type LocalToken,
} from "../../typechain-types";
import { DEVELOPMENT_MNEMONIC } from "../development-accounts";

export const ETHER = 10n ** 18n;
const PERIOD_SECONDS = 86_400;

/** 1 ETH = 2,000 LUSD. */
const RATE = 2_000n * ETHER;

/** A fresh chain with the contract, a funded reserve and a running hub. */
export interface Stage {
  readonly manager: ChannelManager;
  readonly token: LocalToken;
  readonly tokenAddress: Address;
  readonly hub: Hub;
  readonly provider: HardhatRuntimeEnvironment["ethers"]["provider"];
  /** A user's client, on a file of its own. */
  open(account: number): Promise<ConnextClient>;
  /** The hub's process is gone; its key is not. */
  stopHub(): Promise<void>;
  /** Somebody with the hub's key. */
  readonly hubKey: string;
  passWindow(): Promise<void>;
  close(): Promise<void>;
}

export async function buildStage(hre: HardhatRuntimeEnvironment, folder: string): Promise<Stage> {
  const { provider } = hre.ethers;
  const [deployer, hubAccount, treasury] = await hre.ethers.getSigners();
  if (!deployer || !hubAccount || !treasury) throw new Error("the development mnemonic has too few accounts");
  const manager = await new ChannelManager__factory(deployer).deploy(hubAccount, treasury, PERIOD_SECONDS);
  const token = await new LocalToken__factory(deployer).deploy("Local Dollar", "LUSD");
  const [channelManager, tokenAddress] = [
    parseAddress(await manager.getAddress()),
    parseAddress(await token.getAddress()),
  ];
  await manager.fundReserve(ZERO_ADDRESS, 100n * ETHER, { value: 100n * ETHER });
  await token.mint(deployer, 100_000n * ETHER);
  await token.approve(channelManager, 100_000n * ETHER);
  await manager.fundReserve(tokenAddress, 100_000n * ETHER);

  const shift = { ms: 0 };
  const limits = { minimumPayment: 1n, collateralFloor: 10n * ETHER, collateralCeiling: 170n * ETHER };
  const hubKey = keyOf(1);
  const hub = await createHub({
    config: completeConfig({
      ...{ chainId: Number((await provider.getNetwork()).chainId), channelManager, confirmations: 1 },
      pollIntervalMs: 50,
      collateralBatchMs: 50,
      assets: [
        { asset: ZERO_ADDRESS, symbol: "ETH", decimals: 18, ...limits },
        { asset: tokenAddress, symbol: "LUSD", decimals: 18, ...limits },
      ],
      prices: [
        { sellAsset: ZERO_ADDRESS, buyAsset: tokenAddress, rate: RATE },
        { sellAsset: tokenAddress, buyAsset: ZERO_ADDRESS, rate: 10n ** 36n / RATE },
      ],
    }),
    store: openSqliteStore(join(folder, "hub.sqlite")),
    signerRecord: new SignerRecord(join(folder, "hub-signer.sqlite")),
    hubKey: hexToBytes(hubKey),
    provider,
    node: { send: (method, params) => provider.send(method, [...params]) as Promise<unknown> },
    clock: { now: () => Date.now() + shift.ms },
    randomBytes,
    log: silentLog,
  });
  const { url } = await hub.start();
  const clients = new Set<ConnextClient>();
  let isRunning = true;
  const stopHub = async (): Promise<void> => {
    if (isRunning) await hub.close();
    isRunning = false;
  };
  return {
    ...{ manager, token, tokenAddress, hub, provider, hubKey, stopHub },
    open: async (account) => {
      const client = await getNodeClient({
        hubUrl: url,
        ethProvider: provider,
        privateKey: keyOf(account),
        file: join(folder, `client-${account}.sqlite`),
        pollIntervalMs: 100,
        now: () => Date.now() + shift.ms,
        patienceMs: 5_000,
      });
      clients.add(client);
      return client;
    },
    passWindow: async () => {
      await provider.send("evm_increaseTime", [PERIOD_SECONDS]);
      await provider.send("evm_mine", []);
      shift.ms += PERIOD_SECONDS * 1000;
    },
    close: async () => {
      for (const client of clients) await client.stop();
      await stopHub();
    },
  };
}

/** A development account's key: everybody has it. */
export function keyOf(account: number): string {
  return HDNodeWallet.fromPhrase(DEVELOPMENT_MNEMONIC, undefined, `m/44'/60'/0'/0/${account}`).privateKey;
}
