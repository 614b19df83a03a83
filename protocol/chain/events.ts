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

interface OfAsset {
  readonly asset: Address;
  readonly amount: bigint;
}

interface OfChannel {
  readonly user: Address;
  readonly asset: Address;
}

/** Paid to the user (or claimable, see `PayoutFailed`), and to the reserve. */
interface Paid {
  readonly amountUser: bigint;
  readonly amountHub: bigint;
}

interface OfExit {
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

interface OfThread {
  readonly threadHash: Hash;
  readonly sender: Address;
  readonly receiver: Address;
  readonly nonce: bigint;
  readonly balanceReceiver: bigint;
  /** Unix seconds. */
  readonly deadline: bigint;
}

/** Names and values as in `IChannelManager`; amounts in the asset's smallest unit. */
interface Fields {
  readonly Deposited: OfChannel & {
    readonly payer: Address;
    readonly session: bigint;
    readonly forHub: boolean;
    readonly amount: bigint;
  };
  readonly Collateralized: OfChannel & { readonly amount: bigint };
  readonly Withdrawn: OfChannel &
    Paid & { readonly recipient: Address; readonly session: bigint; readonly nonce: bigint };
  readonly ExitStarted: OfExit;
  readonly ExitChallenged: OfExit;
  readonly Settled: {
    readonly user: Address;
    readonly session: bigint;
    readonly nonce: bigint;
    readonly stateHash: Hash;
    readonly threadRoot: Hash;
  };
  readonly AssetSettled: OfChannel & Paid & { readonly session: bigint; readonly locked: bigint };
  readonly Reclaimed: OfChannel & Paid & { readonly session: bigint };
  readonly PayoutFailed: OfChannel & { readonly to: Address; readonly amount: bigint };
  readonly Claimed: OfAsset & { readonly account: Address; readonly to: Address };
  readonly ReserveFunded: OfAsset & { readonly payer: Address };
  readonly ReserveRecalled: OfAsset & { readonly caller: Address };
  readonly ThreadChallenged: OfThread;
  readonly ThreadResolved: OfThread & { readonly resolver: Hex };
  readonly ThreadSettled: OfChannel & Paid & { readonly threadHash: Hash; readonly session: bigint };
}

export type ChainEventName = keyof Fields;

/** What the contract says, one form for each of its events. */
export type ChainEvent = {
  readonly [Name in ChainEventName]: { readonly name: Name } & Fields[Name] & EventPlace;
}[ChainEventName];

const NAMES: Readonly<Record<ChainEventName, true>> = {
  Deposited: true,
  Collateralized: true,
  Withdrawn: true,
  ExitStarted: true,
  ExitChallenged: true,
  Settled: true,
  AssetSettled: true,
  Reclaimed: true,
  PayoutFailed: true,
  Claimed: true,
  ReserveFunded: true,
  ReserveRecalled: true,
  ThreadChallenged: true,
  ThreadResolved: true,
  ThreadSettled: true,
};

const manager = ChannelManager__factory.createInterface();

/** Topics of the events of one channel: those whose first indexed argument is its user. */
export const CHANNEL_TOPICS: readonly string[] = (Object.keys(NAMES) as ChainEventName[])
  .map((name) => manager.getEvent(name as "Settled"))
  .filter(({ inputs }) => inputs.find(({ indexed }) => indexed === true)?.name === "user")
  .map(({ topicHash }) => topicHash);

/**
 * An event of the contract, or nothing for another log. Addresses and hashes in their one spelling.
 * Whose log it is, and whether its block is in the chain, is for the caller to check.
 * @throws Error if a log with the topic of one of our events does not have its form
 */
export function decodeEvent(log: Log): ChainEvent | undefined {
  const parsed = manager.parseLog(log);
  if (parsed === null || !(parsed.name in NAMES)) return undefined;
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

/** Whose channels or money an event is about: what has to be heard in order. Empty for those of the reserve. */
export function partiesOf(event: ChainEvent): readonly Address[] {
  if ("user" in event) return [event.user];
  if ("account" in event) return [event.account];
  return "sender" in event ? [event.sender, event.receiver] : [];
}
