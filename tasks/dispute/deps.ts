import type { Provider, Signer } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { channelManagerDomain, parseAddress, type Address, type Domain, type PureApps } from "../../protocol";
import { readHead, type Head } from "../../protocol/chain/channel-view";
import { channelManagerAt } from "../../protocol/chain/contract";
import type { ChannelManager } from "../../typechain-types";
import { readAddressBook, requireEntry } from "../address-book/read-address-book";
import { connect, recordsDirectory } from "../chain/connect";
import type { Chain } from "../chain/identify-chain";
import type { Terminal } from "../terminal";

/** What the commands of the scope `dispute` need. */
export interface DisputeDeps {
  readonly chain: Chain;
  readonly provider: Provider;
  readonly terminal: Terminal;
  readonly manager: ChannelManager;
  readonly channelManager: Address;
  readonly hub: Address;
  readonly challengePeriodSeconds: bigint;
  readonly domain: Domain;
  readonly apps: PureApps;
  /** Where the contract was deployed: there is nothing before. */
  readonly fromBlock: number;
  readonly head: Head;
  /** Accounts with a key at hand. */
  readonly accounts: readonly string[];
  signerOf(account: string): Promise<Signer>;
}

export interface DisputeArgs {
  json: boolean;
  directory?: string;
}

/** @throws NotDeployed, and those of `connect` */
export async function depsOf(
  args: DisputeArgs,
  hre: HardhatRuntimeEnvironment,
  terminal: Terminal,
): Promise<DisputeDeps> {
  const chain = await connect(hre);
  const directory = recordsDirectory(hre, chain, args.directory);
  const book = await readAddressBook(chain, directory);
  const { contracts } = book;
  const entry = requireEntry(book, "ChannelManager", chain, directory);
  const appOf = (name: "HashlockApp" | "SignedApp"): Address | undefined => {
    const found = contracts[name]?.address;
    return found === undefined ? undefined : parseAddress(found);
  };
  const [hashlock, signed] = [appOf("HashlockApp"), appOf("SignedApp")];
  const signers = await hre.ethers.getSigners();
  const place = { chain, terminal, channelManager: parseAddress(entry.address), fromBlock: entry.blockNumber };
  return readDeps({
    ...place,
    provider: hre.ethers.provider,
    apps: { ...(hashlock && { hashlock }), ...(signed && { signed }) },
    accounts: signers.map(({ address }) => address),
    signerOf: (account) => hre.ethers.getSigner(account),
  });
}

type Given = Omit<DisputeDeps, "manager" | "hub" | "challengePeriodSeconds" | "domain" | "head">;

/** The rest, from the contract itself. */
export async function readDeps(given: Given): Promise<DisputeDeps> {
  const { provider, channelManager, chain } = given;
  const manager = channelManagerAt(channelManager, provider);
  const [hub, challengePeriodSeconds, head] = await Promise.all([
    manager.hub(),
    manager.challengePeriodSeconds(),
    readHead(provider),
  ]);
  const domain = channelManagerDomain(BigInt(chain.chainId), channelManager);
  return { ...given, manager, hub: parseAddress(hub), challengePeriodSeconds, domain, head };
}
