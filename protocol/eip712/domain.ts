import { parseAddress, type Address } from "../address";
import { protocolError } from "../errors";
import { defineStruct } from "./struct";

/** What a signature is bound to beside its statement: EIP-712 "Definition of domainSeparator". */
export interface Domain {
  readonly name: string;
  readonly version: string;
  readonly chainId: bigint;
  readonly verifyingContract: Address;
}

export const domainType = defineStruct<Domain>("EIP712Domain", {
  name: "string",
  version: "string",
  chainId: "uint256",
  verifyingContract: "address",
});

/** The domain of everything that hub, users, senders and receivers sign. @throws InvalidValue */
export function channelManagerDomain(chainId: bigint, contract: string): Domain {
  return domain("ChannelManager", chainId, contract);
}

/** The domain of a `SignedApp` arbiter's statements. @throws InvalidValue */
export function signedAppDomain(chainId: bigint, app: string): Domain {
  return domain("SignedApp", chainId, app);
}

/** The domain of what a watchtower signs, and of what users sign for one. @throws InvalidValue */
export function watchtowerDomain(chainId: bigint, contract: string): Domain {
  return domain("Watchtower", chainId, contract);
}

/** Wallets and JSON carry a chain id as a number, exact up to here. */
const MAX_CHAIN_ID = BigInt(Number.MAX_SAFE_INTEGER);

function domain(name: string, chainId: bigint, contract: string): Domain {
  if (typeof chainId !== "bigint" || chainId < 1n || chainId > MAX_CHAIN_ID) {
    throw protocolError("InvalidValue", { path: "chainId", expected: "a bigint from 1 to 2^53 - 1", given: chainId });
  }
  const verifyingContract = parseAddress(contract, "verifyingContract");
  return Object.freeze({ name, version: "1", chainId, verifyingContract });
}

const separators = new WeakMap<Domain, Uint8Array>();

/** 32 bytes. Remembered for frozen domains, which cannot become another domain behind its back. */
export function domainSeparator(domain: Domain): Uint8Array {
  const known = separators.get(domain);
  if (known !== undefined) return known;
  const separator = domainType.hash(domain);
  if (Object.isFrozen(domain)) separators.set(domain, separator);
  return separator;
}
