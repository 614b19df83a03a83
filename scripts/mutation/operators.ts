import { child, isNode, list, parseRange, rangeOf, type AstNode, type Range } from "./ast";

/** A replacement of one piece of the source. */
export interface Edit extends Range {
  readonly replacement: string;
}

interface Context {
  /** A piece of the source. */
  readonly text: (range: Range) => string;
  /** All names in the source: a twin that is not among them would not compile. */
  readonly names: ReadonlySet<string>;
  /** Beginning with the parent. */
  readonly ancestors: readonly AstNode[];
}

type Operator = (node: AstNode, context: Context) => readonly Edit[];

const BINARY: Readonly<Record<string, string>> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "==": "!=",
  "!=": "==",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "&&": "||",
  "||": "&&",
};

const ASSIGNMENT: Readonly<Record<string, readonly string[]>> = { "+=": ["-=", "="], "-=": ["+=", "="], "|=": ["="] };

/** Sides and counters that are easily taken for one another. */
const TWINS = [
  ["Hub", "User"],
  ["Sender", "Receiver"],
  ["sender", "receiver"],
  ["deposited", "withdrawn"],
] as const;

const REMOVED = "{}";

const replace = (range: Range, replacement: string): Edit => ({ start: range.start, end: range.end, replacement });

const binary: Operator = (node, { text }) => {
  const [left, right] = [child(node, "leftExpression"), child(node, "rightExpression")];
  const [a, b, operator] = [text(rangeOf(left)), text(rangeOf(right)), String(node.operator)];
  const flipped = BINARY[operator];
  const edits = flipped === undefined ? [] : [replace(rangeOf(node), `${a} ${flipped} ${b}`)];
  const isLogic = operator === "&&" || operator === "||";
  return isLogic ? [...edits, replace(rangeOf(node), a), replace(rangeOf(node), b)] : edits;
};

const assignment: Operator = (node, { text }) => {
  const [left, right] = [text(rangeOf(child(node, "leftHandSide"))), text(rangeOf(child(node, "rightHandSide")))];
  return (ASSIGNMENT[String(node.operator)] ?? []).map((other) => replace(rangeOf(node), `${left} ${other} ${right}`));
};

const negation: Operator = (node, { text }) =>
  node.operator === "!" ? [replace(rangeOf(node), text(rangeOf(child(node, "subExpression"))))] : [];

/** A guard that never refuses; a choice that is always made, or never. */
const condition: Operator = (node) => {
  const range = rangeOf(child(node, "condition"));
  return isRevert(child(node, "trueBody"))
    ? [replace(range, "false")]
    : [replace(range, "false"), replace(range, "true")];
};

const ternary: Operator = (node, { text }) => {
  const [question, yes, no] = ["condition", "trueExpression", "falseExpression"].map((part) =>
    text(rangeOf(child(node, part))),
  );
  return [replace(rangeOf(node), `${question} ? ${no} : ${yes}`)];
};

const statement: Operator = (node, { ancestors: [parent], text }) => {
  if (parent?.nodeType === "ForStatement" && parent.loopExpression === node) return [];
  const range = rangeOf(node);
  const hasSemicolon = text({ start: range.end, end: range.end + 1 }) === ";";
  return [replace({ start: range.start, end: range.end + (hasSemicolon ? 1 : 0) }, REMOVED)];
};

/** A refusal that is not all that an `if` does: those are what `condition` removes. */
const refusal: Operator = (node, context) => {
  const [parent, grandparent] = context.ancestors;
  const [body, owner] = parent?.nodeType === "Block" ? [parent, grandparent] : [node, parent];
  const isGuarded = owner?.nodeType === "IfStatement" && owner.trueBody === body && isRevert(body);
  return isGuarded ? [] : statement(node, context);
};

const modifier: Operator = (node) =>
  child(node, "modifierName").name === "nonReentrant" ? [replace(rangeOf(node), "")] : [];

const literal: Operator = (node, { text }) => {
  const value = text(rangeOf(node));
  if (node.kind === "bool") return [replace(rangeOf(node), value === "true" ? "false" : "true")];
  if (node.kind === "string") return [replace(rangeOf(node), `"?${value.slice(1)}`)];
  return [replace(rangeOf(node), value === "0" ? "1" : `(${value} + 1)`)];
};

const member: Operator = (node, context) => {
  const [object, name] = [child(node, "expression"), String(node.memberName)];
  const range = parseRange(String(node.memberLocation));
  const text = context.text(rangeOf(object));
  if (text === "msg" && name === "sender") return [replace(rangeOf(node), "tx.origin")];
  if (text === "Math" && name === "max") return [replace(range, "min")];
  if (text.startsWith("type(")) return [replace(rangeOf(node), `(${text}.${name} - 1)`)];
  return twinsOf(name, context).map((twin) => replace(range, twin));
};

const identifier: Operator = (node, context) =>
  twinsOf(String(node.name), context).map((twin) => replace(rangeOf(node), twin));

const call: Operator = (node, { text }) => {
  const callee = child(node, "expression");
  const unchecked =
    callee.memberName === "toUint128"
      ? [replace(rangeOf(node), `uint128(${text(rangeOf(child(callee, "expression")))})`)]
      : [];
  return [...unchecked, ...swappedArguments(list(node, "arguments"), text)];
};

/** Each two neighbours of the same type, exchanged. */
function swappedArguments(given: readonly AstNode[], text: Context["text"]): Edit[] {
  return given.flatMap((first, index) => {
    const second = given[index + 1];
    if (second === undefined || typeOf(first) !== typeOf(second)) return [];
    const [a, b] = [rangeOf(first), rangeOf(second)];
    if (text(a) === text(b)) return [];
    return [replace({ start: a.start, end: b.end }, `${text(b)}${text({ start: a.end, end: b.start })}${text(a)}`)];
  });
}

/** An outside call with all the gas there is. */
const yulCall: Operator = (node) => {
  const [gas] = list(node, "arguments");
  const isOutside = ["call", "staticcall"].includes(String(child(node, "functionName").name));
  return isOutside && gas !== undefined ? [replace(rangeOf(gas), "gas()")] : [];
};

const OPERATORS: Readonly<Record<string, Operator>> = {
  Assignment: assignment,
  BinaryOperation: binary,
  Conditional: ternary,
  EmitStatement: statement,
  ExpressionStatement: statement,
  FunctionCall: call,
  Identifier: identifier,
  IfStatement: condition,
  Literal: literal,
  MemberAccess: member,
  ModifierInvocation: modifier,
  RevertStatement: refusal,
  UnaryOperation: negation,
  YulAssignment: statement,
  YulExpressionStatement: statement,
  YulFunctionCall: yulCall,
};

/** What each operator makes of this node. */
export function editsOf(node: AstNode, context: Context): readonly Edit[] {
  return OPERATORS[node.nodeType]?.(node, context) ?? [];
}

function twinsOf(name: string, { names }: Context): string[] {
  const swap = (part: string, other: string): string[] => (name.includes(part) ? [name.replace(part, other)] : []);
  return TWINS.flatMap(([a, b]) => [...swap(a, b), ...swap(b, a)]).filter((twin) => names.has(twin));
}

function isRevert(body: AstNode): boolean {
  if (body.nodeType === "RevertStatement") return true;
  const [only, ...others] = list(body, "statements");
  return body.nodeType === "Block" && only?.nodeType === "RevertStatement" && others.length === 0;
}

function typeOf(expression: AstNode): unknown {
  const types: unknown = expression.typeDescriptions;
  return typeof types === "object" && types !== null && "typeString" in types ? types.typeString : isNode(expression);
}
