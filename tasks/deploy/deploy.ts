import { Contract, keccak256, type Provider } from "ethers";
import type { AddressBook } from "../address-book/address-book";
import type { ContractName } from "../address-book/contracts";
import type { Chain } from "../chain/identify-chain";
import { confirmSpending, describeSpending, feeOf, requireFunds, type Spending } from "../chain/spending";
import { formatEther } from "../amount";
import { operationError } from "../errors";
import type { Terminal } from "../terminal";
import { estimateDeployment } from "./cost";
import { executePlan, type Ignition } from "./execute";
import { completeParameters, type GivenParameters, type Parameters } from "./parameters";
import { planDeployment, type Plan } from "./plan";

export interface DeployDeps {
  readonly chain: Chain;
  readonly provider: Provider;
  readonly ignition: Ignition;
  readonly terminal: Terminal;
  /** Where journals and address books are kept. */
  readonly directory: string;
}

export interface DeployRequest {
  readonly given: GivenParameters;
  /** Only for messages: where parameters may be written down. */
  readonly parametersFile: string;
  readonly redeploy: readonly ContractName[];
  readonly isDryRun: boolean;
  /** Spend on a live chain without asking. */
  readonly agreed: boolean;
  /** Allow a challenge period under 24 hours on a live chain. */
  readonly isForced: boolean;
}

export interface Deployed {
  readonly book: AddressBook | undefined;
  /** What this run deployed, or would have. */
  readonly deployed: readonly ContractName[];
  readonly kept: readonly ContractName[];
  /** Kept although the sources have changed since. */
  readonly outdated: readonly ContractName[];
  /** What hub, treasury and challenge period are, or would be. */
  readonly parameters: Parameters;
  /** Absent when there is nothing to deploy. */
  readonly spending?: Spending;
}

/**
 * Deploys what is not deployed yet. Everything is checked before anything is sent.
 * @throws the errors of planning, parameters and spending; DeploymentFailed
 */
export async function deploy(deps: DeployDeps, request: DeployRequest): Promise<Deployed> {
  const { chain, directory, terminal } = deps;
  const plan = await planDeployment(chain, directory, request.redeploy);
  const parameters = await parametersFor(deps, plan, request);
  const outdated = await outdatedOf(deps, plan);
  const result = { book: plan.book, deployed: plan.deploy, kept: plan.keep, outdated, parameters };
  if (plan.deploy.length === 0) return result;

  const { artifacts, deployer } = deps.ignition;
  const spending = await estimateDeployment(deps.provider, artifacts, deployer, plan.deploy, parameters);
  if (request.isDryRun) return { ...result, spending };

  requireFunds(chain, spending);
  terminal.progress(`Deploying ${plan.deploy.join(", ")}: ${describeSpending(spending)}`);
  const question = `Spend up to ${formatEther(feeOf(spending))} of ${spending.account}`;
  await confirmSpending(chain, terminal, request.agreed, question);
  const book = await executePlan(chain, directory, deps.ignition, plan, parameters, terminal);
  return { ...result, book, spending };
}

/**
 * Of a ChannelManager that stays, what it was constructed with, which must be what was asked for.
 * @throws ParametersDiffer, and what `completeParameters` throws
 */
async function parametersFor(deps: DeployDeps, plan: Plan, request: DeployRequest): Promise<Parameters> {
  const { given, parametersFile, isForced } = request;
  const entry = plan.keep.includes("ChannelManager") ? plan.book?.contracts.ChannelManager : undefined;
  if (entry === undefined) return completeParameters(deps.chain, given, parametersFile, isForced);
  const deployed = await parametersOf(deps, entry.address);
  for (const name of ["hub", "treasury", "challengePeriodSeconds"] as const) {
    if (given[name] === undefined || given[name] === deployed[name]) continue;
    const difference = { name, deployed: String(deployed[name]), given: String(given[name]) };
    throw operationError("ParametersDiffer", { ...difference, address: entry.address });
  }
  return deployed;
}

async function parametersOf({ ignition, provider }: DeployDeps, address: string): Promise<Parameters> {
  const { abi } = await ignition.artifacts.loadArtifact("ChannelManager");
  const read = new Contract(address, abi as string[], provider);
  const [hub, treasury, seconds] = await Promise.all(
    ["hub", "treasury", "challengePeriodSeconds"].map(
      (name) => read.getFunction(name).staticCall() as Promise<unknown>,
    ),
  );
  return { hub: String(hub), treasury: String(treasury), challengePeriodSeconds: Number(seconds) };
}

async function outdatedOf({ ignition }: DeployDeps, { book, keep }: Plan): Promise<ContractName[]> {
  const hashes = await Promise.all(
    keep.map(async (name) => keccak256((await ignition.artifacts.loadArtifact(name)).bytecode)),
  );
  return keep.filter((name, i) => book?.contracts[name]?.creationCodeHash !== hashes[i]);
}
