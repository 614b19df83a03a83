import "@nomicfoundation/hardhat-toolbox";
import { type HardhatUserConfig, vars } from "hardhat/config";
import "./tasks";
import "./tasks/compiler";
import "./tasks/test-files";

/**
 * Measured on ChannelManager: without via-IR 23,900 bytes at 200 runs, over the budget of 22,000 and about 10 % more gas;
 * with it 18,100 bytes. 2,000 runs instead of 200 cost 2,000 bytes and save 1 % of a settlement; more gain nothing.
 * The contracts also compile without it, which is what solidity-coverage does.
 */
const VIA_IR = true;

/** The well-known development mnemonic of Hardhat and anvil. Everyone has its keys: never send real money there. */
const DEV_MNEMONIC = "test test test test test test test test test test test junk";

// On a terminal Hardhat asks for consent to telemetry and fetches its banner and version notes, unless it believes to
// run on a CI server; this variable is the one such sign that nothing else looks at.
process.env.NOW ??= "no telemetry";

// Secrets are Hardhat configuration variables (`npx hardhat vars set NAME`, or HARDHAT_VAR_NAME in the environment).
// A missing one is empty here, so that every task loads; the deploy task names what is missing before it sends anything.
const deployerKey = vars.get("DEPLOYER_PRIVATE_KEY", "");
const deployerAccounts = deployerKey === "" ? [] : [deployerKey];

const config: HardhatUserConfig = {
  solidity: {
    version: "0.8.37",
    settings: { evmVersion: "cancun", optimizer: { enabled: true, runs: 2_000 }, viaIR: VIA_IR },
  },
  // Ignition keeps its journals in <ignition>/deployments/chain-<id>: the root puts them into deployments/.
  paths: { sources: "contracts", tests: "test", ignition: "." },
  networks: {
    hardhat: {
      allowUnlimitedContractSize: false,
      accounts: { mnemonic: DEV_MNEMONIC },
      // `npm start` makes an earlier chain again, whose blocks must not be older than its first one.
      ...(process.env.LOCAL_CHAIN_START === undefined ? {} : { initialDate: process.env.LOCAL_CHAIN_START }),
    },
    localhost: { url: "http://127.0.0.1:8545" },
    sepolia: { chainId: 11155111, url: vars.get("SEPOLIA_RPC_URL", ""), accounts: deployerAccounts },
    mainnet: { chainId: 1, url: vars.get("MAINNET_RPC_URL", ""), accounts: deployerAccounts },
    // Retired in 2023; kept for private chains with this id.
    rinkeby: { chainId: 4, url: vars.get("RINKEBY_RPC_URL", ""), accounts: deployerAccounts },
    // Any chain: RPC_URL=https://… npx hardhat … --network custom. Without a key the node signs with its own accounts.
    custom: { url: process.env.RPC_URL ?? "", accounts: deployerKey === "" ? "remote" : deployerAccounts },
  },
  typechain: { target: "ethers-v6", outDir: "typechain-types" },
  etherscan: { apiKey: vars.get("ETHERSCAN_API_KEY", "") },
  sourcify: { enabled: false },
  mocha: { reporter: "spec", timeout: 60_000 },
};

export default config;
