// Keeps the import table of the architecture true: imports point one way. Run by `npm run lint`.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { preProcessFile } from "typescript";
import packageJson from "../package.json";

interface Rule {
  /** Folders of this repository it may import from. */
  readonly folders: readonly string[] | "all but web" | "all";
  /** Packages it may import; absent: any but those in `never`. */
  readonly only?: readonly string[];
  readonly never?: readonly string[];
}

const HARDHAT = ["hardhat", "@nomicfoundation"];
const NODE = ["node:"];
const OPENZEPPELIN = ["@openzeppelin/contracts"];
const TYPECHAIN = "typechain-types";
const CRYPTO = ["@noble/curves", "@noble/hashes", "@bitauth/libauth", "hash-wasm", "secp256k1"];

/** The longest folder name that fits a file decides. */
const RULES: Readonly<Record<string, Rule>> = {
  contracts: { folders: ["contracts"], only: OPENZEPPELIN },
  "contracts/local": { folders: ["contracts", "contracts/local"], only: OPENZEPPELIN },
  "contracts/test": { folders: ["contracts", "contracts/local", "contracts/test"], only: OPENZEPPELIN },
  protocol: { folders: ["protocol", TYPECHAIN], only: [...CRYPTO, "typebox"] },
  "protocol/chain": { folders: ["protocol", "protocol/chain", TYPECHAIN], only: ["ethers"] },
  client: { folders: ["client", "protocol", "protocol/chain", TYPECHAIN], never: [...HARDHAT, ...NODE] },
  "client/node": { folders: ["client", "client/node", "protocol"], never: HARDHAT },
  hub: { folders: ["hub", "protocol", "protocol/chain", "watchtower", TYPECHAIN], never: HARDHAT },
  watchtower: { folders: ["watchtower", "protocol", "protocol/chain", TYPECHAIN], never: HARDHAT },
  web: { folders: ["web", "client", "protocol"], never: [...HARDHAT, ...NODE] },
  deployments: { folders: ["deployments", "protocol", TYPECHAIN] },
  tasks: { folders: "all but web" },
  scripts: { folders: "all but web" },
  test: { folders: "all" },
};

/** One sentence, with file and line, for each import of `source` that the table forbids. `file` is relative to the root. */
export function findViolations(file: string, source: string): string[] {
  const folder = folderOf(file);
  const rule = RULES[folder];
  if (rule === undefined) return [];
  return importsOf(file, source).flatMap(({ specifier, line }) =>
    targetsOf(file, specifier).flatMap((target) => {
      const why = reasonAgainst(folder, rule, target);
      return why === undefined ? [] : [`${file}:${line} imports "${specifier}": ${why}`];
    }),
  );
}

function reasonAgainst(
  folder: string,
  rule: Rule,
  target: { folder: string } | { package: string },
): string | undefined {
  if ("folder" in target) {
    if (mayEnter(folder, rule, target.folder)) return undefined;
    return `${folder}/ may not import from ${target.folder === "" ? "the root" : `${target.folder}/`}`;
  }
  const isListed = (names: readonly string[]): boolean => names.some((name) => isPartOf(target.package, name));
  if (rule.only !== undefined && !isListed(rule.only)) return `${folder}/ may import only ${rule.only.join(", ")}`;
  if (rule.never !== undefined && isListed(rule.never)) return `${folder}/ must not need ${rule.never.join(", ")}`;
  return undefined;
}

function mayEnter(folder: string, rule: Rule, target: string): boolean {
  if (rule.folders === "all") return true;
  if (rule.folders === "all but web") return target !== "web";
  return target === folder || rule.folders.includes(target);
}

/** What an import leads to; a subpath import of package.json (`#curve`) leads to each of its targets. */
function targetsOf(file: string, specifier: string): ({ folder: string } | { package: string })[] {
  if (specifier.startsWith("#")) return subpathTargets(specifier).flatMap((path) => targetsOf("package.json", path));
  if (specifier.startsWith(".")) return [{ folder: folderOf(posix.join(posix.dirname(file), specifier)) }];
  return [{ package: isBuiltin(specifier) && !specifier.startsWith("node:") ? `node:${specifier}` : specifier }];
}

function subpathTargets(specifier: string): string[] {
  const imports = (packageJson as { imports?: Record<string, string | Record<string, string>> }).imports ?? {};
  const target = imports[specifier] ?? {};
  return typeof target === "string" ? [target] : Object.values(target);
}

function importsOf(file: string, source: string): { specifier: string; line: number }[] {
  const found = file.endsWith(".sol") ? solidityImports(source) : preProcessFile(source, true, true).importedFiles;
  return found.map(({ fileName, pos }) => ({ specifier: fileName, line: source.slice(0, pos).split("\n").length }));
}

function solidityImports(source: string): { fileName: string; pos: number }[] {
  const imports = [...source.matchAll(/^import\s[^;]*?"([^"]+)"/gm)];
  return imports.map((match) => ({ fileName: match[1] ?? "", pos: match.index + match[0].length }));
}

function folderOf(path: string): string {
  const known = [...Object.keys(RULES), TYPECHAIN].filter((folder) => isPartOf(path, folder));
  const longest = known.sort((a, b) => b.length - a.length)[0];
  return longest ?? path.split("/").slice(0, -1)[0] ?? "";
}

function isPartOf(path: string, parent: string): boolean {
  return path === parent || path.startsWith(parent.endsWith(":") ? parent : `${parent}/`);
}

function sourceFiles(): string[] {
  const folders = Object.keys(RULES).filter((folder) => !folder.includes("/") && existsSync(folder));
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path.replaceAll("\\", "/")}`),
  );
  return files.filter((path) => /\.([cm]?[jt]sx?|sol)$/.test(path));
}

function main(): void {
  const files = sourceFiles();
  const violations = files.flatMap((file) => findViolations(file, readFileSync(file, "utf8")));
  for (const violation of violations) console.error(violation);
  console.log(`imports: ${files.length} files, ${violations.length} against the table in scripts/check-imports.ts`);
  if (violations.length > 0) process.exitCode = 1;
}

if (require.main === module) main();
