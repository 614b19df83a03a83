import {
  deploy as deployModule,
  DeploymentResultType,
  type ArtifactResolver,
  type DeploymentResult,
  type EIP1193Provider,
} from "@nomicfoundation/ignition-core";
import { keccak256 } from "ethers";
import { emptyAddressBook, type AddressBook, type Entry } from "../address-book/address-book";
import { recordsOf, saveAddressBook } from "../address-book/address-book-file";
import type { ContractName } from "../address-book/contracts";
import { codeHashAt, type Chain } from "../chain/identify-chain";
import { operationError } from "../errors";
import type { Terminal } from "../terminal";
import { forgetJournal, prepareJournal } from "./journal";
import { creationOf } from "./journal-messages";
import { channelsModule, contractOf, futureIdOf } from "./module";
import type { Parameters } from "./parameters";
import type { Plan } from "./plan";
import { progressListener } from "./progress";
import { recordedArtifacts } from "./recorded-artifacts";

/** What sends transactions and where the compiler's output is. */
export interface Ignition {
  readonly provider: EIP1193Provider;
  readonly artifacts: ArtifactResolver;
  /** Every account with a key; `deployer` is one of them. */
  readonly accounts: readonly string[];
  readonly deployer: string;
}

/** How often a local chain is asked for news; a live one has Ignition's own pace. */
const LOCAL_PACE = { blockPollingInterval: 50, retryInterval: 50, requiredConfirmations: 1 };

/**
 * Deploys what the plan says and records it. The book is written before anything is sent and after all is confirmed, so
 * that a run which is cut short is resumed by the next one.
 * @throws DeploymentFailed
 */
export async function executePlan(
  chain: Chain,
  directory: string,
  ignition: Ignition,
  plan: Plan,
  parameters: Parameters,
  terminal: Terminal,
): Promise<AddressBook> {
  const { file, journal } = recordsOf(chain, directory);
  if (plan.book === undefined && chain.isLocal) forgetJournal(journal);
  await prepareJournal(journal, ignition.artifacts, plan.deploy, plan.resume).catch(failedFor(journal));
  const begun = beginBook(chain, plan);
  saveAddressBook(file, begun);

  const addresses = await runIgnition(chain, journal, ignition, plan.deploy, parameters, terminal);
  const entries = await Promise.all(
    plan.deploy.map(
      async (name) => [name, await entryOf(chain, journal, ignition.artifacts, name, addresses)] as const,
    ),
  );
  const finished = { ...begun, contracts: { ...begun.contracts, ...Object.fromEntries(entries) }, pending: [] };
  saveAddressBook(file, finished);
  return finished;
}

/** The book without what is about to be replaced. */
function beginBook(chain: Chain, { book = emptyAddressBook(chain), keep, deploy }: Plan): AddressBook {
  const kept = Object.fromEntries(keep.map((name) => [name, book.contracts[name]]));
  const replaced = deploy.flatMap((name) => {
    const entry = book.contracts[name];
    return entry === undefined ? [] : [{ name, ...entry }];
  });
  return { ...book, contracts: kept, pending: deploy, replaced: [...book.replaced, ...replaced] };
}

async function runIgnition(
  chain: Chain,
  journal: string,
  ignition: Ignition,
  names: readonly ContractName[],
  parameters: Parameters,
  terminal: Terminal,
): Promise<Readonly<Record<string, string>>> {
  const result = await deployModule({
    config: chain.isLocal ? LOCAL_PACE : {},
    provider: ignition.provider,
    deploymentDir: journal,
    executionEventListener: progressListener(terminal),
    artifactResolver: recordedArtifacts(ignition.artifacts, chain.isLocal),
    ignitionModule: channelsModule(names, parameters),
    deploymentParameters: {},
    accounts: [...ignition.accounts],
    defaultSender: ignition.deployer,
  }).catch(failedFor(journal));
  if (result.type !== DeploymentResultType.SUCCESSFUL_DEPLOYMENT) {
    throw operationError("DeploymentFailed", { problems: failuresOf(result), journal });
  }
  return Object.fromEntries(Object.values(result.contracts).map(({ id, address }) => [contractOf(id), address]));
}

/** Ignition refuses by throwing, too: for instance while the deployer has an unconfirmed transaction. */
function failedFor(journal: string): (error: unknown) => never {
  return (error) => {
    const problems = [error instanceof Error ? error.message : String(error)];
    throw operationError("DeploymentFailed", { problems, journal }, error);
  };
}

/** What Ignition says went wrong, contract by contract. */
function failuresOf(result: Exclude<DeploymentResult, { type: DeploymentResultType.SUCCESSFUL_DEPLOYMENT }>): string[] {
  if (result.type !== DeploymentResultType.EXECUTION_ERROR) {
    return Object.entries(result.errors).map(([id, reasons]) => `${contractOf(id)}: ${reasons.join(", ")}`);
  }
  return [
    ...result.failed.map(({ futureId, error }) => `${contractOf(futureId)}: ${error}`),
    ...result.timedOut.map(({ futureId }) => `${contractOf(futureId)}: not mined in time`),
    ...result.held.map(({ futureId, reason }) => `${contractOf(futureId)}: ${reason}`),
  ];
}

async function entryOf(
  chain: Chain,
  journal: string,
  artifacts: ArtifactResolver,
  name: ContractName,
  addresses: Readonly<Record<string, string>>,
): Promise<Entry> {
  const address = addresses[name];
  if (address === undefined) throw new Error(`Ignition did not report ${futureIdOf(name)}`);
  const codeHash = await codeHashAt(chain.rpc, address);
  if (codeHash === undefined) throw new Error(`${name} left no code at ${address}`);
  const { bytecode } = await artifacts.loadArtifact(name);
  return {
    address,
    codeHash,
    creationCodeHash: keccak256(bytecode),
    ...creationOf(journal, address),
  };
}
