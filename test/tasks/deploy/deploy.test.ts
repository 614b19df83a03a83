import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BuildInfo } from "hardhat/types";
import { expect } from "chai";
import { ethers } from "hardhat";
import { setBalance, takeSnapshot, type SnapshotRestorer } from "@nomicfoundation/hardhat-network-helpers";
import { readAddressBook, requireEntry } from "../../../tasks/address-book/read-address-book";
import { recordsOf } from "../../../tasks/address-book/address-book-file";
import type { AddressBook } from "../../../tasks/address-book/address-book";
import { CONTRACT_NAMES, EVERYWHERE } from "../../../tasks/address-book/contracts";
import { feeOf } from "../../../tasks/chain/spending";
import { deploy, type DeployDeps } from "../../../tasks/deploy/deploy";
import { parseContractNames } from "../../../tasks/deploy/plan";
import { deployDeps, deployRequest, inProcessChain, LIVE, scriptedTerminal } from "../../support/deployment";
import { expectCoded } from "../../support/expect-coded";

const HUB = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";
const TREASURY = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB";
const given = { hub: HUB, treasury: TREASURY };
const OTHER_HASH = `0x${"ab".repeat(32)}`;

type Deps = Awaited<ReturnType<typeof deployDeps>>;

const sent = ({ ignition }: Deps): Promise<number> => ethers.provider.getTransactionCount(ignition.deployer);

/** Expects a failure with this code before anything was sent. */
async function refused(deps: Deps, request: Parameters<typeof deployRequest>[0], code: string): Promise<Error> {
  const before = await sent(deps);
  const error = await expectCoded(deploy(deps, deployRequest(request)), code);
  expect(await sent(deps), "transactions sent").to.equal(before);
  return error;
}

/** JSON has no undefined: in the file the entry is gone. */
const without = (book: AddressBook, name: keyof AddressBook["contracts"]): AddressBook => ({
  ...book,
  contracts: { ...book.contracts, [name]: undefined },
});

const withEntry = (book: AddressBook, entry: object): AddressBook => ({
  ...book,
  contracts: { ...book.contracts, ChannelManager: { ...book.contracts.ChannelManager!, ...entry } },
});

