import { expect } from "chai";
import { userConfig } from "hardhat";
import type { SolcUserConfig } from "hardhat/types";
import { readFileSync } from "node:fs";

describe("foundry.toml", () => {
  const toml = readFileSync("foundry.toml", "utf8");
  const valueOf = (key: string): unknown => JSON.parse(new RegExp(`^${key} = (\\S+)`, "m").exec(toml)?.[1] ?? "null");

  it("compiles with Hardhat's settings, so that the fuzzer meets the bytecode that is deployed", () => {
    const compiler = userConfig.solidity as SolcUserConfig; // as written: coverage changes what is resolved
    expect(compiler.settings).to.deep.include({
      evmVersion: valueOf("evm_version"),
      optimizer: { enabled: valueOf("optimizer"), runs: valueOf("optimizer_runs") },
      viaIR: valueOf("via_ir"),
    });
  });
});
