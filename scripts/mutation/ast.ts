/** A node of solc's syntax tree; what else it has depends on its type. */
export interface AstNode {
  readonly nodeType: string;
  /** `start:length:file`, in bytes. */
  readonly src: string;
  readonly [property: string]: unknown;
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

export function isNode(value: unknown): value is AstNode {
  return typeof value === "object" && value !== null && "nodeType" in value && "src" in value;
}

/** The child that a property holds. */
export function child(node: AstNode, property: string): AstNode {
  const value = node[property];
  if (!isNode(value)) throw new Error(`${node.nodeType} has no ${property}.`);
  return value;
}

/** The children that a property lists. */
export function list(node: AstNode, property: string): readonly AstNode[] {
  const value = node[property];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

export function rangeOf(node: AstNode): Range {
  return parseRange(node.src);
}

export function parseRange(src: string): Range {
  const [start = 0, length = 0] = src.split(":").map(Number);
  return { start, end: start + length };
}

/** Every node below and including this one, parents first; `ancestors` begins with the parent. */
export function visit(
  node: AstNode,
  onNode: (node: AstNode, ancestors: readonly AstNode[]) => void,
  ancestors: readonly AstNode[] = [],
): void {
  onNode(node, ancestors);
  const children = Object.values(node).flatMap((value): unknown[] => (Array.isArray(value) ? value : [value]));
  for (const below of children) if (isNode(below)) visit(below, onNode, [node, ...ancestors]);
}
