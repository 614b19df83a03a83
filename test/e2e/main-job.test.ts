import { expect } from "chai";
import { ethers } from "hardhat";
import { ZERO_ADDRESS } from "../../protocol";
import { hubWorld, until, type HubWorld } from "../support/hub";

const ETHER = 10n ** 18n;

describe("the main job: hub and client on a real chain", () => {
  let world: HubWorld;
  beforeEach(async () => {
    world = await hubWorld();
  });
  afterEach(() => world.close());

  it("takes a deposit, pays somebody, and pays out what is left", async () => {
    const alice = await world.client(3);
    const bob = await world.client(4);
    await alice.deposit({ amountWei: 10n * ETHER });
    expect(alice.balanceOf()).to.equal(10n * ETHER);

    await bob.requestCollateral({ amountWei: 2n * ETHER });
    await until(
      "collateral for Bob",
      async () => (await alice.recipientNeedsCollateral(bob.address, { amountWei: 2n * ETHER })) === 0n,
    );
    const { payments } = await alice.buy({ payments: [{ recipient: bob.address, amount: { amountWei: 2n * ETHER } }] });
    expect(payments[0]?.status).to.equal("forwarded");
    await until("the payment to reach Bob", () => bob.balanceOf() === 2n * ETHER && bob.getState().isDoubleSigned);

    const target = ethers.Wallet.createRandom().address;
    await bob.withdraw({ recipient: target, amountWei: 2n * ETHER });
    expect(await ethers.provider.getBalance(target)).to.equal(2n * ETHER);
    expect(alice.balanceOf()).to.equal(8n * ETHER);
  });

  it("exchanges, and sells back in a withdrawal", async () => {
    const alice = await world.client(3);
    await alice.deposit({ amountWei: 2n * ETHER });
    const { bought } = await alice.exchange(ETHER / 100n, ZERO_ADDRESS, world.tokenAddress);
    expect(bought).to.equal(20n * ETHER);
    expect(alice.balanceOf(world.tokenAddress)).to.equal(20n * ETHER);
    const target = ethers.Wallet.createRandom().address;
    await alice.withdraw({ recipient: target, amountWei: ETHER, tokensToSell: 10n * ETHER });
    expect(await ethers.provider.getBalance(target)).to.equal(ETHER + ETHER / 200n);
    expect(alice.balanceOf(world.tokenAddress)).to.equal(10n * ETHER);
  });

  it("pays by every type", async () => {
    const alice = await world.client(3);
    const bob = await world.client(4);
    await alice.deposit({ amountWei: 10n * ETHER });
    const amount = { amountWei: ETHER };
    await alice.buy({ payments: [{ type: "PT_CUSTODIAL", recipient: bob.address, amount }] });
    expect((await bob.getCustodialBalance()).get(ZERO_ADDRESS)).to.equal(ETHER);
    const optimistic = await alice.buy({ payments: [{ type: "PT_OPTIMISTIC", recipient: bob.address, amount }] });
    expect(optimistic.payments[0]?.status).to.equal("waiting");
    await until("the optimistic payment to be forwarded", () => bob.balanceOf() === ETHER);
    const link = await alice.createLink(amount);
    const redeemed = await bob.redeem(link.secret);
    expect(redeemed.status).to.be.oneOf(["waiting", "forwarded"]);
    await until("the link to arrive", () => bob.balanceOf() === 2n * ETHER && bob.getState().isDoubleSigned);
    expect(alice.balanceOf()).to.equal(7n * ETHER);
  });
});
