import hre from "hardhat";
import { BrowserProvider } from "ethers";

export type Ask = (method: string, params: readonly unknown[]) => Promise<unknown>;

/** What stands between a side and the in-process chain: asks it, or answers something else, or fails. */
export type Distortion = (ask: Ask, method: string, params: readonly unknown[]) => Promise<unknown>;

/** A node that answers as the in-process chain does, unless told otherwise. */
export interface DistortedNode {
  readonly provider: BrowserProvider;
  /** How often each method was asked. */
  readonly asked: ReadonlyMap<string, number>;
  distort(distortion: Distortion): void;
  heal(): void;
}

/** A failure as a node answers it. */
export class NodeFailure extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export function distortedNode(chainId = 31_337): DistortedNode {
  const asked = new Map<string, number>();
  const ask: Ask = (method, params) => hre.network.provider.request({ method, params: [...params] });
  const honest: Distortion = (through, method, params) => through(method, params);
  let distortion = honest;
  const request = ({ method, params = [] }: { method: string; params?: readonly unknown[] }): Promise<unknown> => {
    asked.set(method, (asked.get(method) ?? 0) + 1);
    return distortion(ask, method, params);
  };
  const options = { cacheTimeout: -1, staticNetwork: true } as const;
  return {
    provider: new BrowserProvider({ request }, chainId, options),
    asked,
    distort: (given) => (distortion = given),
    heal: () => (distortion = honest),
  };
}

/** Of one method only. */
export function onlyFor(name: string, answer: (params: readonly unknown[], ask: Ask) => unknown): Distortion {
  return (ask, method, params) => Promise.resolve(method === name ? answer(params, ask) : ask(method, params));
}
