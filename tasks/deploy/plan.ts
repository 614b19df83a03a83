import type { AddressBook } from "../address-book/address-book";
import { loadForChain, entryProblem } from "../address-book/read-address-book";
import { recordsOf } from "../address-book/address-book-file";
import { contractsFor, isContractName, CONTRACT_NAMES, type ContractName } from "../address-book/contracts";
import { codeHashAt, type Chain } from "../chain/identify-chain";
import { operationError } from "../errors";

/** What a run of `deploy` leaves as it is and what it deploys. */
export interface Plan {
  /** The book of this chain; undefined if nothing was ever deployed on it. */
  readonly book: AddressBook | undefined;
  readonly keep: readonly ContractName[];
  readonly deploy: readonly ContractName[];
  /** Begun by an earlier run that was cut short: Ignition goes on where it stopped. */
  readonly resume: readonly ContractName[];
}

/**
 * Compares the address book with the chain.
 * @param redeploy Contracts to replace whatever the book says.
 * @throws AddressBookMalformed, AddressBookOfAnotherChain, ContractMissing, ContractDiffers
 */
export async function planDeployment(
  chain: Chain,
  directory: string,
  redeploy: readonly ContractName[],
): Promise<Plan> {
  const { file } = recordsOf(chain, directory);
  const book = await loadForChain(chain, file);
  const wanted = contractsFor(chain);
  const kept = await Promise.all(wanted.map((name) => isKept(chain, file, book, name, redeploy)));
  const deploy = wanted.filter((_, i) => kept[i] !== true);
  const resume = deploy.filter((name) => book?.pending.includes(name) === true && !redeploy.includes(name));
  return { book, keep: wanted.filter((_, i) => kept[i] === true), deploy, resume };
}

/** Reads `--redeploy ChannelManager,SignedApp`. @throws UnknownContract, LocalContractOnly */
export function parseContractNames(chain: Chain, text: string | undefined): readonly ContractName[] {
  const names = (text ?? "").split(",").map((name) => name.trim());
  return names
    .filter((name) => name !== "")
    .map((name) => {
      if (!isContractName(name)) throw operationError("UnknownContract", { name, known: CONTRACT_NAMES });
      if (!contractsFor(chain).includes(name))
        throw operationError("LocalContractOnly", { name, network: chain.network });
      return name;
    });
}

async function isKept(
  chain: Chain,
  file: string,
  book: AddressBook | undefined,
  name: ContractName,
  redeploy: readonly ContractName[],
): Promise<boolean> {
  const entry = book?.contracts[name];
  if (entry === undefined || redeploy.includes(name)) return false;
  const actual = await codeHashAt(chain.rpc, entry.address);
  if (actual === undefined && chain.isLocal) return false; // the chain was set back to before the deployment
  const problem = entryProblem(file, name, entry, actual);
  if (problem !== undefined) throw problem;
  return true;
}
