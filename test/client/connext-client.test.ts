import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ethers } from "hardhat";
import { memoryStore, type ConnextClient } from "../../client";
import { sqliteStore } from "../../client/node";
import type { Exchange } from "../../hub/services/exchange";
import {
  amountAtRate,
  parseAddress,
  signedUpdateSchema,
  validate,
  ZERO_ADDRESS,
  ZERO_HASH,
  type ExchangeQuote,
} from "../../protocol";
import { codeOf, expectCoded } from "../support/expect-coded";
import { EXCHANGE_RATE, hubWorld, until, type HubWorld } from "../support/hub";

const ETHER = 10n ** 18n;

describe("a client with a real hub", () => {
  let world: HubWorld;
  let alice: ConnextClient;
  before(async () => {
    world = await hubWorld();
    alice = await world.client(3);
    await alice.deposit({ amountWei: 10n * ETHER });
  });
  after(() => world.close());

  const nonce = (): bigint => alice.getState().state.nonce;

  describe("W-5: signs nothing for an amount of an unknown shape, in", () => {
    const AMOUNTS = [{ amountUSD: "5" }, {}, "5", 5, null, { amountWei: 5 }, { amountWei: 0n }] as never[];
    const UNITS = [{ amountUSD: "5" }, {}, 5, null, "0x5", "0.5", "", 0n] as never[];
    const ways: readonly (readonly [name: string, run: (amount: never) => Promise<unknown>, shapes?: never[]])[] = [
      ["buy", (amount) => alice.buy({ payments: [{ recipient: world.bob.address, amount }] })],
      ["buy, custodially", (amount) => alice.buy({ payments: [{ type: "PT_CUSTODIAL", recipient: world.bob.address, amount }] })],
      ["buy, next to a good one", (amount) => {
        const good = { recipient: world.bob.address, amount: { amountWei: 1n } };
        return alice.buy({ payments: [good, { recipient: world.bob.address, amount }] });
      }],
      ["deposit", (amount) => alice.deposit(amount)],
      ["createLink", (amount) => alice.createLink(amount)],
      ["requestCollateral", (amount) => alice.requestCollateral(amount)],
      ["withdrawCustodial", (amount) => alice.withdrawCustodial({ amount })],
      ["exchange", (amount) => alice.exchange(amount, ZERO_ADDRESS), UNITS],
      ["withdraw", (amount) => alice.withdraw({ amountWei: amount }), UNITS],
    ]; // prettier-ignore
    for (const [name, run, shapes = AMOUNTS] of ways) {
      it(name, async () => {
        const before = nonce();
        for (const [i, shape] of shapes.entries()) {
          expect(await codeOf(run(shape)), `shape ${i}`).to.be.oneOf(["InvalidValue", "ZeroAmount", "AmountTooSmall"]);
        }
        expect(nonce()).to.equal(before);
        expect(alice.balanceOf()).to.equal(10n * ETHER);
      });
    }
  });

  describe("W-9: does not exchange on a quote", () => {
    let honest: Exchange["quote"];
    beforeEach(() => {
      const { exchange } = world.hubServer.services;
      honest = exchange.quote.bind(exchange);
    });
    afterEach(() => Reflect.deleteProperty(world.hubServer.services.exchange, "quote"));

    /** The hub turns hostile: it signs another quote than it was asked for. */
    const quoteInstead = (spoil: (quote: ExchangeQuote) => ExchangeQuote, sign = true): void => {
      const { exchange, signer } = world.hubServer.services;
      exchange.quote = async (...asked) => {
        const { quote, sigHub } = await honest(...asked);
        const spoilt = spoil(quote);
        return { quote: spoilt, sigHub: sign ? signer.signQuote(spoilt) : sigHub };
      };
    };
    const refused = async (code: string, expectedRate?: bigint): Promise<void> => {
      const before = nonce();
      await expectCoded(alice.exchange(ETHER / 1000n, ZERO_ADDRESS, world.tokenAddress, expectedRate), code);
      expect(alice.balanceOf()).to.equal(10n * ETHER);
      expect(alice.getState().state.assets.find(({ asset }) => asset === ZERO_ADDRESS)?.balanceUser).to.equal(
        10n * ETHER,
      );
      expect(nonce() >= before).to.equal(true);
    };
    const atRate = (rate: bigint) => (quote: ExchangeQuote) => {
      return { ...quote, rate, buyAmount: amountAtRate(quote.sellAmount, rate) };
    };

    it("at a rate that is worse than the public one by more than the tolerance", async () => {
      quoteInstead(atRate((EXCHANGE_RATE * 98n) / 100n));
      await refused("SlippageTooHigh");
    });

    it("at a rate that is worse than the caller expects, whatever the hub's public one is", async () => {
      await refused("SlippageTooHigh", (EXCHANGE_RATE * 102n) / 100n);
    });

    it("that gives less than its own rate, or more", async () => {
      for (const difference of [-1n, 1n]) {
        quoteInstead((quote) => ({ ...quote, buyAmount: quote.buyAmount + difference }));
        await refused("QuoteMalformed");
      }
    });

    it("that sells more than was asked for, or another asset", async () => {
      quoteInstead((quote) => atRate(quote.rate)({ ...quote, sellAmount: quote.sellAmount * 2n }));
      await refused("QuoteMalformed");
      quoteInstead((quote) => ({ ...quote, buyAsset: ZERO_ADDRESS }));
      await refused("QuoteMalformed");
    });

    it("for somebody else", async () => {
      quoteInstead((quote) => ({ ...quote, user: world.config.channelManager }));
      await refused("QuoteMalformed");
    });

    it("that the hub did not sign, or signed otherwise", async () => {
      quoteInstead((quote) => ({ ...quote, expiresAt: quote.expiresAt + 1n }), false);
      await refused("QuoteMalformed");
    });

    it("and does on one within the tolerance, for exactly what it says", async () => {
      const rate = (EXCHANGE_RATE * 995n) / 1000n;
      const bob = await world.client(4);
      await bob.deposit({ amountWei: ETHER });
      await expectCoded(
        bob.exchange(ETHER / 1000n, ZERO_ADDRESS, world.tokenAddress, EXCHANGE_RATE * 2n),
        "SlippageTooHigh",
      );
      const { sold, bought } = await bob.exchange(ETHER / 1000n, ZERO_ADDRESS, world.tokenAddress, rate);
      expect(bought).to.equal(amountAtRate(sold, EXCHANGE_RATE));
      expect(bob.balanceOf(world.tokenAddress)).to.equal(bought);
      await bob.stop();
    });
  });

  it("W-1: a hub that signs a withdrawal that nobody asked for gets no signature, and the evidence is kept", async () => {
    const carol = await world.client(5);
    await carol.deposit({ amountWei: ETHER });
    const { channels, lanes } = world.hubServer.services;
    const user = carol.address;
    await lanes.run([user], async () => {
      const assets = [{ asset: ZERO_ADDRESS, user: ETHER, hub: 0n }];
      const recipient = parseAddress(world.treasury.address);
      const draft = channels.draftOfHub(await channels.load(user), "Withdrawal", { recipient, assets });
      await channels.commit([draft]);
    });
    await carol.level();
    await until("the incident", async () => (await carol.incidents()).length > 0);
    expect((await carol.incidents())[0]).to.match(/Unsolicited/);
    expect(carol.balanceOf()).to.equal(ETHER);
    const { doubleSigned } = await channels.load(user);
    expect(doubleSigned?.state.assets.every(({ withdrawnUser }) => withdrawnUser === 0n)).to.equal(true);
    await expectCoded(
      carol.buy({ payments: [{ type: "PT_CUSTODIAL", recipient: world.bob.address, amount: { amountWei: 1n } }] }),
      "HubIncident",
    );
    // With what both had signed it leaves, without the hub.
    const sent = await carol.startExit();
    await sent.wait();
    expect((await world.manager.channelOf(user)).exitDeadline).to.not.equal(0n);
    await carol.stop();
  });

  describe("W-3: there is no invalidation:", () => {
    const update = {
      reason: "Payment",
      args: { recipient: "hub", asset: ZERO_ADDRESS, amount: "0", payments: [] },
      nonce: "1",
      previous: ZERO_HASH,
    };

    it("every reason but the known ones is refused by the wire's form, on both sides", () => {
      validate(signedUpdateSchema, update, "update");
      for (const reason of [
        "Invalidation",
        "ProposePendingWithdrawal",
        "ConfirmPending",
        "EmptyChannel",
        "payment",
        "",
        null,
      ]) {
        expect(() => validate(signedUpdateSchema, { ...update, reason }, "update"), String(reason)).to.throw(/update/);
      }
    });

    it("no update takes a signed state back: one with a lower nonce is refused by the hub", async () => {
      const old = alice.getState().state;
      const spoilt = {
        ...update,
        reason: "Invalidation",
        args: { previousValidTxCount: 1, lastInvalidTxCount: 2, reason: "CU_INVALID_TIMEOUT" },
      };
      const response = await fetch(`${world.hubUrl}/api/hub/channel/${alice.address}/update`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ updates: [spoilt] }),
      });
      expect(response.status).to.be.oneOf([400, 401]);
      expect(alice.getState().state).to.deep.equal(old);
    });

    it("a withdrawal that the hub has signed and the user has not leaves the user's money the user's", async () => {
      const before = alice.balanceOf();
      await alice.withdraw({ recipient: ethers.Wallet.createRandom().address, amountWei: 5n });
      expect(alice.balanceOf()).to.equal(before - 5n);
      await alice.deposit({ amountWei: 5n });
      expect(alice.balanceOf()).to.equal(before);
    });
  });

  it("refuses a receipt that is not the hub's, and says which", async () => {
    const { purchases, signer } = world.hubServer.services;
    const honest = purchases.purchase.bind(purchases);
    purchases.purchase = async (...asked) => {
      const answer = await honest(...asked);
      const payments = answer.payments.map((each) => ({
        ...each,
        sigReceipt: signer.signQuote({} as never),
      }));
      return { ...answer, payments };
    };
    signer.signQuote = () => `0x${"11".repeat(64)}1b`;
    try {
      const amount = { amountWei: 1n };
      await expectCoded(
        alice.buy({ payments: [{ type: "PT_CUSTODIAL", recipient: world.bob.address, amount }] }),
        "ReceiptMissing",
      );
    } finally {
      Reflect.deleteProperty(purchases, "purchase");
      Reflect.deleteProperty(signer, "signQuote");
      await alice.deposit({ amountWei: 1n });
    }
  });

  describe("W-10: of two clients on one store", () => {
    it("the second is refused while the first is open, in memory", async () => {
      const entries = new Map<string, string>();
      const first = await world.client(6, { store: memoryStore(entries) });
      const { details } = await expectCoded(world.client(6, { store: memoryStore(entries) }), "KeyInUse");
      expect(details).to.have.property("name");
      await first.stop();
      await (await world.client(6, { store: memoryStore(entries) })).stop();
    });

    it("the second is refused while the first is open, in a file; the first goes on", async () => {
      const folder = mkdtempSync(join(tmpdir(), "one-store-"));
      try {
        const file = join(folder, "client.sqlite");
        const first = await world.client(7, { store: sqliteStore(file) });
        await expectCoded(world.client(7, { store: sqliteStore(file) }), "KeyInUse");
        await expectCoded(world.client(8, { store: sqliteStore(file) }), "KeyInUse");
        await first.deposit({ amountWei: 3n });
        expect(first.balanceOf()).to.equal(3n);
        await first.stop();
        const second = await world.client(7, { store: sqliteStore(file) });
        expect(second.balanceOf()).to.equal(3n);
        await second.stop();
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });
});

describe("W-4: every promise of a client settles, with a typed error,", () => {
  let world: HubWorld;
  let alice: ConnextClient;
  let skippedMs = 0;
  beforeEach(async () => {
    skippedMs = 0;
    world = await hubWorld();
    alice = await world.client(3, { patienceMs: 300, timeoutMs: 300, now: () => Date.now() + skippedMs });
  });
  afterEach(() => world.close());

  it("when the hub takes no deposits: before any money is sent", async () => {
    await world.hubServer.services.setDepositsPaused(true, () => undefined);
    const before = await ethers.provider.getBalance(alice.address);
    await expectCoded(alice.deposit({ amountWei: ETHER }), "DepositsPaused");
    expect(await ethers.provider.getBalance(alice.address)).to.equal(before);
  });

  it("when the account has too little", async () => {
    const { details } = await expectCoded(alice.deposit({ amountWei: 10n ** 30n }), "FundsTooLow");
    expect(details).to.have.property("needed", 10n ** 30n);
  });

  it("when the hub goes away between the deposit and its credit; the money is on chain and can be taken out", async () => {
    const { chainSync } = world.hubServer.services;
    chainSync.refresh = () => Promise.resolve(); // never credits, never says no
    const deposit = alice.deposit({ amountWei: ETHER });
    await until("the deposit on chain", async () => {
      const { depositedUser } = await world.manager.ledgerOf(alice.address, 0n, ZERO_ADDRESS);
      return depositedUser === ETHER;
    });
    await world.stopHub();
    const skipping = setInterval(() => (skippedMs += 10_000), 50);
    try {
      await expectCoded(deposit, "DepositNotCredited");
    } finally {
      clearInterval(skipping);
      skippedMs = 0;
    }
    await (await alice.startExit()).wait();
  });

  it("when the hub is gone: payments, exchanges, withdrawals, links, collateral, custodial balances", async () => {
    await alice.deposit({ amountWei: ETHER });
    const before = alice.balanceOf();
    await world.stopHub();
    const amount = { amountWei: 1n };
    const asked: readonly (() => Promise<unknown>)[] = [
      () => alice.buy({ payments: [{ recipient: world.bob.address, amount }] }),
      () => alice.exchange(1_000n, ZERO_ADDRESS, world.tokenAddress),
      () => alice.withdraw({ amountWei: 1n }),
      () => alice.redeem(ethers.Wallet.createRandom().privateKey),
      () => alice.requestCollateral(amount),
      () => alice.getCustodialBalance(),
      () => alice.withdrawCustodial({ amount }),
      () => alice.level(),
    ];
    for (const ask of asked) {
      expect(await codeOf(ask())).to.be.oneOf(["HubUnreachable", "AnswerUnknown", "TimedOut"]);
    }
    expect(alice.balanceOf()).to.equal(before);
    await (await alice.startExit()).wait(); // and it leaves without the hub
  });

  it("when the hub is restarted in the middle: what was asked goes on where it was", async () => {
    await alice.deposit({ amountWei: ETHER });
    const id = "across-a-restart";
    const payments = [{ type: "PT_CUSTODIAL", recipient: world.bob.address, amount: { amountWei: 5n } }] as const;
    await world.stopHub();
    const asked = alice.buy({ id, payments });
    expect(await codeOf(asked)).to.be.oneOf(["HubUnreachable", "AnswerUnknown"]);
    world = await world.restartHub();
    await until("the hub to be reached", () =>
      alice.level().then(
        () => true,
        () => false,
      ),
    );
    const done = await alice.buy({ id, payments });
    expect(done.payments[0]!.status).to.equal("custodial");
    expect(alice.balanceOf()).to.equal(ETHER - 5n);
  });
});
