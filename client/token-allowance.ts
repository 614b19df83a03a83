import { Contract, Signature as EthersSignature, TypedDataEncoder, type Signer, type TypedDataDomain } from "ethers";
import { parseAddress, type Address } from "../protocol";
import { isRevert } from "../protocol/chain/contract-error";
import { readHead } from "../protocol/chain/channel-view";

const TOKEN_ABI = [
  "function allowance(address owner, address spender) view returns (uint256)",
  "function approve(address spender, uint256 amount) returns (bool)",
  "function balanceOf(address owner) view returns (uint256)",
  "function nonces(address owner) view returns (uint256)",
  "function DOMAIN_SEPARATOR() view returns (bytes32)",
  "function eip712Domain() view returns (bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)",
];

const PERMIT_TYPES = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};

const PERMIT_SECONDS = 3_600;

export interface Allowance {
  readonly asset: Address;
  readonly owner: Address;
  readonly spender: Address;
  readonly amount: bigint;
}

export interface Permit {
  /** Unix seconds. */
  readonly deadline: number;
  readonly v: number;
  readonly r: string;
  readonly s: string;
}

export function tokenAt(asset: Address, signer: Signer): Contract {
  return new Contract(asset, TOKEN_ABI, signer);
}

export async function balanceOf(asset: Address, owner: Address, signer: Signer): Promise<bigint> {
  return (await tokenAt(asset, signer).getFunction("balanceOf").staticCall(owner)) as bigint;
}

export async function allowanceOf({ asset, owner, spender }: Allowance, signer: Signer): Promise<bigint> {
  return (await tokenAt(asset, signer).getFunction("allowance").staticCall(owner, spender)) as bigint;
}

/**
 * Signs an ERC-2612 permit over exactly the amount, where the token has permits and says how they are signed (EIP-5267).
 * @returns Nothing for other tokens.
 */
export async function signPermit(
  { asset, owner, spender, amount }: Allowance,
  signer: Signer,
): Promise<Permit | undefined> {
  const { provider } = signer;
  if (provider === null) return undefined;
  const { chainId } = await provider.getNetwork();
  const terms = await permitTermsOf(asset, owner, chainId, signer);
  if (terms === undefined) return undefined;
  const deadline = (await readHead(provider)).timestamp + PERMIT_SECONDS;
  const statement = { owner, spender, value: amount, nonce: terms.nonce, deadline };
  const text = await signer.signTypedData(terms.domain, PERMIT_TYPES, statement);
  const { v, r, s } = EthersSignature.from(text);
  return { deadline, v, r, s };
}

interface PermitTerms {
  readonly domain: TypedDataDomain;
  readonly nonce: bigint;
}

/** The domain is built here from this token's address and this chain: a token must not get a permit for another signed. */
async function permitTermsOf(
  asset: Address,
  owner: Address,
  chainId: bigint,
  signer: Signer,
): Promise<PermitTerms | undefined> {
  const token = tokenAt(asset, signer);
  try {
    const [nonce, separator, named] = (await Promise.all([
      token.getFunction("nonces").staticCall(owner),
      token.getFunction("DOMAIN_SEPARATOR").staticCall(),
      token.getFunction("eip712Domain").staticCall(),
    ])) as [bigint, string, { name: string; version: string; verifyingContract: string; chainId: bigint }];
    const { name, version } = named;
    const domain = { name, version, chainId, verifyingContract: asset };
    const isOwn = parseAddress(named.verifyingContract) === asset && named.chainId === chainId;
    return isOwn && TypedDataEncoder.hashDomain(domain) === separator.toLowerCase() ? { domain, nonce } : undefined;
  } catch (error) {
    if (isRevert(error) || isNoAnswer(error)) return undefined; // it has no such functions
    throw error;
  }
}

/** A contract that answers every call, but not with what was asked for. */
function isNoAnswer(error: unknown): boolean {
  return (error as { code?: unknown }).code === "BAD_DATA";
}
