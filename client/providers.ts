import { BrowserProvider, FetchRequest, JsonRpcApiProvider, JsonRpcProvider, type Provider } from "ethers";
import { clientError, messageOf } from "./errors";
import type { Eip1193Wallet } from "./signer";

export type EthProvider = Provider | Eip1193Wallet;

export interface ProviderOptions {
  readonly hubUrl: string;
  readonly ethUrl?: string | readonly string[];
  readonly ethProvider?: EthProvider | readonly EthProvider[];
  readonly trustHubChain?: boolean;
  readonly logger?: (line: string) => void;
}

/** A node that takes longer counts as gone. */
const TIMEOUT_MS = 15_000;

/**
 * The client's ways to the chain, each asked whether it serves the hub's.
 * @throws HubTrustedForChain, WrongChain, ChainUnreachable
 */
export async function openProviders(
  options: ProviderOptions,
  chainId: number,
): Promise<readonly [Provider, ...Provider[]]> {
  const providers = providersOf(options, chainId);
  await Promise.all(providers.map((provider) => requireChain(provider, chainId)));
  return providers;
}

function providersOf(options: ProviderOptions, chainId: number): readonly [Provider, ...Provider[]] {
  const { ethUrl, ethProvider, trustHubChain, hubUrl, logger } = options;
  const [first, ...others] = [
    ...listOf(ethUrl).map((url) => providerOf(url, chainId)),
    ...listOf(ethProvider).map((given) => ("request" in given ? new BrowserProvider(given) : given)),
  ];
  if (first !== undefined) return [first, ...others];
  if (trustHubChain !== true) throw clientError("HubTrustedForChain", {});
  logger?.("the hub is trusted about the chain: it could report deposits that are not there, or hide an exit");
  return [providerOf(`${hubUrl.replace(/\/+$/, "")}/api/eth`, chainId)];
}

function listOf<Item>(given: Item | readonly Item[] | undefined): readonly Item[] {
  if (given === undefined) return [];
  return Array.isArray(given) ? (given as readonly Item[]) : [given as Item];
}

function providerOf(url: string, chainId: number): Provider {
  const request = new FetchRequest(url);
  request.timeout = TIMEOUT_MS;
  return new JsonRpcProvider(request, chainId, { staticNetwork: true, cacheTimeout: -1 });
}

async function requireChain(provider: Provider, expected: number): Promise<void> {
  const actual = await chainIdOf(provider).catch((error: unknown) => {
    throw clientError("ChainUnreachable", { reason: messageOf(error) }, error);
  });
  if (actual !== expected) throw clientError("WrongChain", { expected, actual, where: "a node of yours" });
}

/** Asked of the node itself: a provider may have been told its network. */
async function chainIdOf(provider: Provider): Promise<number> {
  if (!(provider instanceof JsonRpcApiProvider)) return Number((await provider.getNetwork()).chainId);
  return Number((await provider.send("eth_chainId", [])) as string);
}
