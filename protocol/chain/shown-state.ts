import type { ParamType } from "ethers";
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
  return firstIn(
    data,
    STATE_CALLS,
    (given) => parseState(given),
    (state) => hashState(state) === hash,
  );
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
    const selector = manager.getFunction(name).selector.slice(2);
    for (let at = data.indexOf(selector); at >= 0; at = data.indexOf(selector, at + 1)) {
      const value = decoded(name, `0x${data.slice(at)}`, read);
      if (value !== undefined && isIt(value)) return value;
    }
  }
  return undefined;
}

function decoded<Value>(name: Call, data: string, read: (given: unknown) => Value): Value | undefined {
  const type = manager.getFunction(name).inputs[0];
  try {
    const given: unknown = manager.decodeFunctionData(name, data)[0];
    return type === undefined ? undefined : read(wireOf(type, given));
  } catch {
    return undefined; // the same four bytes, but not this call
  }
}

/** By the ABI's own types: the library's conversion makes an object of a list of structs. */
function wireOf(type: ParamType, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  const { components, arrayChildren } = type;
  if (arrayChildren !== null) return [...(value as Iterable<unknown>)].map((each) => wireOf(arrayChildren, each));
  if (components === null) return value;
  const values = [...(value as Iterable<unknown>)];
  return Object.fromEntries(components.map((each, i) => [each.name, wireOf(each, values[i])]));
}
