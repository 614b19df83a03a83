import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Chain } from "../chain/identify-chain";
import { operationError } from "../errors";
import { problemsOf } from "../schema-problems";
import { addressBookSchema, type AddressBook } from "./address-book";

/**
 * Where the records of a chain are: the book itself, and Ignition's journal beside it. Local chains have a folder of
 * their own, which version control ignores, because a development node may bear any chain id.
 */
export function recordsOf(chain: Chain, directory: string): { readonly file: string; readonly journal: string } {
  const name = join(directory, ...(chain.isLocal ? ["local"] : []), `chain-${chain.chainId}`);
  return { file: `${name}.json`, journal: name };
}

/** The book as it stands in the file, which no chain has confirmed. @throws AddressBookMalformed */
export function loadAddressBook(file: string): AddressBook | undefined {
  if (!existsSync(file)) return undefined;
  const book = parseJson(file, readFileSync(file, "utf8"));
  const problems = problemsOf(addressBookSchema, book);
  if (problems.length > 0) throw operationError("AddressBookMalformed", { file, problems });
  return book as AddressBook;
}

/** Replaces the file at once, so that a crash leaves the old one or the new one. */
export function saveAddressBook(file: string, book: AddressBook): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(book, null, 2)}\n`);
  renameSync(temporary, file);
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const problems = [error instanceof Error ? error.message : String(error)];
    throw operationError("AddressBookMalformed", { file, problems }, error);
  }
}
