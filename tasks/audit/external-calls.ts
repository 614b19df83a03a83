import type { Analysis, AstNode } from "./compile";
import { code, table, type Section } from "./markdown";

interface ExternalCall {
  readonly file: string;
  readonly line: number;
  readonly inside: string;
  readonly text: string;
}

interface Definition {
  readonly node: AstNode;
  readonly file: string;
}

const YUL_CALLS = new Set(["call", "staticcall", "delegatecall", "callcode", "create", "create2", "selfdestruct"]);

/** Every place from which the contract can call other code, found by following its functions through the syntax tree. */
export function externalCallsSection(analysis: Analysis, file: string, contract: string): Section {
  const calls = findExternalCalls(analysis, file, contract);
  const rows = calls.map(({ file: path, line, inside, text }) => [`${path}:${line}`, code(inside), code(text)]);
  const body = [
    "Reachable from its functions and modifiers, libraries included; nothing else leaves the contract.",
    table(["where", "in", "source"], rows),
  ].join("\n\n");
  return { title: "External calls", body };
}

export function findExternalCalls(analysis: Analysis, file: string, contract: string): ExternalCall[] {
  const definitions = definitionsOf(analysis);
  const isRoot = (node: AstNode): boolean => node.nodeType === "ContractDefinition" && node.name === contract;
  const root = childrenOf(analysis.trees[file]).find(isRoot);
  const bases = (root?.linearizedBaseContracts ?? []) as number[];
  const reached = new Set<number>();
  const queue = bases.flatMap((id) => callablesIn(definitions.get(id)?.node));
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    queue.push(...referencesIn(definitions.get(id)?.node));
  }
  const calls = [...reached].flatMap((id) => callsIn(analysis, definitions.get(id)));
  return calls.sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
}

function definitionsOf({ trees }: Analysis): Map<number, Definition> {
  const wanted = /^(Function|Modifier|Contract)Definition$/;
  const found = Object.entries(trees).flatMap(([file, tree]) =>
    allNodes(tree).flatMap((node) => (wanted.test(node.nodeType) ? [[Number(node.id), { node, file }] as const] : [])),
  );
  return new Map(found);
}

function callablesIn(contract: AstNode | undefined): number[] {
  const isCallable = ({ nodeType }: AstNode): boolean => /^(Function|Modifier)Definition$/.test(nodeType);
  return childrenOf(contract)
    .filter(isCallable)
    .map(({ id }) => Number(id));
}

function referencesIn(node: AstNode | undefined): number[] {
  if (node === undefined || node.nodeType === "ContractDefinition") return [];
  return allNodes(node).flatMap(({ referencedDeclaration: id }) => (typeof id === "number" ? [id] : []));
}

function callsIn(analysis: Analysis, definition: Definition | undefined): ExternalCall[] {
  if (definition === undefined || definition.node.nodeType === "ContractDefinition") return [];
  const { node, file } = definition;
  const source = Buffer.from(analysis.sources[file] ?? "");
  return allNodes(node)
    .filter(isExternalCall)
    .map(({ src }) => {
      const [start = 0, length = 0] = src.split(":").map(Number);
      const text = source
        .subarray(start, start + length)
        .toString()
        .replaceAll(/\s+/g, " ");
      const line = source.subarray(0, start).toString().split("\n").length;
      return { file, line, inside: String(node.name), text };
    });
}

function isExternalCall(node: AstNode): boolean {
  if (node.nodeType === "YulFunctionCall") return YUL_CALLS.has(String((node.functionName as AstNode).name));
  if (node.nodeType !== "FunctionCall") return false;
  const { typeDescriptions } = node.expression as { typeDescriptions?: { typeIdentifier?: string } };
  const type = typeDescriptions?.typeIdentifier ?? "";
  return /^t_function_(external|bare\w*call|transfer|send|creation)/.test(type);
}

function childrenOf(node: AstNode | undefined): AstNode[] {
  return (node?.nodes ?? []) as AstNode[];
}

function allNodes(node: AstNode): AstNode[] {
  return [node, ...Object.values(node).flatMap((value) => [value].flat().filter(isNode).flatMap(allNodes))];
}

function isNode(value: unknown): value is AstNode {
  return typeof value === "object" && value !== null && "nodeType" in value;
}
