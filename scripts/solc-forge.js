#!/usr/bin/env node
// Lets forge use the solc of package.json: forge calls it with --version, and with --standard-json and a JSON on stdin.
"use strict";
const { readFileSync } = require("node:fs");
const solc = require("solc");

const args = process.argv.slice(2);

if (args.includes("--version")) {
  // forge accepts the banner of the native compiler only
  console.log("solc, the solidity compiler commandline interface");
  console.log(`Version: ${solc.version().replace("Emscripten.clang", "Linux.g++")}`);
} else if (args.includes("--standard-json")) {
  process.stdout.write(solc.compile(readFileSync(0, "utf8")));
} else {
  console.error("solc-forge: expected --version or --standard-json");
  process.exitCode = 1;
}
