import { AbiCoder, Interface, type EventFragment, type InterfaceAbi, type ParamType } from "ethers";
import type { LoggedEvent } from "./calls";

// ethers hashes the text of a fragment each time it looks for one, and most of the walk's time went there. So what it
// finds is kept here; arguments with structs are still encoded by it.

export interface Log {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

/** Arguments in order, or by name. */
export type Encoder = (name: string, args: readonly unknown[] | Readonly<Record<string, unknown>>) => string;
export type EventDecoder = (log: Log) => LoggedEvent;
export type ErrorDecoder = (data: string) => { readonly name: string; readonly args: readonly unknown[] };

const coder = AbiCoder.defaultAbiCoder();

export function encoderOf(abi: InterfaceAbi): Encoder {
  const functions = new Map<string, { readonly selector: string; readonly inputs: readonly ParamType[] }>();
  Interface.from(abi).forEachFunction(({ name, selector, inputs }) => functions.set(name, { selector, inputs }));
  return (name, args) => {
    const { selector, inputs } = functions.get(name)!;
    const values = inputs.map((input, i) => (Array.isArray(args) ? args[i] : args[input.name as never]) as unknown);
    return selector + coder.encode(inputs, values).slice(2);
  };
}

export function eventDecoderOf(abi: InterfaceAbi): EventDecoder {
  const events = new Map<string, EventFragment>();
  Interface.from(abi).forEachEvent((fragment) => events.set(fragment.topicHash, fragment));
  return ({ topics, data }) => {
    const { name, inputs } = events.get(topics[0]!)!;
    const [indexed, plain] = [topics.slice(1), plainArguments(inputs, data)];
    return {
      name,
      args: inputs.map((input) => (input.indexed ? valueOf(input, indexed.shift()!) : plain.shift())),
    };
  };
}

/** Knows the errors of all given ABIs. An answer without data is an error without name. */
export function errorDecoderOf(abis: readonly InterfaceAbi[]): ErrorDecoder {
  const errors = new Map<string, { readonly name: string; readonly inputs: readonly ParamType[] }>([
    ["0x", { name: "", inputs: [] }],
  ]);
  const builtIn = ["error Error(string reason)", "error Panic(uint256 code)"];
  for (const abi of [builtIn, ...abis]) {
    Interface.from(abi).forEachError(({ name, selector, inputs }) => errors.set(selector, { name, inputs }));
  }
  return (data) => {
    const error = errors.get(data.slice(0, 10));
    if (error === undefined) return { name: data, args: [] };
    return { name: error.name, args: coder.decode(error.inputs, `0x${data.slice(10)}`).toArray() };
  };
}

function plainArguments(inputs: readonly ParamType[], data: string): unknown[] {
  const plain = inputs.filter(({ indexed }) => indexed !== true);
  if (plain.some(({ baseType }) => baseType === "bytes")) return coder.decode(plain, data).toArray();
  const words = textWordsOf(data); // without dynamic parts each argument is one word
  return plain.map((input, i) => valueOf(input, words[i]!));
}

function valueOf({ baseType }: ParamType, word: string): unknown {
  if (baseType === "address") return `0x${word.slice(-40)}`;
  if (baseType === "bytes32") return word;
  return baseType === "bool" ? BigInt(word) === 1n : BigInt(word);
}

function textWordsOf(data: string): string[] {
  return Array.from({ length: (data.length - 2) / 64 }, (_, i) => `0x${data.slice(2 + 64 * i, 66 + 64 * i)}`);
}

export function wordsOf(data: string): readonly bigint[] {
  return textWordsOf(data).map(BigInt);
}

export function wordOf(part: bigint | string): string {
  return (typeof part === "bigint" ? part.toString(16) : part.slice(2)).padStart(64, "0");
}
