import type { HardhatRuntimeEnvironment } from "hardhat/types";
import type { ClientOptions, ConnextClient } from "../../client";
import { getNodeClient } from "../../client/node";
import type { Amount, Asset } from "../amount";
import { formatAmount, parseAmount } from "../amount";
import { connect } from "../chain/connect";
import type { Chain } from "../chain/identify-chain";
import { accountOf } from "../chain/keys";
import type { Terminal } from "../terminal";
import { filesOf } from "../hub/files";

/** What every command of a user needs. */
export interface UserArgs {
  json: boolean;
  hub: string;
  user: string;
}

/** A user's client on its own file, with the assets of its hub. */
export interface Opened {
  readonly client: ConnextClient;
  readonly chain: Chain;
  readonly assets: readonly Asset[];
  /** Reads `1.5eth`. */
  readonly amount: (text: string) => Amount;
  readonly show: (asset: string, units: bigint | string) => string;
}

/** Opens a client for a command and closes it afterwards, whatever happens. */
export async function withClient<T>(
  args: UserArgs,
  hre: HardhatRuntimeEnvironment,
  terminal: Terminal,
  use: (opened: Opened) => Promise<T>,
): Promise<T> {
  const chain = await connect(hre);
  const client = await openClient(args, hre, chain, terminal);
  try {
    return await use(openedOf(client, chain));
  } finally {
    await client.stop();
  }
}

/** A user's client on its own file. Whoever opens it stops it. @throws AccountUnknown, KeyInUse, HubUnreachable, … */
export function openClient(
  { hub, user }: Pick<UserArgs, "hub" | "user">,
  hre: HardhatRuntimeEnvironment,
  chain: Chain,
  terminal: Terminal,
  policies: Pick<ClientOptions, "acceptThread" | "acceptThreadUpdate" | "restoreFrom"> = {},
): Promise<ConnextClient> {
  const { address, privateKey } = accountOf(hre, chain, user);
  const { config } = hre.network;
  const way = "url" in config ? { ethUrl: config.url } : { ethProvider: hre.ethers.provider };
  return getNodeClient({
    ...way,
    ...policies,
    hubUrl: hub,
    privateKey,
    file: filesOf(hre, chain).clientOf(address),
    logger: (line) => terminal.progress(line),
  });
}

function openedOf(client: ConnextClient, chain: Chain): Opened {
  const assets = client.config.assets.map(({ asset, symbol, decimals }) => ({ address: asset, symbol, decimals }));
  return {
    ...{ client, chain, assets },
    amount: (text) => parseAmount(text, assets),
    show: (asset, units) => showIn(assets, asset, BigInt(units)),
  };
}

function showIn(assets: readonly Asset[], address: string, units: bigint): string {
  const asset = assets.find((each) => each.address === address) ?? { address, symbol: address, decimals: 0 };
  return formatAmount({ asset, units });
}
