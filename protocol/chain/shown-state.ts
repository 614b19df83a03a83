import { ChannelManager__factory } from "../../typechain-types";
import type { ChannelState } from "../channel-state";
import { hashState, hashThread } from "../eip712/hash";
import type { Hash } from "../hex";
import type { Thread } from "../thread";
import { parseState, parseThread } from "../wire/statements";

// The contract's events have hashes of states and threads; the data of the transactions that brought them have the rest.

const manager = ChannelManager__factory.createInterface();
const STATE_CALLS = ["startExit", "challenge", "settle"] as const;
const THREAD_CALLS = [
  "challengeThread",
  "challengeThreadWithPayment",
  "challengeThreadWithUpdate",
  "resolveThread",
  "resolveThreadWithUpdate",
] as const;

type Call = (typeof STATE_CALLS)[number] | (typeof THREAD_CALLS)[number];

/** The state of this hash, if a transaction's data hold it. The call may be inside of another contract's. */
export function stateIn(data: string, hash: Hash): ChannelState | undefined {
  return firstIn(data, STATE_CALLS, (given) => parseState(given), (state) => hashState(state) === hash);
}

/** The terms of this hash, if a transaction's data hold them. */
export function threadIn(data: string, hash: Hash): Thread | undefined {
  const read = (given: unknown): Thread => parseThread((given as { thread: unknown }).thread);
  return firstIn(data, THREAD_CALLS, read, (thread) => hashThread(thread) === hash);
}

/** Looks wherever a selector stands. */
function firstIn<Value>(
  data: string,
  calls: readonly Call[],
  read: (given: unknown) => Value,
  isIt: (value: Value) => boolean,
): Value | undefined {
  for (const name of calls) {
    const selector = manager.getFunction(name as "settle").selector.slice(2);
    for (let at = data.indexOf(selector); at >= 0; at = data.indexOf(selector, at + 1)) {
      const value = decoded(name, `0x${data.slice(at)}`, read);
      if (value !== undefined && isIt(value)) return value;
    }
  }
  return undefined;
}

function decoded<Value>(name: Call, data: string, read: (given: unknown) => Value): Value | undefined {
  try {
    const [given] = manager.decodeFunctionData(name, data) as unknown as [{ toObject(deep: boolean): object }];
    return read(wireOf(given.toObject(true)));
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
