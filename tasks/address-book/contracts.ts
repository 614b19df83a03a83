/** Deployed on every chain. */
export const EVERYWHERE = ["ChannelManager", "HashlockApp", "SignedApp"] as const;

/** Deployed on local chains only: a token that anybody may mint, and a stand-in for Multicall3. */
export const LOCAL_ONLY = ["LocalToken", "LocalMulticall3"] as const;

export const CONTRACT_NAMES = [...EVERYWHERE, ...LOCAL_ONLY] as const;

export type ContractName = (typeof CONTRACT_NAMES)[number];

export function isContractName(name: string): name is ContractName {
  return (CONTRACT_NAMES as readonly string[]).includes(name);
}

/** What is deployed on a chain: everything, or all but the local ones. */
export function contractsFor(chain: { readonly isLocal: boolean }): readonly ContractName[] {
  return chain.isLocal ? CONTRACT_NAMES : EVERYWHERE;
}
