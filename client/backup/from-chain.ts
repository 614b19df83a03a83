import { ChannelManager__factory } from "../../typechain-types";
import {
  checkSignature,
  hashState,
  parseState,
  type Address,
  type ChannelState,
  type Domain,
  type Hash,
} from "../../protocol";
import type { ChainClient, ExitEvent } from "../chain";
import type { DoubleSigned } from "../engine/record";

/** What the chain alone says of an exit that runs. */
export interface ShownByChain {
  /** Nonces of states that were given to the contract. */
  readonly nonces: readonly bigint[];
  /** The newest of these states, where the transactions that brought them hold it in full. */
  readonly doubleSigned?: DoubleSigned;
}

const manager = ChannelManager__factory.createInterface();
const EXIT_CALLS = ["startExit", "challenge"] as const;

/**
 * Reads the states of a running exit back. The contract's events have hash, nonce and signatures; the states themselves are in
 * the data of the transactions. With one of them its user can settle without anybody's help, and never signs below it.
 * @throws ChainUnreachable
 */
export async function shownByChain(
  chain: Pick<ChainClient, "exitEvents" | "provider">,
  { user, hub, domain }: { readonly user: Address; readonly hub: Address; readonly domain: Domain },
): Promise<ShownByChain> {
  const events = await chain.exitEvents(user);
  const nonces = events.map(({ nonce }) => nonce);
  const newest = events.reduce<ExitEvent | undefined>(
    (best, each) => (best && best.nonce > each.nonce ? best : each),
    undefined,
  );
  if (newest === undefined || newest.nonce === 0n) return { nonces };
  const transaction = await chain.provider.getTransaction(newest.transactionHash).catch(() => null);
  const state = transaction === null ? undefined : stateIn(transaction.data, newest.stateHash);
  const [sigHub, sigUser] = [newest.sigHub, newest.sigUser];
  const isSigned =
    state !== undefined &&
    checkSignature(hub, newest.stateHash, sigHub, domain) === undefined &&
    checkSignature(user, newest.stateHash, sigUser, domain) === undefined;
  return isSigned ? { nonces, doubleSigned: { state, sigHub, sigUser } } : { nonces };
}

/** The call may be inside of another contract's: it is looked for wherever its selector stands. */
function stateIn(data: string, hash: Hash): ChannelState | undefined {
  for (const name of EXIT_CALLS) {
    const selector = manager.getFunction(name).selector.slice(2);
    for (let at = data.indexOf(selector); at >= 0; at = data.indexOf(selector, at + 1)) {
      const state = decoded(name, `0x${data.slice(at)}`);
      if (state !== undefined && hashState(state) === hash) return state;
    }
  }
  return undefined;
}

function decoded(name: (typeof EXIT_CALLS)[number], data: string): ChannelState | undefined {
  try {
    const [given] = manager.decodeFunctionData(name, data) as unknown as [{ toObject(deep: boolean): object }];
    return parseState(wireOf(given.toObject(true)));
  } catch {
    return undefined; // the same four bytes, but not this call
  }
}

function wireOf(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(wireOf);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, wireOf(each)]));
}
