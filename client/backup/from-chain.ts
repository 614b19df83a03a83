import { checkSignature, type Address, type Domain } from "../../protocol";
import { stateIn } from "../../protocol/chain/shown-state";
import type { ChainClient, ExitEvent } from "../chain";
import type { DoubleSigned } from "../engine/record";

/** What the chain alone says of an exit that runs. */
export interface ShownByChain {
  /** Nonces of states that were given to the contract. */
  readonly nonces: readonly bigint[];
  /** The newest of these states, where the transactions that brought them hold it in full. */
  readonly doubleSigned?: DoubleSigned;
}

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
