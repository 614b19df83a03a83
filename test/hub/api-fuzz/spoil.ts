import type { Random } from "./random";

const deep = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));

/** What a field is not. */
const STRANGE: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 1e308, -0, 2 ** 53, 1e21, "", " ", "0", "-1", "00", "1e9", "0x", "NaN", "null"],
  ...[[], {}, [[]], [null], { length: 1 }, { toString: "x" }, { valueOf: 1 }, { then: true }, deep(2_000), deep(20)],
  ...[
    "\u0000",
    "\ud800",
    "😀".repeat(50),
    "é",
    "\u202e",
    "x".repeat(5_000),
    "9".repeat(400),
    "'; DROP TABLE channels; --",
  ],
  ...["${7*7}", "../../etc/passwd", "%00", "<script>alert(1)</script>", `0x${"0".repeat(40)}`, `0x${"f".repeat(64)}`],
  ...["18446744073709551615", "18446744073709551616", "9223372036854775808", `${2n ** 128n - 1n}`, `${2n ** 128n}`],
];

/** JSON text of a value with one to three of its places made wrong. */
export function spoil(value: unknown, random: Random): string {
  let spoilt = value;
  for (let i = 1 + random.below(3); i > 0; i--) spoilt = spoilSomewhere(spoilt, random);
  return spoilText(JSON.stringify(spoilt), random);
}

/** One text for another: of a path or a query. */
export function spoilWord(random: Random): string {
  const strange = random.pick(STRANGE);
  return typeof strange === "string" ? strange : JSON.stringify(strange);
}

function spoilSomewhere(value: unknown, random: Random): unknown {
  if (typeof value !== "object" || value === null || random.chance(0.15)) return random.pick(STRANGE);
  if (Array.isArray(value)) return spoilList(value, random);
  const entries = Object.entries(value);
  if (entries.length === 0 || random.chance(0.2)) return withKey(entries, random);
  const at = random.below(entries.length);
  if (random.chance(0.2)) return Object.fromEntries(entries.filter((_, i) => i !== at));
  return Object.fromEntries(entries.map(([key, each], i) => [key, i === at ? spoilSomewhere(each, random) : each]));
}

function spoilList(list: readonly unknown[], random: Random): unknown {
  if (list.length === 0 || random.chance(0.2)) return [...list, random.pick(STRANGE)];
  if (random.chance(0.1)) return Array.from({ length: 600 }, () => list[0]);
  const at = random.below(list.length);
  return list.map((each, i) => (i === at ? spoilSomewhere(each, random) : each));
}

function withKey(entries: readonly (readonly [string, unknown])[], random: Random): object {
  const key = random.pick([
    "__proto__",
    "constructor",
    "prototype",
    "hasOwnProperty",
    "",
    "id",
    "x".repeat(300),
    "\u0000",
  ]);
  return Object.fromEntries([...entries, [key, random.pick(STRANGE)]]);
}

/** Now and then the text itself is no JSON. */
function spoilText(text: string, random: Random): string {
  if (random.chance(0.9)) return text;
  const at = random.below(text.length + 1);
  return random.pick([
    () => text.slice(0, at),
    () => `${text.slice(0, at)}\u0000${text.slice(at)}`,
    () => `${text}${text}`,
    () => text.replaceAll('"', "'"),
    () => text.replace("{", '{"\\u005f_proto__":{"isAdmin":true},'),
    () => "",
    () => "NaN",
    () => "[".repeat(100_000),
  ])();
}
