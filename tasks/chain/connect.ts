import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { operationError } from "../errors";
import { identifyChain, type Chain } from "./identify-chain";

/** The chain of `--network`. @throws RpcUrlMissing, NodeUnreachable, WrongNetwork */
export function connect(hre: HardhatRuntimeEnvironment): Promise<Chain> {
  const { name, config, provider } = hre.network;
  return identifyChain("url" in config ? { name, url: config.url } : { name }, provider);
}

/** Accounts with a key at hand: of the configuration, or else of the node. @throws DeployerKeyMissing */
export async function accountsOf(hre: HardhatRuntimeEnvironment): Promise<readonly [string, ...string[]]> {
  const [first, ...others] = (await hre.ethers.getSigners()).map(({ address }) => address);
  if (first === undefined) throw operationError("DeployerKeyMissing", { network: hre.network.name });
  return [first, ...others];
}

/** Where deployments are recorded; what is deployed inside this process is forgotten with it. */
export function recordsDirectory(hre: HardhatRuntimeEnvironment, chain: Chain, given: string | undefined): string {
  if (given !== undefined) return resolve(given);
  return chain.isInProcess ? temporaryDirectory() : join(hre.config.paths.root, "deployments");
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "deployments-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
