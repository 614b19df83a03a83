import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { memoryStore } from "../../client";
import type { CodedError } from "../../protocol/coded-error";
import { rowOf, ZERO_ADDRESS } from "../../protocol";
import { expectCoded } from "../support/expect-coded";
import { EXCHANGE_RATE, hubWorld, until, type HubWorld } from "../support/hub";

const ETHER = 10n ** 18n;

describe("client and hub", () => {
  let world: HubWorld;
  beforeEach(async () => {
    world = await hubWorld();
  });
  afterEach(() => world.close());

  it("W-5: signs nothing of a purchase that it does not understand", async () => {
    const alice = await world.client(3);
    await alice.deposit({ amountWei: ETHER });
    const { nonce } = alice.getState().state;
    const recipient = ethers.Wallet.createRandom().address;
    const amount = { amountWei: 1n };
    const shapes: readonly unknown[] = [
      null,
      {},
      { recipient },
      { recipient, amount: {} },
      { recipient, amount: 5n },
      { recipient, amount: { wei: 5n } },
      { recipient, amount: { amountWei: 5 } },
      { recipient, amount: { amountWei: 0n } },
      { recipient, amount: { amountWei: 1n, amountToken: 1n } },
      { recipient, amountWei: 5n },
      { recipient, amount, tip: 1n },
      { recipient, amount, type: "PT_UNKNOWN" },
      { amount },
      { recipient, link: recipient, amount },
      { recipient, amount, expiresAt: 5n },
    ];
    for (const shape of shapes) await expectCoded(alice.buy({ payments: [shape as never] }), "InvalidValue");
    const threadless = { recipient, amount, type: "PT_THREAD" } as const;
    await expectCoded(alice.buy({ payments: [threadless] }), "ThreadRoomTooSmall");
    await expectCoded(alice.buy({ payments: [] }), "InvalidValue");
    await expectCoded(alice.buy({ id: "not an id", payments: [{ recipient, amount }] }), "InvalidValue");
    expect(alice.getState().state.nonce).to.equal(nonce);
  });

  it("pays once for one id, and remembers what happened", async () => {
    const [alice, bob] = [await world.client(3), await world.client(4)];
    await alice.deposit({ amountWei: ETHER });
    const purchase = {
      id: "order-1",
      meta: { order: "1" },
      payments: [{ type: "PT_CUSTODIAL" as const, recipient: bob.address, amount: { amountWei: ETHER / 4n } }],
    };
    const first = await alice.buy(purchase);
    expect((await alice.buy(purchase)).payments).to.deep.equal(first.payments);
    expect(alice.balanceOf()).to.equal((ETHER * 3n) / 4n);
    expect((await alice.getPaymentHistory()).map(({ purchaseId }) => purchaseId)).to.deep.equal(["order-1"]);
    const amount = { amountWei: ETHER / 4n };
    await bob.requestCollateral(amount);
    await until("collateral", async () => (await alice.recipientNeedsCollateral(bob.address, amount)) === 0n);
    await bob.withdrawCustodial({ amount });
    await until("the custodial balance to reach Bob's channel", () => bob.balanceOf() === ETHER / 4n);
  });

  it("reports a payment that cannot be made once it is void, and goes on", async () => {
    const [alice, bob] = [await world.client(3), await world.client(4)];
    await alice.deposit({ amountWei: 300n * ETHER });
    const payments = [{ type: "PT_CHANNEL" as const, recipient: bob.address, amount: { amountWei: 200n * ETHER } }];
    await expectCoded(alice.buy({ payments, waitForCollateralMs: 0 }), "InsufficientCollateral");
    expect(alice.balanceOf()).to.equal(300n * ETHER);
    expect(alice.exportEvidence().userSigned).to.deep.equal([]);
    await alice.buy({ payments: [{ recipient: bob.address, amount: { amountWei: 200n * ETHER } }] });
    expect((await bob.getCustodialBalance()).get(ZERO_ADDRESS)).to.equal(200n * ETHER);
  });

  it("W-9: refuses an exchange at a rate that its caller does not accept", async () => {
    const prices = { rateOf: () => Promise.resolve((EXCHANGE_RATE * 102n) / 100n) };
    const alice = await world.client(3, prices);
    await alice.deposit({ amountWei: ETHER });
    await expectCoded(alice.exchange(ETHER / 100n, ZERO_ADDRESS), "SlippageTooHigh");
    await expectCoded(alice.exchange(ETHER / 100n, ZERO_ADDRESS, undefined, EXCHANGE_RATE * 2n), "SlippageTooHigh");
    expect(alice.balanceOf()).to.equal(ETHER);
    const { sold, bought } = await alice.exchange(ETHER / 100n, ZERO_ADDRESS, undefined, EXCHANGE_RATE);
    expect([sold, bought]).to.deep.equal([ETHER / 100n, 20n * ETHER]);
    expect(alice.balanceOf(world.tokenAddress)).to.equal(20n * ETHER);
  });

  it("deposits tokens, and withdraws both assets to the user", async () => {
    const alice = await world.client(3);
    await world.token.connect(world.hub).transfer(alice.address, 10n * ETHER);
    await alice.deposit({ amountWei: ETHER, amountToken: 4n * ETHER });
    expect(alice.balanceOf(world.tokenAddress)).to.equal(4n * ETHER);
    const before = await world.token.balanceOf(alice.address);
    const { state } = await alice.withdraw({ amountWei: ETHER, amountToken: 4n * ETHER });
    expect(rowOf(state, world.tokenAddress).balanceUser).to.equal(0n);
    expect(await world.token.balanceOf(alice.address)).to.equal(before + 4n * ETHER);
    await expectCoded(alice.withdraw({ amountWei: 1n }), "BalanceTooLow");
    await expectCoded(alice.withdraw({ amountWei: 1n, withdrawalWeiUser: 1n }), "InvalidValue");
  });

  it("W-6: comes back with its record; with a lost one it signs above everything before", async () => {
    const entries = new Map<string, string>();
    const first = await world.client(3, { store: memoryStore(entries) });
    await first.deposit({ amountWei: ETHER });
    const { state } = first.getState();
    await first.stop();
    const second = await world.client(3, { store: memoryStore(entries) });
    // The hub may have credited collateral meanwhile: newer is fine, older or less is not.
    expect(second.getState().state.nonce).to.be.at.least(state.nonce);
    expect(second.balanceOf()).to.equal(ETHER);
    await second.stop();
    const third = await world.client(3);
    const incidents: CodedError[] = [];
    third.on("incident", (incident) => incidents.push(incident));
    expect(third.balanceOf()).to.equal(ETHER);
    const recipient = ethers.Wallet.createRandom().address;
    await third.buy({ payments: [{ type: "PT_CUSTODIAL", recipient, amount: { amountWei: 1n } }] });
    expect(third.getState().state.nonce).to.be.greaterThan(state.nonce + 1_000n);
    expect(incidents).to.deep.equal([]);
  });

  it("lets two clients with one key take turns", async () => {
    const [one, two] = [await world.client(3), await world.client(3)];
    await one.deposit({ amountWei: ETHER });
    const recipient = ethers.Wallet.createRandom().address;
    const payment = { type: "PT_CUSTODIAL" as const, recipient, amount: { amountWei: 10n } };
    for (const client of [two, one, two, two, one]) await client.buy({ payments: [payment] });
    await one.level();
    await two.level();
    expect([one.balanceOf(), two.balanceOf()]).to.deep.equal([ETHER - 50n, ETHER - 50n]);
    expect([...(await one.incidents()), ...(await two.incidents())]).to.deep.equal([]);
  });

  it("leaves without the hub: starts with it down, exits, settles, and goes on in the next session", async () => {
    const entries = new Map<string, string>();
    const alice = await world.client(3, { store: memoryStore(entries) });
    await alice.deposit({ amountWei: 5n * ETHER });
    await alice.stop();
    await world.stopHub();
    const alone = await world.client(3, { store: memoryStore(entries), patienceMs: 500 });
    const disputes: string[] = [];
    alone.on("dispute", ({ event }) => disputes.push(event));
    expect(alone.exportEvidence().doubleSigned).to.not.equal(undefined);
    await (await alone.startExit()).wait();
    await until("the exit to be seen", () => alone.getState().isExiting);
    expect(disputes).to.deep.equal(["Exit"]);
    const recipient = ethers.Wallet.createRandom().address;
    const payments = [{ type: "PT_CUSTODIAL" as const, recipient, amount: { amountWei: 1n } }];
    await expectCoded(alone.buy({ id: undefined as never, payments }), "ChannelIsExiting");
    const before = await ethers.provider.getBalance(alone.address);
    await time.increase(Number(await world.manager.challengePeriodSeconds()) + 1);
    await until("the settlement by itself", () => alone.getState().state.session === 1n);
    expect(await ethers.provider.getBalance(alone.address)).to.be.greaterThan(before + (49n * ETHER) / 10n);
  });
});

describe("client and hub: an exit with an old state", () => {
  it("is answered by the client alone, with the newest", async () => {
    const world = await hubWorld();
    try {
      const entries = new Map<string, string>();
      const alice = await world.client(3, { store: memoryStore(entries), autoSettle: false });
      await alice.deposit({ amountWei: 5n * ETHER });
      const old = alice.exportEvidence().doubleSigned;
      await alice.stop();
      const newer = await world.client(3, { store: memoryStore(entries), autoSettle: false });
      const recipient = ethers.Wallet.createRandom().address;
      await newer.buy({ payments: [{ type: "PT_CUSTODIAL", recipient, amount: { amountWei: 1n } }] });
      await world.stopHub();
      await world.manager
        .connect(world.hub)
        .startExit(old?.state as never, old?.sigHub as string, old?.sigUser as string);
      await until("the answer", async () => {
        const { exitNonce } = await world.manager.channelOf(newer.address);
        return exitNonce === newer.getState().state.nonce;
      });
    } finally {
      await world.close();
    }
  });
});
