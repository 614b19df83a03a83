import type { Log } from "ethers";
import { ChannelManager__factory } from "../../typechain-types";
import { parseAddress, type Address } from "../address";
import type { Hash, Hex } from "../hex";

/** Where in the chain an event stands. */
export interface EventPlace {
  readonly blockNumber: number;
  readonly blockHash: Hash;
  readonly logIndex: number;
  readonly transactionHash: Hash;
}

interface Fields {
  readonly Deposited: {
    readonly user: Address;
    readonly asset: Address;
    readonly session: bigint;
    readonly forHub: boolean;
    readonly amount: bigint;
  };
  readonly Collateralized: { readonly user: Address; readonly asset: Address; readonly amount: bigint };
  readonly Withdrawn: {
    readonly user: Address;
    readonly asset: Address;
    readonly recipient: Address;
    readonly session: bigint;
    readonly nonce: bigint;
    readonly amountUser: bigint;
    readonly amountHub: bigint;
  };
  readonly ExitStarted: ExitFields;
  readonly ExitChallenged: ExitFields;
  readonly Settled: {
    readonly user: Address;
    readonly session: bigint;
    readonly nonce: bigint;
    readonly stateHash: Hash;
  };
}

interface ExitFields {
  readonly user: Address;
  readonly caller: Address;
  readonly session: bigint;
  readonly nonce: bigint;
  readonly stateHash: Hash;
  /** Unix seconds. */
  readonly deadline: bigint;
  readonly sigHub: Hex;
  readonly sigUser: Hex;
}

/** What the contract says about channels. Other events of it concern threads, the reserve or payouts that failed. */
export type ChainEvent = {
  readonly [Name in keyof Fields]: { readonly name: Name } & Fields[Name] & EventPlace;
}[keyof Fields];

const NAMES: readonly string[] = [
  "Deposited",
  "Collateralized",
  "Withdrawn",
  "ExitStarted",
  "ExitChallenged",
  "Settled",
] satisfies (keyof Fields)[];

const manager = ChannelManager__factory.createInterface();

/** Topics of the events that `decodeEvent` knows. */
export const CHANNEL_TOPICS: readonly string[] = NAMES.map((name) => manager.getEvent(name as "Settled").topicHash);

/** An event of a channel, or nothing for another log. Addresses and hashes in their one spelling. */
export function decodeEvent(log: Log): ChainEvent | undefined {
  const parsed = manager.parseLog(log);
  if (parsed === null || !NAMES.includes(parsed.name)) return undefined;
  const values = parsed.fragment.inputs.map((input, i): [string, unknown] => {
    const value: unknown = parsed.args[i];
    return [input.name, input.type === "address" ? parseAddress(value) : value];
  });
  return {
    name: parsed.name,
    ...Object.fromEntries(values),
    blockNumber: log.blockNumber,
    blockHash: log.blockHash.toLowerCase() as Hash,
    logIndex: log.index,
    transactionHash: log.transactionHash.toLowerCase() as Hash,
  } as ChainEvent;
}
