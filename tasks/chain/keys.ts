import { HDNodeWallet, Wallet } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { parseAddress, type Address } from "../../protocol";
import { DEVELOPMENT_MNEMONIC, developmentAccounts } from "../development-accounts";
import { operationError } from "../errors";
import type { Chain } from "./identify-chain";

/** An account whose key is at hand. */
export interface Account {
  readonly address: Address;
  readonly privateKey: string;
}

/**
 * The account that a person means by an index or an address. On a local chain the development keys are at hand; elsewhere
 * those of Hardhat's configuration.
 * @throws AccountUnknown
 */
export function accountOf(hre: HardhatRuntimeEnvironment, chain: Chain, given: string): Account {
  const keys = privateKeys(hre, chain);
  const index = /^\d{1,4}$/.test(given) ? Number(given) : undefined;
  const accounts = keys.map((privateKey) => ({ privateKey, address: parseAddress(new Wallet(privateKey).address) }));
  const found = index === undefined ? accounts.find(({ address }) => address === given.toLowerCase()) : accounts[index];
  if (found !== undefined) return found;
  throw operationError("AccountUnknown", { given, count: keys.length });
}

/** An address that a person means by an index or an address; its key is not needed. @throws AccountUnknown, InvalidValue */
export function addressOf(chain: Chain, given: string): Address {
  if (!/^\d{1,4}$/.test(given)) return parseAddress(given, "address");
  const found = chain.isLocal ? developmentAccounts()[Number(given)] : undefined;
  if (found === undefined)
    throw operationError("AccountUnknown", { given, count: chain.isLocal ? developmentAccounts().length : 0 });
  return parseAddress(found);
}

function privateKeys(hre: HardhatRuntimeEnvironment, chain: Chain): readonly string[] {
  const { accounts } = hre.network.config;
  if (Array.isArray(accounts)) return accounts.map((each) => (typeof each === "string" ? each : each.privateKey));
  if (!chain.isLocal) return [];
  const branch = HDNodeWallet.fromPhrase(DEVELOPMENT_MNEMONIC, undefined, "m/44'/60'/0'/0");
  return developmentAccounts().map((_, index) => branch.deriveChild(index).privateKey);
}
