import { list, visit, type AstNode } from "./ast";

/** By source, the sources that import it. */
export type Importers = ReadonlyMap<string, readonly string[]>;

export function importersOf(asts: ReadonlyMap<string, AstNode>): Importers {
  const importers = new Map<string, string[]>();
  for (const [source, ast] of asts) {
    for (const { nodeType, absolutePath } of list(ast, "nodes")) {
      if (nodeType !== "ImportDirective") continue;
      importers.set(String(absolutePath), [...(importers.get(String(absolutePath)) ?? []), source]);
    }
  }
  return importers;
}

/** The sources that change with this one: itself and whatever imports it, directly or not. */
export function dependents(importers: Importers, source: string): string[] {
  const found = new Set([source]);
  for (const name of found) for (const importer of importers.get(name) ?? []) found.add(importer);
  return [...found];
}

/** Who uses whom: functions and constants by the id of what they refer to. */
export type Users = ReadonlyMap<number, readonly AstNode[]>;

export function usersOf(asts: Iterable<AstNode>): Users {
  const users = new Map<number, AstNode[]>();
  for (const ast of asts) {
    visit(ast, (node, ancestors) => {
      const user = ancestors.find(isDeclaration);
      if (typeof node.referencedDeclaration !== "number" || user === undefined) return;
      users.set(node.referencedDeclaration, [...(users.get(node.referencedDeclaration) ?? []), user]);
    });
  }
  return users;
}

/** Functions, and constants of a contract: nothing else does anything. */
export function isDeclaration(node: AstNode): boolean {
  return node.nodeType === "FunctionDefinition" || (node.nodeType === "VariableDeclaration" && node.constant === true);
}

/**
 * Orders test files by how near their function is to this declaration: one's own first, then those of its callers,
 * then of theirs, then the others as they come.
 */
export function nearestFirst(
  files: readonly string[],
  declaration: { readonly id: number; readonly name: string },
  users: Users,
): string[] {
  const reached = new Map([[declaration.id, declaration.name]]);
  for (const [id] of reached) {
    for (const user of users.get(id) ?? []) reached.set(Number(user.id), String(user.name));
  }
  const near = [...reached.values()].flatMap((name) => files.filter((file) => isTestOf(file, name)));
  return [...new Set([...near, ...files])];
}

/** Test files that are about no function in particular, then those that are. */
export function generalFirst(files: readonly string[], asts: Iterable<AstNode>): string[] {
  const names = new Set<string>();
  for (const ast of asts) {
    visit(ast, (node) => {
      if (node.nodeType === "FunctionDefinition" && node.name !== "") names.add(String(node.name));
    });
  }
  const particular = new Set(files.filter((file) => [...names].some((name) => isTestOf(file, name))));
  return [...files.filter((file) => !particular.has(file)), ...particular];
}

/** By the rule of the house `startExit` is tested in `start-exit.test.ts` and `start-exit-….test.ts`. */
function isTestOf(file: string, functionName: string): boolean {
  const kebab = functionName.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return file.includes(`/${kebab}.`) || file.includes(`/${kebab}-`);
}
