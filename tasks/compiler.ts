import { TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD } from "hardhat/builtin-tasks/task-names";
import { subtask } from "hardhat/config";
import { HardhatPluginError } from "hardhat/plugins";
import type { SolcBuild } from "hardhat/types";
import solcJs from "solc";

const solc = solcJs as { version(): string }; // its own types say `any`

/** The compiler comes from the npm package `solc`, pinned in package.json; nothing is downloaded at compile time. */
subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, (args: { solcVersion: string }): Promise<SolcBuild> => {
  const longVersion = solc.version().replace(".Emscripten.clang", ""); // 0.8.37+commit.f401782d
  const [version = longVersion] = longVersion.split("+");
  if (version !== args.solcVersion) {
    throw new HardhatPluginError(
      "channel-toolkit",
      `hardhat.config.ts asks for solc ${args.solcVersion} but node_modules has ${version}. Run npm ci.`,
    );
  }
  return Promise.resolve({ compilerPath: require.resolve("solc/soljson.js"), isSolcJs: true, version, longVersion });
});
