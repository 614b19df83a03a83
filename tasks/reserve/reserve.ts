import type { Provider, Signer } from "ethers";
import { ChannelManager__factory, IERC20Metadata__factory, type ChannelManager } from "../../typechain-types";
import type { AddressBook } from "../address-book/address-book";
import { requireEntry } from "../address-book/read-address-book";
import { ETHER, parseAmount, type Amount, type Asset } from "../amount";
import type { Chain } from "../chain/identify-chain";
import { operationError } from "../errors";
import type { Terminal } from "../terminal";

/** What the commands of the scope `reserve` need. */
export interface ReserveDeps {
  readonly chain: Chain;
  readonly provider: Provider;
  readonly terminal: Terminal;
  readonly book: AddressBook;
  readonly directory: string;
  /** Accounts with a key at hand. */
  readonly accounts: readonly string[];
  signerOf(account: string): Promise<Signer>;
}

/** The deployed ChannelManager, to be read. @throws NotDeployed */
export function managerOf({ book, chain, directory, provider }: ReserveDeps): ChannelManager {
  return ChannelManager__factory.connect(requireEntry(book, "ChannelManager", chain, directory).address, provider);
}

/** Symbol and decimals, from the token itself. @throws TokenUnreadable */
export async function readToken(provider: Provider, address: string): Promise<Asset> {
  try {
    const token = IERC20Metadata__factory.connect(address, provider);
    const [symbol, decimals] = await Promise.all([token.symbol(), token.decimals()]);
    return { address: await token.getAddress(), symbol, decimals: Number(decimals) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw operationError("TokenUnreadable", { token: address, reason }, error);
  }
}

/** ETH, the local token, and every token that was ever put into the reserve. */
export async function knownAssets(deps: ReserveDeps): Promise<Asset[]> {
  const { book, provider } = deps;
  const local = book.contracts.LocalToken?.address;
  const tokens = new Set([...(local === undefined ? [] : [local]), ...(await fundedAssets(deps))]);
  tokens.delete(ETHER.address);
  return [ETHER, ...(await Promise.all([...tokens].map((address) => readToken(provider, address))))];
}

/**
 * Reads an amount of ETH, of a token of the reserve, or of `--token`.
 * @throws those of `parseAmount`; TokenUnreadable
 */
export async function readAmount(deps: ReserveDeps, text: string, token: string | undefined): Promise<Amount> {
  const asset = token === undefined ? undefined : await readToken(deps.provider, token);
  return parseAmount(text, asset === undefined ? await knownAssets(deps) : [asset], asset);
}

async function fundedAssets(deps: ReserveDeps): Promise<string[]> {
  const manager = managerOf(deps);
  const from = deps.book.contracts.ChannelManager?.blockNumber ?? 0;
  try {
    const events = await manager.queryFilter(manager.filters.ReserveFunded(), from);
    return events.map(({ args }) => args.asset);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    deps.terminal.progress(`The node does not search events from block ${from} (${reason}): name tokens with --token.`);
    return [];
  }
}
