import { expect } from "chai";
import {
  checkSignature,
  hashExchangeQuote,
  parseQuote,
  ZERO_ADDRESS,
  type ExchangeArgs,
  type InputOf,
  type Signature,
} from "../../../protocol";
import { expectCoded } from "../../support/expect-coded";
import { EXCHANGE_RATE, until } from "../../support/hub";
import { hubScene, omit, type HubScene, type HubUser } from "../../support/hub-scene";

describe("Exchange", () => {
  let scene: HubScene;
  let user: HubUser;
  before(async () => {
    scene = await hubScene();
  });
  after(() => scene.close());
  beforeEach(async () => {
    user = await scene.funded({ user: 1_000n });
    await user.fund({ hub: 10_000_000n, asset: scene.token });
  });

  const ask = (sellAmount: bigint, who = user) => {
    const body = { sellAsset: ZERO_ADDRESS, buyAsset: scene.token, sellAmount: sellAmount.toString() };
    return who.ask("requestExchange", { ...who.params, body });
  };
  const argsOf = ({ quote }: Awaited<ReturnType<typeof ask>>): ExchangeArgs => {
    return omit(parseQuote(quote), "user");
  };
  const exchange = async (args: ExchangeArgs, who = user) => who.update(await who.steps({ reason: "Exchange", args }));

  it("binds the hub to a price for one user, one amount, for at most a minute", async () => {
    const answer = await ask(100n);
    const quote = parseQuote(answer.quote);
    const { signer, domain } = scene.services;
    const wrong = checkSignature(signer.address, hashExchangeQuote(quote), answer.sigHub as Signature, domain);
    expect(wrong).to.equal(undefined);
    expect(quote).to.include({ user: user.address, sellAmount: 100n, buyAmount: 200_000n, rate: EXCHANGE_RATE });
    const seconds = Number(quote.expiresAt) - scene.clock.now() / 1000;
    expect(seconds).to.be.greaterThan(0).and.at.most(60);
  });

  it("is done in one step, once both have signed", async () => {
    await exchange(argsOf(await ask(100n)));
    expect(await user.balances()).to.deep.equal({ hub: 100n, user: 900n });
    expect(await user.balances(scene.token)).to.deep.equal({ hub: 9_800_000n, user: 200_000n });
    expect((await scene.services.channels.load(user.address)).pending).to.deep.equal([]);
  });

  it("uses a quote once", async () => {
    const args = argsOf(await ask(100n));
    await exchange(args);
    await expectCoded(exchange(args), "QuoteUnknown");
    expect((await user.balances()).user).to.equal(900n);
    await scene.restart();
    await expectCoded(exchange(args), "QuoteUnknown");
  });

  it("uses a quote once in one request, and in two at the same time", async () => {
    const args = argsOf(await ask(100n));
    const step = { reason: "Exchange", args } as const;
    await expectCoded(user.update(await user.steps(step, step)), "ChannelBusy");
    expect((await user.balances()).user).to.equal(1_000n);
    await Promise.allSettled([exchange(args), exchange(args)]);
    expect((await user.balances()).user).to.equal(900n);
  });

  it("refuses an expired quote", async () => {
    const args = argsOf(await ask(100n));
    await scene.pass(120);
    await expectCoded(exchange(args), "QuoteExpired");
    expect((await user.balances()).user).to.equal(1_000n);
  });

  it("refuses somebody else's quote", async () => {
    const args = argsOf(await ask(100n));
    const thief = await scene.funded({ user: 1_000n });
    await thief.fund({ hub: 10_000_000n, asset: scene.token });
    await expectCoded(exchange(args, thief), "QuoteUnknown");
    await exchange(args);
  });

  it("refuses a quote with any field changed", async () => {
    const args = argsOf(await ask(100n));
    const spoilt: readonly Partial<ExchangeArgs>[] = [
      { sellAmount: 99n },
      { buyAmount: 200_001n },
      { rate: args.rate + 1n },
      { expiresAt: args.expiresAt + 1n },
      { quoteId: `0x${"ab".repeat(32)}` },
      { sellAsset: scene.token, buyAsset: ZERO_ADDRESS },
    ];
    for (const change of spoilt) await expectCoded(exchangeOf({ ...args, ...change }), "QuoteUnknown");
    await exchange(args);
  });

  /** Signs what an honest client could not even compute, if need be. */
  const exchangeOf = async (args: ExchangeArgs): Promise<unknown> => {
    const [honest] = await user.steps({
      reason: "Exchange",
      args: { ...args, sellAsset: ZERO_ADDRESS, buyAsset: scene.token, buyAmount: 1n },
    });
    return user.update([{ ...honest!, args } as typeof honest & object]);
  };

  it("refuses quotes for what the hub does not trade, for dust, and for more than the user has", async () => {
    const of = (body: InputOf<"requestExchange">["body"]) => user.ask("requestExchange", { ...user.params, body });
    const unknown = { sellAsset: ZERO_ADDRESS, buyAsset: user.address, sellAmount: "1" };
    await expectCoded(of(unknown), "PairUnknown");
    await expectCoded(of({ sellAsset: ZERO_ADDRESS, buyAsset: ZERO_ADDRESS, sellAmount: "1" }), "PairUnknown");
    const dust = { sellAsset: scene.token, buyAsset: ZERO_ADDRESS, sellAmount: "1999" };
    const { details } = await expectCoded(of(dust), "AmountTooSmall");
    expect(details).to.include({ minimum: 2_000n });
    await expectCoded(ask(1_001n), "BalanceTooLow");
    await expectCoded(ask(1n, scene.user()), "BalanceTooLow");
  });

  it("has no price when its source was silent for two minutes", async () => {
    scene.clock.movedMs += 121_000;
    await expectCoded(ask(1n), "PriceUnavailable");
    await scene.pass(0);
    await ask(1n);
  });

  it("brings what it lacks, says so, and then sells it", async () => {
    const poor = await scene.funded({ user: 1_000n });
    const { details } = await expectCoded(ask(100n, poor), "AmountTooLargeForExchange");
    expect(details).to.deep.equal({ asset: scene.token, available: 0n });
    await scene.services.batcher.flush();
    await until("the tokens", async () => (await poor.balances(scene.token)).hub === 200_000n);
    await poor.level();
    await exchange(argsOf(await ask(100n, poor)), poor);
    expect((await poor.balances(scene.token)).user).to.equal(200_000n);
  });

  it("W-9: there and back gains nothing, in however small steps", async () => {
    const back = async (sellAmount: bigint): Promise<void> => {
      const body = { sellAsset: scene.token, buyAsset: ZERO_ADDRESS, sellAmount: sellAmount.toString() };
      await exchange(argsOf(await user.ask("requestExchange", { ...user.params, body })));
    };
    await exchange(argsOf(await ask(3n)));
    for (const part of [2_001n, 3_999n]) await back(part);
    const [ether, tokens] = [(await user.balances()).user, (await user.balances(scene.token)).user];
    expect(ether).to.equal(999n);
    expect(tokens).to.equal(0n);
  });
});
