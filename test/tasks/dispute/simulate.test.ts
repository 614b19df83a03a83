import { expect } from "chai";
import hre, { ethers } from "hardhat";
import { parseAddress, type Evidence } from "../../../protocol";
import type { Chain } from "../../../tasks/chain/identify-chain";
import { readDeps, type DisputeDeps } from "../../../tasks/dispute/deps";
import { openSandbox, type Sandbox } from "../../../tasks/dispute/sandbox";
import { simulateEvidence } from "../../../tasks/dispute/simulate";
import { inProcessChain, scriptedTerminal } from "../../support/deployment";
import { hubWorld, type HubWorld } from "../../support/hub";

const ETHER = 10n ** 18n;

describe("dispute simulate, of a channel that has withdrawn", () => {
  let world: HubWorld;
  let evidence: Evidence;

  before(async () => {
    world = await hubWorld();
    const client = await world.client(3);
    await client.deposit({ amountWei: (3n * ETHER).toString() });
    await client.withdraw({ amountWei: ETHER });
    evidence = client.exportEvidence();
    await client.stop();
    await world.stopHub();
  });
  after(() => world.close());

  const deps = (chain: Chain): Promise<DisputeDeps> =>
    readDeps({
      ...{ chain, provider: ethers.provider, terminal: scriptedTerminal(), apps: {}, fromBlock: 0, accounts: [] },
      channelManager: parseAddress(world.address),
      signerOf: (account) => ethers.getSigner(account),
    });

  const expectPlay = async (chain: Chain, sandbox: Sandbox): Promise<void> => {
    const before = await ethers.provider.getBlockNumber();
    try {
      const { json, text } = await simulateEvidence(await deps(chain), sandbox, evidence);
      expect((json as { totals: { user: bigint }[] }).totals[0]?.user).to.equal(2n * ETHER);
      expect(text).to.contain("of the evidence");
    } finally {
      await sandbox.close();
    }
    expect(await ethers.provider.getBlockNumber()).to.equal(before);
  };

  it("starts with the evidence's state, since an older one would be refused", async () => {
    const chain = await inProcessChain();
    await expectPlay(chain, await openSandbox(hre, chain));
  });

  it("plays on a fork of a node's chain, whose rules Hardhat does not know", async () => {
    const chain = await inProcessChain({ isInProcess: false, network: "localhost" });
    const { localhost } = hre.config.networks;
    const network = { ...hre.network, name: "localhost", config: { ...localhost, url: world.ethUrl } };
    await expectPlay(chain, await openSandbox({ ...hre, network }, chain));
  });
});
