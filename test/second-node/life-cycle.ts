import { expect } from "chai";
import { ethers } from "hardhat";
import { HDNodeWallet, JsonRpcProvider } from "ethers";
import { deploy } from "../../tasks/deploy/deploy";
import { loadAddressBook } from "../../tasks/address-book/address-book-file";
import { type Anvil, startAnvil } from "../support/anvil";
import { deployDeps, deployRequest } from "../support/deployment";
import { hardhat } from "../support/hardhat-cli";
import { liveOnce, type Stage } from "./life-cycle-of-a-channel";

const MNEMONIC = "test test test test test test test test test test test junk";
const CHAIN_ID = 4;

describe("one life of a channel on a second node", function () {
  this.timeout(300_000);
  let anvil: Anvil;
  let records: Awaited<ReturnType<typeof deployDeps>>;
  let provider: JsonRpcProvider;
  before(async () => {
    anvil = await startAnvil(CHAIN_ID);
    records = await deployDeps();
    provider = new JsonRpcProvider(anvil.url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1, batchMaxCount: 1 });
    provider.pollingInterval = 50;
  });
  after(async () => {
    provider.destroy();
    records.forget();
    await anvil.stop();
  });

  it("pays the same and costs the same gas, to the unit, as on the in-process chain", async () => {
    const there = await liveOnce(await stageOnAnvil());
    const here = await liveOnce(await stageInProcess());
    expect(Object.keys(there)).to.have.length(11);
    expect(there).to.deep.equal(here);
  });

  /** Deployed by the command line. */
  async function stageOnAnvil(): Promise<Stage> {
    const args = ["deploy", "--network", "custom", "--directory", records.directory];
    const { exitCode, stderr } = await hardhat(args, { RPC_URL: anvil.url });
    expect(exitCode, stderr).to.equal(0);
    const book = loadAddressBook(`${records.directory}/local/chain-${CHAIN_ID}.json`)!;
    const person = (index: number): HDNodeWallet =>
      HDNodeWallet.fromPhrase(MNEMONIC, undefined, `m/44'/60'/0'/0/${index}`).connect(provider);
    return {
      provider,
      manager: book.contracts.ChannelManager!.address,
      refusing: book.contracts.LocalToken!.address,
      hub: person(1),
      treasury: person(2),
      alice: person(3),
      carol: person(5),
    };
  }

  async function stageInProcess(): Promise<Stage> {
    const { book } = await deploy(records, deployRequest());
    const [, hub, treasury, alice, , carol] = await ethers.getSigners();
    return {
      provider: ethers.provider,
      manager: book!.contracts.ChannelManager!.address,
      refusing: book!.contracts.LocalToken!.address,
      hub: hub!,
      treasury: treasury!,
      alice: alice!,
      carol: carol!,
    };
  }
});
