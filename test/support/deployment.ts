import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import hre, { ethers } from "hardhat";
import { HardhatArtifactResolver } from "@nomicfoundation/hardhat-ignition/helpers";
import type { AddressBook } from "../../tasks/address-book/address-book";
import { loadAddressBook, recordsOf, saveAddressBook } from "../../tasks/address-book/address-book-file";
import { identifyChain, type Chain } from "../../tasks/chain/identify-chain";
import type { DeployDeps, DeployRequest } from "../../tasks/deploy/deploy";
import type { Terminal } from "../../tasks/terminal";

/** A terminal that answers every question in the same way, or is none, and remembers what was said. */
export function scriptedTerminal(answer?: boolean): Terminal & { readonly said: string[] } {
  const said: string[] = [];
  return {
    said,
    isInteractive: answer !== undefined,
    progress: (line) => said.push(line),
    confirm: (question) => {
      said.push(question);
      return Promise.resolve(answer === true);
    },
  };
}

/** The in-process chain, as a local one or as if it were a live one. */
export async function inProcessChain(overrides: Partial<Chain> = {}): Promise<Chain> {
  return { ...(await identifyChain({ name: "hardhat" }, hre.network.provider)), ...overrides };
}

/** A live chain needs nothing but to be called one: the node is the same. */
export const LIVE: Partial<Chain> = { network: "sepolia", isLocal: false, isInProcess: false };

/** What deploys on the in-process chain, with records in a folder that `forget` removes. */
export async function deployDeps(
  overrides: Partial<DeployDeps> = {},
): Promise<DeployDeps & { forget(): void; book(): AddressBook; save(book: AddressBook): void }> {
  const accounts = (await ethers.getSigners()).map(({ address }) => address);
  const artifacts = new HardhatArtifactResolver(hre);
  const ignition = { provider: hre.network.provider, artifacts, accounts, deployer: accounts[0]! };
  const directory = mkdtempSync(join(tmpdir(), "deploy-test-"));
  const chain = overrides.chain ?? (await inProcessChain());
  const { file } = recordsOf(chain, directory);
  return {
    chain,
    provider: ethers.provider,
    ignition,
    terminal: scriptedTerminal(),
    directory,
    forget: () => rmSync(directory, { recursive: true, force: true }),
    book: () => loadAddressBook(file)!,
    save: (book) => saveAddressBook(file, book),
    ...overrides,
  };
}

/** A request for everything with nothing said. */
export function deployRequest(overrides: Partial<DeployRequest> = {}): DeployRequest {
  return {
    given: {},
    parametersFile: "deployments/parameters.json",
    redeploy: [],
    isDryRun: false,
    agreed: false,
    isForced: false,
    ...overrides,
  };
}
