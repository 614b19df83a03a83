import { keccak256 } from "ethers";
import { operationError } from "../errors";
import { isOwnHost } from "./own-host";

/** What asks a node. Hardhat's provider is one, and so is an ethers JsonRpcProvider. */
export interface Rpc {
  send(method: string, params: unknown[]): Promise<unknown>;
}

/** How a network is configured. */
export interface NetworkChoice {
  readonly name: string;
  /** Absent for the chain inside this process. */
  readonly url?: string;
}

/** Which chain a node serves. */
export interface Chain {
  readonly network: string;
  readonly chainId: number;
  /** Tells chains with one id apart: private ones, and a local one from the same one restarted. */
  readonly genesisHash: string;
  /**
   * A development node (Hardhat, anvil) on a host of one's own: its accounts may be used as defaults, no confirmation is
   * asked, and what is deployed there is not recorded in version control, whatever its chain id.
   */
  readonly isLocal: boolean;
  /** Gone when this process ends. */
  readonly isInProcess: boolean;
  readonly rpc: Rpc;
}

/**
 * Asks the node who it is. Everything else asks afterwards.
 * @throws RpcUrlMissing, NodeUnreachable, WrongNetwork
 */
export async function identifyChain(network: NetworkChoice, rpc: Rpc): Promise<Chain> {
  const { name, url } = network;
  if (url === "") throw operationError("RpcUrlMissing", { network: name, variable: urlVariable(name) });
  const chainId = Number(await firstAnswer(network, rpc.send("eth_chainId", [])));
  const genesis = await firstAnswer(network, rpc.send("eth_getBlockByNumber", ["0x0", false]));
  const isLocal = (url === undefined || isOwnHost(url)) && (await isDevelopmentNode(rpc));
  const genesisHash = (genesis as { hash: string }).hash;
  return { network: name, chainId, genesisHash, isLocal, isInProcess: url === undefined, rpc };
}

/** `0xaa36a7` is for programs: "chain 11155111 (genesis 0x25a5…)". */
export function describeChain({ chainId, genesisHash }: Pick<Chain, "chainId" | "genesisHash">): string {
  return `chain ${chainId} (genesis ${genesisHash})`;
}

/** Keccak-256 of the code at an address; undefined where there is none. */
export async function codeHashAt(rpc: Rpc, address: string): Promise<string | undefined> {
  const code = String(await rpc.send("eth_getCode", [address, "latest"]));
  return code === "0x" ? undefined : keccak256(code);
}

async function isDevelopmentNode(rpc: Rpc): Promise<boolean> {
  try {
    return /^(hardhatnetwork|anvil)\//i.test(String(await rpc.send("web3_clientVersion", [])));
  } catch {
    return false; // nodes that hide their version are live ones
  }
}

function urlVariable(network: string): string {
  return network === "custom" ? "RPC_URL" : `${network.toUpperCase()}_RPC_URL`;
}

/** Hardhat's own errors of the connection, as ours. The URL may carry a key, so only its host is shown. */
async function firstAnswer(network: NetworkChoice, answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    const wrong = asWrongChainId(error);
    if (wrong !== undefined) throw operationError("WrongNetwork", { network: network.name, ...wrong }, error);
    const reason = (error instanceof Error ? error.message : String(error)).replaceAll(
      network.url ?? "",
      hostOf(network),
    );
    throw operationError("NodeUnreachable", { network: network.name, host: hostOf(network), reason }, error);
  }
}

/** HH101: the chain id of hardhat.config.ts is not the node's. */
function asWrongChainId(error: unknown): { expectedChainId: number; chainId: number } | undefined {
  if (!(error instanceof Error) || !("number" in error) || error.number !== 101) return undefined;
  const { messageArguments } = error as { messageArguments?: { configChainId: number; connectionChainId: number } };
  if (messageArguments === undefined) return undefined;
  return { expectedChainId: messageArguments.configChainId, chainId: messageArguments.connectionChainId };
}

function hostOf({ url = "" }: NetworkChoice): string {
  return URL.canParse(url) ? new URL(url).host : "its URL, which is malformed,";
}
