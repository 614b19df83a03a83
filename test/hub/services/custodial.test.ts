import { expect } from "chai";
import { ethers } from "hardhat";
import { parseAddress, ZERO_ADDRESS, type Address } from "../../../protocol";
import { expectCoded } from "../../support/expect-coded";
import { until } from "../../support/hub";
import { hubScene, payAs, type HubScene, type HubUser } from "../../support/hub-scene";

describe("Custodial", () => {
  let scene: HubScene;
  let user: HubUser;
  before(async () => {
    scene = await hubScene();
  });
  after(() => scene.close());
  beforeEach(async () => {
    const payer = await scene.funded({ user: 100n });
    user = scene.user();
    await payer.buy("p", payAs("PT_CUSTODIAL", user, 60n));
  });

  const withdraw = (id: string, amount: bigint, to: string = "channel", asset: Address = ZERO_ADDRESS) =>
    user.ask("createCustodialWithdrawal", { body: { id, asset, amount: amount.toString(), to } });
  const list = async () => (await user.ask("listCustodialWithdrawals", { query: {} })).withdrawals;
  const ended = (id: string) =>
    until("its end", async () => (await list()).some((each) => each.id === id && each.status !== "pending"));

  it("moves a balance into the channel, in one step", async () => {
    await user.fund({ hub: 40n });
    expect(await withdraw("w", 40n)).to.include({ id: "w", status: "done", amount: "40" });
    expect(await user.custodial()).to.equal(20n);
    expect(await user.balances()).to.deep.equal({ hub: 0n, user: 40n });
    await user.level();
  });

  it("brings collateral where the channel has none, and takes nothing until it is there", async () => {
    await expectCoded(withdraw("w", 40n), "InsufficientCollateral");
    expect(await user.custodial()).to.equal(60n);
    await scene.services.batcher.flush();
    await until("the collateral", async () => (await user.balances()).hub >= 40n);
    expect((await withdraw("w", 40n)).status).to.equal("done");
  });

  it("pays on chain, to any address, and says by which transaction", async () => {
    const target = ethers.Wallet.createRandom().address;
    expect((await withdraw("w", 50n, target)).status).to.equal("pending");
    expect(await user.custodial()).to.equal(10n);
    await ended("w");
    expect(await ethers.provider.getBalance(target)).to.equal(50n);
    const [row] = await list();
    expect(row).to.include({ status: "done", to: target.toLowerCase() });
    const receipt = await ethers.provider.getTransactionReceipt(row!.transactionHash!);
    expect(receipt?.status).to.equal(1);
  });

  it("pays tokens on chain", async () => {
    const payer = await scene.funded({ user: 100n, asset: scene.token });
    await payer.buy("t", { ...payAs("PT_CUSTODIAL", user, 70n), asset: scene.token });
    const target = ethers.Wallet.createRandom().address;
    await withdraw("w", 70n, target, scene.token);
    await ended("w");
    expect(await scene.world.token.balanceOf(target)).to.equal(70n);
  });

  it("gives the money back when the transaction fails, once, and the id stays used", async () => {
    const target = parseAddress(await scene.world.token.getAddress()); // a contract that takes no ether
    await withdraw("w", 50n, target);
    await ended("w");
    expect((await list())[0]!.status).to.equal("failed");
    expect(await user.custodial()).to.equal(60n);
    await scene.services.custodial.end(user.address, "w", { failed: true });
    expect(await user.custodial()).to.equal(60n);
    expect((await withdraw("w", 50n, target)).status).to.equal("failed");
    expect(await user.custodial()).to.equal(60n);
  });

  it("has one effect for one id, also at the same time, and refuses the id for anything else", async () => {
    const target = ethers.Wallet.createRandom().address;
    const [first, second] = await Promise.all([withdraw("w", 20n, target), withdraw("w", 20n, target)]);
    expect(second).to.deep.equal(first);
    expect(await user.custodial()).to.equal(40n);
    await expectCoded(withdraw("w", 21n, target), "PurchaseIdTaken");
    await expectCoded(withdraw("w", 20n), "PurchaseIdTaken");
    await ended("w");
    expect(await ethers.provider.getBalance(target)).to.equal(20n);
  });

  it("never pays more than there is, also when it is asked for twice at once", async () => {
    const { details } = await expectCoded(withdraw("w", 61n, user.address), "CustodialBalanceTooLow");
    expect(details).to.deep.equal({ asset: ZERO_ADDRESS, balance: 60n, needed: 61n });
    const results = await Promise.allSettled([withdraw("a", 40n, user.address), withdraw("b", 40n, user.address)]);
    expect(results.map(({ status }) => status).sort()).to.deep.equal(["fulfilled", "rejected"]);
    expect(await user.custodial()).to.equal(20n);
  });

  it("refuses nothing, unknown assets, and addresses that have no use for it", async () => {
    await expectCoded(withdraw("w", 0n), "ZeroAmount");
    await expectCoded(withdraw("w", 1n, "channel", user.address), "AssetUnknown");
    const { config, signer } = scene.services;
    for (const to of [ZERO_ADDRESS, signer.address, config.channelManager]) {
      await expectCoded(withdraw("w", 1n, to), "InvalidRecipient");
    }
    expect(await user.custodial()).to.equal(60n);
  });

  it("is nobody else's", async () => {
    await expectCoded(scene.user().ask("getCustodialBalance", user.params), "NotYours");
    const body = { id: "w", asset: ZERO_ADDRESS, amount: "1", to: "channel" } as const;
    await expectCoded(scene.user().ask("createCustodialWithdrawal", { body }), "CustodialBalanceTooLow");
  });

  it("owes in all what users have, and what the books say", async () => {
    await withdraw("w", 20n, ethers.Wallet.createRandom().address);
    const { custodial } = scene.services.store;
    const before = (await custodial.liabilities()).get(ZERO_ADDRESS) ?? 0n;
    const payer = await scene.funded({ user: 100n });
    await payer.buy("q", payAs("PT_CUSTODIAL", user, 7n));
    expect((await custodial.liabilities()).get(ZERO_ADDRESS)).to.equal(before + 7n);
    expect(await user.custodial()).to.equal(47n);
  });
});
