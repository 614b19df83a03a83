import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import solcJs from "solc";
import type { AstNode } from "./ast";

const solc = solcJs as {
  compile(input: string, callbacks: { import(path: string): { contents: string } | { error: string } }): string;
}; // its own types say `any`

export interface Contract {
  readonly source: string;
  readonly name: string;
  readonly abi: unknown;
  readonly bytecode: string;
  readonly deployedBytecode: string;
}

interface Compilation {
  readonly errors: readonly string[];
  readonly contracts: readonly Contract[];
  /** By source, those that were imported included. */
  readonly asts: ReadonlyMap<string, AstNode>;
}

interface SolcOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly sources?: Readonly<Record<string, { readonly ast?: AstNode }>>;
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, SolcContract>>>>;
}

interface SolcContract {
  readonly abi: unknown;
  readonly evm: {
    readonly bytecode: { readonly object: string };
    readonly deployedBytecode: { readonly object: string };
  };
}

const ARTIFACT = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"];

/** Compiles sources of a folder that has a node_modules, with what they import, and returns the syntax trees too. */
export function compileAll(root: string, sources: readonly string[]): Compilation {
  return compile(root, sources, { "*": { "": ["ast"], "*": ARTIFACT } });
}

/** Compiles these sources alone: what they import has not changed. */
export function compileOnly(root: string, sources: readonly string[]): Compilation {
  return compile(root, sources, Object.fromEntries(sources.map((source) => [source, { "*": ARTIFACT }])));
}

/** Neither optimizer nor via-IR: the meaning is the same, and a mutant takes a second instead of ten. */
function compile(root: string, sources: readonly string[], outputSelection: object): Compilation {
  const read = (path: string): string => readFileSync(join(root, path), "utf8");
  const find = (path: string): { contents: string } | { error: string } => {
    const file = [path, join("node_modules", path)].find((candidate) => existsSync(join(root, candidate)));
    return file === undefined ? { error: `There is no ${path}.` } : { contents: read(file) };
  };
  const metadata = { appendCBOR: false, bytecodeHash: "none" };
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(sources.map((source) => [source, { content: read(source) }])),
    settings: { evmVersion: "cancun", metadata, outputSelection },
  };
  return compilationOf(JSON.parse(solc.compile(JSON.stringify(input), { import: find })) as SolcOutput);
}

function compilationOf(output: SolcOutput): Compilation {
  const errors = (output.errors ?? []).filter(({ severity }) => severity === "error");
  const contracts = Object.entries(output.contracts ?? {}).flatMap(([source, byName]) =>
    Object.entries(byName).map(([name, { abi, evm }]) => ({
      source,
      name,
      abi,
      bytecode: `0x${evm.bytecode.object}`,
      deployedBytecode: `0x${evm.deployedBytecode.object}`,
    })),
  );
  const asts = Object.entries(output.sources ?? {}).flatMap(([source, { ast }]) =>
    ast === undefined ? [] : [[source, ast] as const],
  );
  return { errors: errors.map((error) => error.formattedMessage), contracts, asts: new Map(asts) };
}
