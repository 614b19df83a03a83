import { formatStruct, type Json } from "../wire/json";
import { domainType, type Domain } from "./domain";
import type { StructFieldLists, StructType } from "./struct";

/** What wallets sign: `signTypedData` of ethers takes (domain, types, message), that of viem the whole. */
export interface TypedData<Value, DomainValue = Domain> {
  readonly domain: DomainValue;
  readonly types: StructFieldLists;
  readonly primaryType: string;
  readonly message: Value;
}

/** The request for a wallet library's `signTypedData`; integers are `bigint`. */
export function typedDataOf<Value>(type: StructType<Value>, domain: Domain, message: Value): TypedData<Value> {
  return { domain, types: type.types, primaryType: type.name, message };
}

/** The parameter of `eth_signTypedData_v4` (EIP-712 "Specification of the JSON RPC"): plain JSON. */
export function typedDataJson<Value extends object>(
  type: StructType<Value>,
  domain: Domain,
  message: Value,
): TypedData<Json<Value>, Omit<Domain, "chainId"> & { readonly chainId: number }> {
  return {
    // Wallets compare it with the chain they are on, some only as a number; `Domain` keeps it exact.
    domain: { ...domain, chainId: Number(domain.chainId) },
    types: { ...domainType.types, ...type.types },
    primaryType: type.name,
    message: formatStruct(type, message),
  };
}
