import { expect } from "chai";
import { findViolations } from "../../scripts/check-imports";

describe("scripts/check-imports", () => {
  const forbidden: readonly [title: string, file: string, source: string][] = [
    ["a hub in the protocol", "protocol/a.ts", `import { x } from "../hub/x";`],
    ["a client in the protocol, two folders deep", "protocol/wire/a.ts", `export * from "../../client/x";`],
    ["a task in the protocol", "protocol/a.ts", `export { x } from "../tasks/x";`],
    ["hardhat in the protocol", "protocol/a.ts", `import { ethers } from "hardhat";`],
    ["a node module in the protocol", "protocol/a.ts", `import fs from "node:fs";`],
    ["a node module without its prefix", "protocol/a.ts", `import fs from "fs/promises";`],
    ["a package outside the protocol's list", "protocol/a.ts", `import { ethers } from "ethers";`],
    ["a mere type", "protocol/a.ts", `import type { Hub } from "../hub/x";`],
    ["a dynamic import", "protocol/a.ts", `const hub = await import("../hub/x");`],
    ["a require", "protocol/a.ts", `const fs = require("node:fs");`],
    ["the root", "protocol/a.ts", `import config from "../hardhat.config";`],
    ["a hub in the client", "client/a.ts", `import { x } from "../hub/x";`],
    ["hardhat's family in the client", "client/a.ts", `import "@nomicfoundation/hardhat-ethers";`],
    ["a node module in the client", "client/a.ts", `import { once } from "node:events";`],
    ["a client in the hub", "hub/services/a.ts", `import { x } from "../../client/x";`],
    ["a client in the watchtower", "watchtower/a.ts", `import { x } from "../client/x";`],
    ["a hub in the watchtower", "watchtower/a.ts", `import { x } from "../hub/x";`],
    ["a hub in a page", "web/card/a.tsx", `import { x } from "../../hub/x";`],
    ["a page in a task", "tasks/a.ts", `import { x } from "../web/x";`],
    ["a test contract in a contract", "contracts/A.sol", `import { X } from "./test/X.sol";`],
    ["a local token in a contract", "contracts/apps/A.sol", `import "../local/X.sol";`],
    ["a foreign Solidity library", "contracts/A.sol", `import {X} from "@uniswap/v4-core/X.sol";`],
  ];
  for (const [title, file, source] of forbidden) {
    it(`refuses ${title}`, () => {
      expect(findViolations(file, source)).to.have.lengthOf(1);
    });
  }

  it("names the file, the line, the import and the reason", () => {
    const source = `import { a } from "./a";\n\nimport {\n  x,\n} from "../hub/x";\n`;
    expect(findViolations("protocol/b.ts", source)).to.deep.equal([
      `protocol/b.ts:5 imports "../hub/x": protocol/ may not import from hub/`,
    ]);
  });

  const allowed: readonly [title: string, file: string, source: string][] = [
    [
      "the protocol's own files",
      "protocol/a.ts",
      `import { x } from "./wire/x"; import { y } from "../typechain-types";`,
    ],
    ["a curve library in the protocol", "protocol/a.ts", `import { secp256k1 } from "@noble/curves/secp256k1.js";`],
    ["the protocol's subpath import", "protocol/a.ts", `import { curve } from "#curve";`],
    [
      "a forbidden name in a comment or a string",
      "protocol/a.ts",
      `// import "hardhat"\nconst a = 'import "hardhat"';`,
    ],
    ["the protocol in the client", "client/a.ts", `import { x } from "../protocol";`],
    ["a watchtower in the hub", "hub/a.ts", `import { x } from "../watchtower/x";`],
    ["node modules in the hub", "hub/a.ts", `import fs from "node:fs";`],
    [
      "everything but pages in a task",
      "tasks/a.ts",
      `import "hardhat/config"; import "../hub/x"; import "../client/x";`,
    ],
    ["pages in a test", "test/a.ts", `import { x } from "../web/x";`],
    ["OpenZeppelin in a contract", "contracts/A.sol", `import { X } from "@openzeppelin/contracts/X.sol";`],
    ["a contract in a test contract", "contracts/test/A.sol", `import { X } from "../X.sol";`],
    ["anything in a file of the root", "hardhat.config.ts", `import "./tasks/x"; import "node:fs";`],
  ];
  for (const [title, file, source] of allowed) {
    it(`accepts ${title}`, () => {
      expect(findViolations(file, source)).to.deep.equal([]);
    });
  }
});
