import { join } from "node:path";
import { HardhatArtifactResolver } from "@nomicfoundation/hardhat-ignition/helpers";
import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { accountsOf, connect, recordsDirectory } from "../chain/connect";
import type { Chain } from "../chain/identify-chain";
import type { Command } from "../command";
import { operationError } from "../errors";
import type { Terminal } from "../terminal";
import { deploy, type DeployDeps } from "./deploy";
import { describeDeployed } from "./describe";
import { readParameters, type GivenParameters } from "./parameters";
import { parseContractNames } from "./plan";
import { verifySources } from "./verify";

export interface DeployArgs {
  json: boolean;
  dryRun: boolean;
  yes: boolean;
  force: boolean;
  verify: boolean;
  redeploy?: string;
  hub?: string;
  treasury?: string;
  challengePeriod?: number;
  parameters?: string;
  directory?: string;
}

export const deployCommand: Command<DeployArgs> = async (args, hre, terminal) => {
  const chain = await connect(hre);
  if (args.verify) requireExplorer(hre, chain);
  const deps = await depsOf(args, hre, chain, terminal);
  const parametersFile = args.parameters ?? join(deps.directory, "parameters.json");
  const deployed = await deploy(deps, {
    given: readParameters(chain.network, parametersFile, givenBy(args)),
    parametersFile,
    redeploy: parseContractNames(chain, args.redeploy),
    isDryRun: args.dryRun,
    agreed: args.yes,
    isForced: args.force,
  });
  if (args.verify && !args.dryRun) {
    await verifySources(deployed, terminal, (request) => hre.run("verify:verify", request));
  }
  return describeDeployed(deps, deployed, args.dryRun);
};

async function depsOf(
  args: DeployArgs,
  hre: HardhatRuntimeEnvironment,
  chain: Chain,
  terminal: Terminal,
): Promise<DeployDeps> {
  const accounts = await accountsOf(hre);
  const artifacts = new HardhatArtifactResolver(hre);
  const ignition = { provider: hre.network.provider, artifacts, accounts, deployer: accounts[0] };
  const directory = recordsDirectory(hre, chain, args.directory);
  return { chain, provider: hre.ethers.provider, ignition, terminal, directory };
}

function givenBy({ hub, treasury, challengePeriod }: DeployArgs): GivenParameters {
  return {
    ...(hub === undefined ? {} : { hub }),
    ...(treasury === undefined ? {} : { treasury }),
    ...(challengePeriod === undefined ? {} : { challengePeriodSeconds: challengePeriod }),
  };
}

/** @throws NothingToVerify, ApiKeyMissing */
function requireExplorer(hre: HardhatRuntimeEnvironment, chain: Chain): void {
  if (chain.isLocal) throw operationError("NothingToVerify", { network: chain.network });
  const { apiKey } = hre.config.etherscan;
  const key = typeof apiKey === "string" ? apiKey : apiKey[chain.network];
  if (key === undefined || key === "") throw operationError("ApiKeyMissing", {});
}
