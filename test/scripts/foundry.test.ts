import { expect } from "chai";
import { userConfig } from "hardhat";
import type { SolcUserConfig } from "hardhat/types";
import { readFileSync } from "node:fs";

describe("foundry.toml", () => {
  const toml = readFileSync("foundry.toml", "utf8");
  const profile = /^additional_compiler_profiles = \[\{(.*)\}\]$/m.exec(toml)?.[1] ?? "";
  const valueOf = (key: string, text: string): unknown =>
    JSON.parse(new RegExp(`\\b${key} = ([^,\\s]+)`).exec(text)?.[1] ?? "null");

  it("compiles the contract with Hardhat's settings, so that the fuzzer meets the bytecode that is deployed", () => {
    const compiler = userConfig.solidity as SolcUserConfig; // as written: coverage changes what is resolved
    expect(compiler.settings).to.deep.include({
      evmVersion: valueOf("evm_version", toml),
      optimizer: { enabled: valueOf("optimizer", toml), runs: valueOf("optimizer_runs", profile) },
      viaIR: valueOf("via_ir", profile),
    });
  });
});
