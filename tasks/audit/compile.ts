import { createRequire } from "node:module";
import type { BuildInfo } from "hardhat/types";
import { operationError } from "../errors";

/** A node of solc's syntax tree, as far as the report looks at it. */
export type AstNode = Readonly<Record<string, unknown>> & {
  readonly nodeType: string;
  readonly id?: number;
  readonly src: string;
};

interface StorageVariable {
  readonly label: string;
  readonly slot: string;
  readonly offset: number;
  readonly type: string;
}

interface StorageType {
  readonly label: string;
  readonly numberOfBytes: string;
  /** Of a struct. */
  readonly members?: readonly StorageVariable[];
}

export interface StorageLayout {
  readonly storage: readonly StorageVariable[];
  readonly types: Readonly<Record<string, StorageType>> | null;
}

/** What the report needs of the compiler and Hardhat does not ask it for. */
export interface Analysis {
  readonly storage: StorageLayout;
  readonly transient: StorageLayout;
  /** Syntax trees by file. */
  readonly trees: Readonly<Record<string, AstNode>>;
  /** Sources by file. */
  readonly sources: Readonly<Record<string, string>>;
}

interface Output {
  readonly contracts: Record<
    string,
    Record<string, { storageLayout: StorageLayout; transientStorageLayout: StorageLayout }>
  >;
  readonly sources: Record<string, { ast: AstNode }>;
}

/** Compiles the same input once more, for its layout and its trees instead of its code. @throws BuildInfoMissing */
export function analyse(buildInfo: BuildInfo, file: string, contract: string): Analysis {
  const selection = { "*": { "*": ["storageLayout", "transientStorageLayout"], "": ["ast"] } };
  const { input } = buildInfo;
  const asked = { ...input, settings: { ...input.settings, viaIR: false, outputSelection: selection } };
  const { compile } = createRequire(__filename)("solc") as { compile: (input: string) => string };
  const output = JSON.parse(compile(JSON.stringify(asked))) as Output;
  const found = output.contracts[file]?.[contract];
  if (found === undefined) throw operationError("BuildInfoMissing", { contract });
  return {
    storage: found.storageLayout,
    transient: found.transientStorageLayout,
    trees: Object.fromEntries(Object.entries(output.sources).map(([path, { ast }]) => [path, ast])),
    sources: Object.fromEntries(Object.entries(input.sources).map(([path, { content }]) => [path, content])),
  };
}
