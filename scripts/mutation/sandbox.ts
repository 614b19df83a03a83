import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ModuleKind, ScriptTarget, transpileModule } from "typescript";
import type { Contract } from "./solidity";
import { filesBelow } from "./sources";

/** What the tests of the contracts need; the runner never touches the working tree. */
const NEEDED = ["contracts", "protocol", "test/contracts", "test/protocol", "test/support", "test/vectors"];

const HARDHAT_CONFIG = `
require("@nomicfoundation/hardhat-ethers");
require("@nomicfoundation/hardhat-chai-matchers");
module.exports = {
  solidity: "0.8.37", // not used: the artifacts lie there already
  networks: { hardhat: { allowUnlimitedContractSize: true } }, // without the optimizer the contract is too large
  mocha: { timeout: 120_000 }, // a slow machine kills no mutants
};
`;

/** Copies what the tests need, TypeScript already turned into JavaScript: that saves a second of each run. */
export function createSandbox(root: string, directory: string): void {
  for (const folder of NEEDED) cpSync(join(root, folder), join(directory, folder), { recursive: true });
  for (const file of filesBelow(directory, ".", ".ts")) toJavaScript(join(directory, file));
  const packageJson = readFileSync(join(root, "package.json"), "utf8").replaceAll('.ts"', '.js"');
  writeFileSync(join(directory, "package.json"), packageJson);
  writeFileSync(join(directory, "hardhat.config.js"), HARDHAT_CONFIG);
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
}

function toJavaScript(file: string): void {
  const compilerOptions = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022, esModuleInterop: true };
  const { outputText } = transpileModule(readFileSync(file, "utf8"), { compilerOptions });
  writeFileSync(file.replace(/\.ts$/, ".js"), outputText);
  rmSync(file);
}

const CHANGED_BY_A_FAULT = ["artifacts", "contracts"];

/** Remembers the contracts as they are now. */
export function keep(directory: string): void {
  for (const folder of CHANGED_BY_A_FAULT) {
    cpSync(join(directory, folder), join(directory, "kept", folder), { recursive: true });
  }
}

/** Takes out whatever fault was planted. */
export function restore(directory: string): void {
  cpSync(join(directory, "kept"), directory, { recursive: true });
}

/** As Hardhat writes them, so that `hardhat test --no-compile` finds them. */
export function writeArtifacts(directory: string, contracts: readonly Contract[]): void {
  for (const { source, name, abi, bytecode, deployedBytecode } of contracts) {
    const file = join(directory, "artifacts", source, `${name}.json`);
    mkdirSync(dirname(file), { recursive: true });
    const names = { _format: "hh-sol-artifact-1", contractName: name, sourceName: source };
    const links = { linkReferences: {}, deployedLinkReferences: {} };
    writeFileSync(file, JSON.stringify({ ...names, abi, bytecode, deployedBytecode, ...links }));
  }
}
