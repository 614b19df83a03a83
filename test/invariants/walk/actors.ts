import { getBytes, id } from "ethers";
import { addressOfPrivateKey, type Address } from "../../../protocol";

/** Somebody with a key. The names make the keys, so that addresses are the same in every run. */
export interface Actor {
  readonly name: string;
  readonly address: Address;
  readonly key: Uint8Array;
}

function actor(name: string): Actor {
  const key = getBytes(id(`random walk: ${name}`));
  return { name, key, address: addressOfPrivateKey(key) };
}

/** Deploys everything and does nothing else, so that the addresses of the contracts do not depend on earlier tests. */
export const deployer = actor("deployer");
export const hub = actor("hub");
/** Delegates to a `WalkReceiver`, and is the only address that recalled reserve may go to. */
export const treasury = actor("treasury");
/** A user that delegates to a `WalkReceiver` (EIP-7702): it signs like others, but ether may not reach it. */
export const dora = actor("dora");
export const users: readonly Actor[] = [actor("alice"), actor("bob"), actor("carl"), dora];
/** Nobody's friend. */
export const stranger = actor("stranger");
/** The one-off key that decides `SignedApp` threads. */
export const arbiter = actor("arbiter");

export const actors: readonly Actor[] = [hub, treasury, ...users, stranger];

const byAddress = new Map([...actors, arbiter].map((one) => [one.address, one]));

export function actorAt(address: Address): Actor | undefined {
  return byAddress.get(address);
}
