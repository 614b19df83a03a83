import type { Address, Domain } from "../../../protocol";

/** Where everything is. */
export interface World {
  readonly manager: Address;
  readonly multicall: Address;
  /** Well-behaved, with permits and authorisations. */
  readonly dollar: Address;
  /** Well-behaved, but answers nothing (as USDT). */
  readonly silent: Address;
  /** Behaves as the walk likes. */
  readonly rogue: Address;
  /** No code. */
  readonly ghost: Address;
  readonly hashlock: Address;
  readonly signedApp: Address;
  readonly hostileApp: Address;
  /** A contract that takes ether as the walk likes; so do dora and the treasury, who delegate to it. */
  readonly receiver: Address;
  readonly periodSeconds: bigint;
  readonly domain: Domain;
  readonly signedAppDomain: Domain;
  readonly chainId: bigint;
}
