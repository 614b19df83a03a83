import { codeHashAt, describeChain, type Chain } from "../chain/identify-chain";
import { operationError } from "../errors";
import { emptyAddressBook, type AddressBook, type Entry } from "./address-book";
import { loadAddressBook, recordsOf } from "./address-book-file";
import type { ContractName } from "./contracts";

/**
 * What is deployed on a chain, checked against that chain: its id, its genesis block, and the hash of the code at every
 * address. Everything that needs an address gets it from here. A local chain that was restarted has nothing deployed.
 * @throws AddressBookMalformed, AddressBookOfAnotherChain, ContractMissing, ContractDiffers
 */
export async function readAddressBook(chain: Chain, directory: string): Promise<AddressBook> {
  const { file } = recordsOf(chain, directory);
  const book = await loadForChain(chain, file);
  if (book === undefined) return emptyAddressBook(chain);
  for (const [name, entry] of Object.entries(book.contracts)) {
    const problem = entryProblem(file, name, entry, await codeHashAt(chain.rpc, entry.address));
    if (problem !== undefined) throw problem;
  }
  return book;
}

/** The entry of a contract. @throws NotDeployed */
export function requireEntry(book: AddressBook, name: ContractName, chain: Chain, directory: string): Entry {
  const entry = book.contracts[name];
  if (entry !== undefined) return entry;
  throw operationError("NotDeployed", { name, network: chain.network, file: recordsOf(chain, directory).file });
}

/**
 * The book if it is of this chain; undefined if there is none, or if it is of a local chain's earlier life.
 * @throws AddressBookMalformed, AddressBookOfAnotherChain
 */
export async function loadForChain(chain: Chain, file: string): Promise<AddressBook | undefined> {
  const book = loadAddressBook(file);
  if (book === undefined) return undefined;
  if (book.chainId === chain.chainId && book.genesisHash === chain.genesisHash) return book;
  if (chain.isLocal && book.chainId === chain.chainId) {
    return (await isReloaded(chain, book)) ? { ...book, genesisHash: chain.genesisHash } : undefined;
  }
  throw operationError("AddressBookOfAnotherChain", {
    file,
    recorded: describeChain(book),
    actual: describeChain(chain),
  });
}

/**
 * What is wrong with an entry, if anything.
 * @param actual Hash of the code at its address; undefined where there is none.
 * @returns ContractMissing, ContractDiffers, or undefined
 */
export function entryProblem(file: string, name: string, entry: Entry, actual: string | undefined): Error | undefined {
  const { address, codeHash: recorded } = entry;
  if (actual === undefined) return operationError("ContractMissing", { name, address, file });
  return actual === recorded ? undefined : operationError("ContractDiffers", { name, address, recorded, actual, file });
}

/** Whether a restarted chain loaded a saved state, with everything in its place. */
async function isReloaded(chain: Chain, book: AddressBook): Promise<boolean> {
  const entries = Object.values(book.contracts);
  const actual = await Promise.all(entries.map(({ address }) => codeHashAt(chain.rpc, address)));
  return entries.length > 0 && entries.every(({ codeHash }, i) => codeHash === actual[i]);
}
