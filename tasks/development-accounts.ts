import { HDNodeWallet } from "ethers";

/** The development mnemonic of Hardhat and anvil: everybody has its keys. */
export const DEVELOPMENT_MNEMONIC = "test test test test test test test test test test test junk";

const COUNT = 20;

/** The first accounts of the development mnemonic, checksummed; on local chains 0 deploys, 1 is the hub, 2 the treasury. */
export function developmentAccounts(): readonly string[] {
  const branch = HDNodeWallet.fromPhrase(DEVELOPMENT_MNEMONIC, undefined, "m/44'/60'/0'/0");
  return Array.from({ length: COUNT }, (_, index) => branch.deriveChild(index).address);
}
