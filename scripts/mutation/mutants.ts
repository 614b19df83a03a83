import { visit, type AstNode, type Range } from "./ast";
import { editsOf, type Edit } from "./operators";
import { isDeclaration } from "./relations";

/** One small fault, planted in one place. */
export interface Mutant extends Edit {
  /** Relative to the root. */
  readonly file: string;
  readonly line: number;
  /** The function, or the constant, that it is in. */
  readonly declaration: string;
  readonly declarationId: number;
  /** What it is whatever line it is on: `Assets.sol pull: msg.value != amount → msg.value == amount`. */
  readonly key: string;
}

/** All mutants of a source, in its order. */
export function mutantsOf(file: string, source: Buffer, ast: AstNode): Mutant[] {
  const text = ({ start, end }: Range): string => source.subarray(start, end).toString();
  const names = new Set(source.toString().match(/\w+/g));
  const found: Mutant[] = [];
  visit(ast, (node, ancestors) => {
    const declaration = [node, ...ancestors].find(isDeclaration);
    if (declaration === undefined) return;
    const edits = editsOf(node, { text, names, ancestors });
    found.push(...edits.map((edit) => describe(file, text, edit, declaration)));
  });
  return numbered(found.sort((a, b) => a.start - b.start || a.end - b.end));
}

/** `ChannelManager.sol:243 _takeReserve: available < amount → available <= amount` */
export function titleOf({ file, line, key }: Mutant): string {
  const name = baseName(file);
  return `${name}:${line}${key.slice(name.length)}`;
}

export function apply(mutant: Mutant, source: Buffer): Buffer {
  return Buffer.concat([
    source.subarray(0, mutant.start),
    Buffer.from(mutant.replacement),
    source.subarray(mutant.end),
  ]);
}

function describe(file: string, text: (range: Range) => string, edit: Edit, declaration: AstNode): Mutant {
  const name = String(declaration.name) || String(declaration.kind); // a constructor has no name
  const [from, to] = [text(edit), edit.replacement].map((piece) => piece.replace(/\s+/g, " "));
  const change = to === "" || to === "{}" ? `${from} removed` : `${from} → ${to}`;
  const line = text({ start: 0, end: edit.start }).split("\n").length;
  const key = `${baseName(file)} ${name}: ${change}`;
  return { ...edit, file, line, declaration: name, declarationId: Number(declaration.id), key };
}

/** The second, third… of the same key in a function says so. */
function numbered(mutants: readonly Mutant[]): Mutant[] {
  const seen = new Map<string, number>();
  return mutants.map((mutant) => {
    const count = (seen.get(mutant.key) ?? 0) + 1;
    seen.set(mutant.key, count);
    return count === 1 ? mutant : { ...mutant, key: `${mutant.key} (${count})` };
  });
}

function baseName(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}
