import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { JsonRpcProvider } from "ethers";
import type { AddressBook } from "../../tasks/address-book/address-book";
import { CONTRACT_NAMES } from "../../tasks/address-book/contracts";
import { developmentAccounts } from "../../tasks/development-accounts";
import { type Anvil, startAnvil } from "../support/anvil";
import { hardhat, type CliResult } from "../support/hardhat-cli";

/** Rinkeby's chain id, which private chains still use. */
const CHAIN_ID = 4;

const [DEPLOYER = ""] = developmentAccounts();

async function nonceOf(url: string): Promise<number> {
  const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1 });
  try {
    return await provider.getTransactionCount(DEPLOYER);
  } finally {
    provider.destroy();
  }
}

describe("npx hardhat deploy on a second node", function () {
  this.timeout(300_000);
  let anvil: Anvil;
  let directory: string;
  before(async () => {
    anvil = await startAnvil(CHAIN_ID);
    directory = mkdtempSync(join(tmpdir(), "second-node-"));
  });
  after(async () => {
    await anvil.stop();
    rmSync(directory, { recursive: true });
  });

  const run = (task: string[], ...more: string[]): Promise<CliResult> =>
    hardhat([...task, "--network", "custom", "--directory", directory, ...more], { RPC_URL: anvil.url });
  const deploy = (...more: string[]): Promise<CliResult> => run(["deploy"], ...more);
  const file = (): string => join(directory, "local", `chain-${CHAIN_ID}.json`);
  const book = (): AddressBook => JSON.parse(readFileSync(file(), "utf8")) as AddressBook;

  /** Steps of one story: each stands on the one before. */
  it("prints the cost in a dry run, as one JSON document, and sends nothing", async () => {
    const { exitCode, stdout } = await deploy("--dry-run", "--json");
    expect(exitCode).to.equal(0);
    const { cost, deployed, isDryRun } = JSON.parse(stdout) as { cost: object; deployed: string[]; isDryRun: boolean };
    expect({ deployed, isDryRun }).to.deep.equal({ deployed: [...CONTRACT_NAMES], isDryRun: true });
    expect(cost).to.have.all.keys("deployer", "gas", "feePerGasWei", "totalWei", "balanceWei");
    expect(existsSync(file())).to.equal(false);
    expect(await nonceOf(anvil.url)).to.equal(0);
  });

  it("deploys everything, with the result on stdout and progress on stderr", async () => {
    const { exitCode, stdout, stderr } = await deploy();
    expect(exitCode, stderr).to.equal(0);
    for (const name of CONTRACT_NAMES) expect(stdout).to.match(new RegExp(`${name} +0x[0-9a-fA-F]{40} +deployed`));
    expect(stdout).to.contain("LocalToken").and.contain("for local networks only");
    expect(stdout.trim().split("\n").at(-1)).to.match(/^Next: npx hardhat reserve fund/);
    expect(stderr).to.contain("ChannelManager: sent 0x").and.contain("ChannelManager: confirmed");
    expect(await nonceOf(anvil.url)).to.equal(CONTRACT_NAMES.length);
  });

  it("says the second time that all is already deployed", async () => {
    const { exitCode, stdout } = await deploy();
    expect(exitCode).to.equal(0);
    const { address } = book().contracts.ChannelManager!;
    expect(stdout).to.match(new RegExp(`ChannelManager +${address} +already deployed`));
    expect(await nonceOf(anvil.url)).to.equal(CONTRACT_NAMES.length);
  });

  it("deploys again what was deleted from the address book", async () => {
    const before = book();
    writeFileSync(file(), JSON.stringify({ ...before, contracts: { ...before.contracts, SignedApp: undefined } }));
    const { exitCode, stdout } = await deploy("--json");
    expect(exitCode).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.include({ deployed: ["SignedApp"] });
    expect(book().contracts.ChannelManager).to.deep.equal(before.contracts.ChannelManager);
    expect(book().contracts.SignedApp!.address).not.to.equal(before.contracts.SignedApp!.address);
  });

  it("replaces the contract it is told to", async () => {
    const before = book().contracts.ChannelManager!.address;
    const { exitCode, stdout } = await deploy("--redeploy", "ChannelManager");
    expect(exitCode).to.equal(0);
    expect(book().contracts.ChannelManager!.address).not.to.equal(before);
    expect(stdout).to.contain(`The ChannelManager at ${before} was replaced`);
  });

  it("funds, shows and recalls the reserve", async () => {
    expect((await run(["reserve", "fund"], "--amount", "3.14eth")).exitCode).to.equal(0);
    expect((await run(["reserve", "recall"], "--amount", "1eth")).exitCode).to.equal(0);
    const { stdout } = await run(["reserve", "status"], "--json");
    const { assets } = JSON.parse(stdout) as { assets: { symbol: string; reserve: string }[] };
    expect(assets.map(({ symbol, reserve }) => [symbol, reserve])).to.deep.equal([
      ["ETH", "2140000000000000000"],
      ["LUSD", "0"],
    ]);
  });

  it("deploys to a restarted chain without being told to forget the old one", async () => {
    const before = book();
    await anvil.stop();
    anvil = await startAnvil(CHAIN_ID);
    const missing = await run(["reserve", "status"]);
    expect(missing.exitCode).to.equal(1);
    expect(missing.stderr).to.contain("NotDeployed").and.contain("npx hardhat deploy --network custom");
    const { exitCode, stderr } = await deploy();
    expect(exitCode, stderr).to.equal(0);
    expect(book().genesisHash).not.to.equal(before.genesisHash);
    expect(await nonceOf(anvil.url)).to.equal(CONTRACT_NAMES.length);
  });
});