describe("deploy", () => {
  let snapshot: SnapshotRestorer;
  let deps: Deps;
  const useLive = async (terminal = scriptedTerminal()): Promise<void> => {
    deps.forget();
    deps = await deployDeps({ chain: await inProcessChain(LIVE), terminal });
  };
  beforeEach(async () => {
    snapshot = await takeSnapshot();
    deps = await deployDeps();
  });
  afterEach(async () => {
    deps.forget();
    await snapshot.restore();
  });

  describe("on a live chain", () => {
    beforeEach(() => useLive());

    it("asks for hub and treasury", () => refused(deps, {}, "ParametersMissing"));

    it("refuses a development account as the hub", () =>
      refused(deps, { given: { ...given, hub: deps.ignition.accounts[1]! } }, "DevelopmentAccount"));

    it("refuses a short challenge period", () =>
      refused(deps, { given: { ...given, challengePeriodSeconds: 3600 } }, "ChallengePeriodTooShort"));

    it("refuses to redeploy what is for local chains", () =>
      expectCoded(() => parseContractNames(deps.chain, "LocalToken"), "LocalContractOnly"));

    it("sends nothing when nobody can be asked", () => refused(deps, { given }, "ConfirmationNeeded"));

    it("sends nothing when the answer is no", async () => {
      const terminal = scriptedTerminal(false);
      await useLive(terminal);
      await refused(deps, { given }, "Declined");
      expect(terminal.said.at(-1)).to.match(/^Spend up to 0\.\d+ ETH of 0x.+ on sepolia \(chain 31337\)\?$/);
    });

    it("names an account that cannot pay, what it has and what it needs", async () => {
      await setBalance(deps.ignition.deployer, 10n ** 12n);
      const error = await refused(deps, { given, agreed: true }, "Underfunded");
      expect(error.message).to.contain(deps.ignition.deployer).and.contain("0.000001 ETH").and.contain("send ether");
    });

    it("deploys the manager and its apps only, with what was given", async () => {
      await useLive(scriptedTerminal(true));
      const result = await deploy(deps, deployRequest({ given }));
      expect(result.deployed).to.deep.equal(EVERYWHERE);
      expect(Object.keys(deps.book().contracts)).to.have.members([...EVERYWHERE]);
      const manager = await ethers.getContractAt("ChannelManager", deps.book().contracts.ChannelManager!.address);
      expect([await manager.hub(), await manager.treasury()]).to.deep.equal([HUB, TREASURY]);
      expect(await manager.challengePeriodSeconds()).to.equal(86_400n);
    });

    it("records the exact input of the compiler, and not its output", async () => {
      await deploy(deps, deployRequest({ given, agreed: true }));
      const folder = join(recordsOf(deps.chain, deps.directory).journal, "build-info");
      const files = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
      const sources = files.flatMap((text) => Object.keys((JSON.parse(text) as BuildInfo).input.sources));
      expect(sources).to.include("contracts/ChannelManager.sol");
      expect(Math.max(...files.map((text) => text.length))).to.be.below(2_000_000);
    });

    it("keeps its record apart from those of local chains", () => {
      expect(recordsOf(deps.chain, "deployments").file).to.equal("deployments/chain-31337.json");
      expect(recordsOf({ ...deps.chain, isLocal: true }, "deployments").file).to.equal(
        "deployments/local/chain-31337.json",
      );
    });

    it("does not replace by itself a contract that the chain does not have", async () => {
      await deploy(deps, deployRequest({ given, agreed: true }));
      deps.save(withEntry(deps.book(), { address: HUB }));
      const error = await refused(deps, { given, agreed: true }, "ContractMissing");
      expect(error.message).to.contain(HUB).and.contain("--redeploy ChannelManager");
    });

    it("does not use the book of another chain with the same id", async () => {
      await deploy(deps, deployRequest({ given, agreed: true }));
      deps.save({ ...deps.book(), genesisHash: OTHER_HASH });
      await refused(deps, { given, agreed: true }, "AddressBookOfAnotherChain");
    });
  });

  describe("with a record", () => {
    beforeEach(() => deploy(deps, deployRequest()));

    it("refuses a contract whose code is not the recorded one", async () => {
      deps.save(withEntry(deps.book(), { codeHash: OTHER_HASH }));
      const error = await refused(deps, {}, "ContractDiffers");
      expect(error.message).to.contain(OTHER_HASH).and.contain("--redeploy ChannelManager");
      await expectCoded(readAddressBook(deps.chain, deps.directory), "ContractDiffers");
    });

    it("refuses a record for another chain id", async () => {
      deps.save({ ...deps.book(), chainId: 1 });
      await refused(deps, {}, "AddressBookOfAnotherChain");
    });

    it("refuses a record that is not one, and says where", async () => {
      deps.save(withEntry(deps.book(), { address: "0x12", extra: 1 }));
      const error = await refused(deps, {}, "AddressBookMalformed");
      expect(error.message).to.contain("/contracts/ChannelManager/address").and.contain("extra");
    });

    it("refuses other parameters than the deployed ones", async () => {
      const error = await refused(deps, { given: { hub: HUB } }, "ParametersDiffer");
      expect(error.message).to.contain(HUB).and.contain("--redeploy ChannelManager");
    });

    it("does nothing the second time, and says so", async () => {
      const [before, book] = [await sent(deps), deps.book()];
      const result = await deploy(deps, deployRequest());
      expect(result).to.deep.include({ deployed: [], kept: CONTRACT_NAMES, outdated: [] });
      expect(await sent(deps)).to.equal(before);
      expect(deps.book()).to.deep.equal(book);
    });

    it("deploys again what was deleted from the record, and nothing else", async () => {
      const book = deps.book();
      deps.save(without(book, "SignedApp"));
      const before = await sent(deps);
      expect((await deploy(deps, deployRequest())).deployed).to.deep.equal(["SignedApp"]);
      expect(await sent(deps)).to.equal(before + 1);
      expect(deps.book().contracts.SignedApp!.address).not.to.equal(book.contracts.SignedApp!.address);
      expect(without(deps.book(), "SignedApp").contracts).to.deep.equal(without(book, "SignedApp").contracts);
    });

    it("replaces what it is told to, more than once, and remembers the old addresses", async () => {
      const addresses = [deps.book().contracts.ChannelManager!.address];
      for (const hub of [HUB, TREASURY]) {
        await deploy(deps, deployRequest({ redeploy: ["ChannelManager"], given: { hub } }));
        addresses.push(deps.book().contracts.ChannelManager!.address);
        const manager = await ethers.getContractAt("ChannelManager", addresses.at(-1)!);
        expect(await manager.hub()).to.equal(hub);
      }
      expect(new Set(addresses).size).to.equal(3);
      const { replaced } = deps.book();
      expect(replaced.map(({ name, address }) => [name, address])).to.deep.equal([
        ["ChannelManager", addresses[0]],
        ["ChannelManager", addresses[1]],
      ]);
    });

    it("takes up a run that was cut short before it was recorded, and sends nothing again", async () => {
      const book = deps.book();
      deps.save({ ...without(book, "ChannelManager"), pending: ["ChannelManager"] });
      const before = await sent(deps);
      await deploy(deps, deployRequest());
      expect(await sent(deps)).to.equal(before);
      expect(deps.book()).to.deep.equal({ ...book, contracts: deps.book().contracts });
      expect(deps.book().contracts.ChannelManager).to.deep.equal(book.contracts.ChannelManager);
    });

    it("does not take up a run with other parameters than it began with", async () => {
      deps.save({ ...without(deps.book(), "ChannelManager"), pending: ["ChannelManager"] });
      const error = await refused(deps, { given: { hub: HUB } }, "DeploymentFailed");
      expect(error.message).to.contain("ChannelManager").and.contain("--redeploy");
    });

    it("says which contracts come from other sources than those at hand", async () => {
      deps.save(withEntry(deps.book(), { creationCodeHash: OTHER_HASH }));
      expect((await deploy(deps, deployRequest())).outdated).to.deep.equal(["ChannelManager"]);
    });

    it("forgets the record of a local chain that was restarted", async () => {
      const moved = { ...withEntry(deps.book(), { address: HUB }), genesisHash: OTHER_HASH };
      deps.save(moved);
      expect(Object.keys((await readAddressBook(deps.chain, deps.directory)).contracts)).to.deep.equal([]);
      expect((await deploy(deps, deployRequest())).deployed).to.deep.equal(CONTRACT_NAMES);
      expect(deps.book()).to.deep.include({ genesisHash: deps.chain.genesisHash, replaced: [] });
    });

    it("keeps the record of a local chain that was restarted with its state", async () => {
      deps.save({ ...deps.book(), genesisHash: OTHER_HASH });
      expect((await deploy(deps, deployRequest())).kept).to.deep.equal(CONTRACT_NAMES);
    });
  });

  it("takes up a run that failed in the middle, and sends only what is missing", async () => {
    const before = await sent(deps);
    const error = await expectCoded(deploy(failingAfter(deps, 2), deployRequest()), "DeploymentFailed");
    expect(error.message).to.contain("the node went away").and.contain("run it again to resume");
    expect(await sent(deps)).to.equal(before + 2);
    await expectCoded(() => requireEntry(deps.book(), "ChannelManager", deps.chain, deps.directory), "NotDeployed");
    expect((await deploy(deps, deployRequest())).deployed).to.deep.equal(CONTRACT_NAMES);
    expect(await sent(deps)).to.equal(before + CONTRACT_NAMES.length);
    expect((await readAddressBook(deps.chain, deps.directory)).contracts).to.have.all.keys(CONTRACT_NAMES);
  });

  it("deploys again on a local chain that was set back", async () => {
    const earlier = await takeSnapshot();
    await deploy(deps, deployRequest());
    await earlier.restore();
    expect((await deploy(deps, deployRequest())).deployed).to.deep.equal(CONTRACT_NAMES);
    expect((await readAddressBook(deps.chain, deps.directory)).contracts).to.have.all.keys(CONTRACT_NAMES);
  });

  it("records what is on the chain: address, code, transaction and block", async () => {
    const { book } = await deploy(deps, deployRequest());
    expect(await readAddressBook(deps.chain, deps.directory)).to.deep.equal(book);
    for (const entry of Object.values(book!.contracts)) {
      expect(entry.codeHash).to.equal(ethers.keccak256(await ethers.provider.getCode(entry.address)));
      const receipt = await ethers.provider.getTransactionReceipt(entry.transactionHash);
      expect(receipt).to.include({ contractAddress: entry.address, blockNumber: entry.blockNumber });
    }
  });

  it("prints the cost of a dry run, within 2 % of the real one, and sends nothing", async () => {
    const before = await sent(deps);
    const { spending } = await deploy(deps, deployRequest({ isDryRun: true }));
    expect(await sent(deps)).to.equal(before);
    const { book } = await deploy(deps, deployRequest());
    const receipts = await Promise.all(
      Object.values(book!.contracts).map((each) => ethers.provider.getTransactionReceipt(each.transactionHash)),
    );
    const used = receipts.reduce((sum, receipt) => sum + receipt!.gasUsed, 0n);
    expect(spending!.gas).to.be.within(used, (used * 102n) / 100n);
    expect(feeOf(spending!)).to.equal(spending!.gas * spending!.feePerGasWei);
  });

  it("knows no other contracts", async () => {
    const { details } = await expectCoded(
      () => parseContractNames(deps.chain, "ChannelManager,Nope"),
      "UnknownContract",
    );
    expect(details).to.deep.include({ name: "Nope", known: CONTRACT_NAMES });
    expect(parseContractNames(deps.chain, "SignedApp, LocalToken")).to.deep.equal(["SignedApp", "LocalToken"]);
    expect(parseContractNames(deps.chain, undefined)).to.deep.equal([]);
  });
});

/** The same node, which goes away after some transactions. */
function failingAfter(deps: Deps, transactions: number): DeployDeps {
  const { provider } = deps.ignition;
  let left = transactions;
  const request: typeof provider.request = (args) => {
    if (args.method === "eth_sendTransaction" && left-- === 0) return Promise.reject(new Error("the node went away"));
    return provider.request(args);
  };
  return { ...deps, ignition: { ...deps.ignition, provider: { request } } };
}
