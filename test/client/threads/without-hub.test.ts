import { expect } from "chai";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { memoryStore, type ConnextClient } from "../../../client";
import type { Hash } from "../../../protocol";
import { expectCoded } from "../../support/expect-coded";
import { until } from "../../support/hub";
import { PERIOD } from "../../support/world";
import { ETHER, knows, threadScene, type ThreadScene } from "./thread-scene";

describe("a user's threads when the hub is gone", () => {
  let scene: ThreadScene;
  let alice: ConnextClient;
  let bob: ConnextClient;
  const entries = { alice: new Map<string, string>(), bob: new Map<string, string>() };
  beforeEach(async () => {
    for (const each of Object.values(entries)) each.clear();
    const way = (who: keyof typeof entries) => ({ store: memoryStore(entries[who]) });
    scene = await threadScene({ alice: way("alice"), bob: way("bob") });
    ({ alice, bob } = scene);
  });
  afterEach(() => scene.close());

  const soon = async (): Promise<bigint> => BigInt(await time.latest()) + 1_200n;
  const pass = (seconds: bigint): Promise<number> => time.increase(seconds);
  /** What the contract paid for a leg. */
  const paidFor = async (client: ConnextClient, hash: Hash): Promise<readonly [bigint, bigint] | undefined> => {
    const { manager } = scene.world;
    const [event] = await manager.queryFilter(manager.filters.ThreadSettled(hash, client.address));
    return event && [event.args.amountUser, event.args.amountHub];
  };
  const settled = async (client: ConnextClient, hash: Hash): Promise<readonly [bigint, bigint] | undefined> => {
    await until("its leg is paid", () => knows(client, { hash }).leg === "settled");
    return paidFor(client, hash);
  };
  const received = (hash: Hash, balance: bigint): Promise<void> =>
    until("Bob has it", () => knows(bob, { hash }).payment?.payment.balanceReceiver === balance);

  it("A-8, A-9, N-9: both legs end with what was paid, each by its own party, with nobody's help", async () => {
    scene.link();
    const [first, second] = [
      await alice.openThread({ to: bob.address, amount: { amountWei: 100n }, expiry: await soon() }),
      await alice.openThread({ to: bob.address, amount: { amountWei: 50n }, expiry: await soon() }),
    ];
    await alice.payThread(first.hash, 7n);
    await alice.payThread(first.hash, 2n);
    await received(first.hash, 9n);
    await scene.world.stopHub();
    for (const client of [alice, bob]) await (await client.startExit()).wait();
    await until("the contract has what Bob was paid, and the terms of the other thread", async () => {
      const [paid, unpaid] = await Promise.all([first, second].map(({ hash }) => scene.world.manager.recordOf(hash)));
      return paid?.balanceReceiver === 9n && unpaid?.deadline !== 0n;
    });
    await pass(PERIOD + 1_300n);
    expect(await settled(bob, first.hash)).to.deep.equal([9n, 91n]);
    expect(await settled(alice, first.hash)).to.deep.equal([91n, 9n]);
    expect(await settled(bob, second.hash)).to.deep.equal([0n, 50n]);
    expect(await settled(alice, second.hash)).to.deep.equal([50n, 0n]);
    await expectCoded(bob.settleThread(first.hash), "LegAlreadyPaid");
    for (const client of [alice, bob]) {
      const { session } = await scene.world.manager.channelOf(client.address);
      expect(await scene.world.manager.lockedOf(client.address, session - 1n, `0x${"00".repeat(20)}`)).to.equal(0n);
    }
  });

  it("a sender alone that exits and shows old terms takes nothing back: the receiver answers by itself", async () => {
    scene.link();
    const { hash } = await alice.openThread({ to: bob.address, amount: { amountWei: ETHER }, expiry: await soon() });
    await alice.payThread(hash, 40n);
    await received(hash, 40n);
    await scene.world.stopHub();
    await (await alice.startExit()).wait();
    await until("Bob's answer", async () => (await scene.world.manager.recordOf(hash)).balanceReceiver === 40n);
    await pass(PERIOD + 1_300n);
    expect(await settled(alice, hash)).to.deep.equal([ETHER - 40n, 40n]);
  });

  it("what was paid is there after a restart of both, and a purchase of an id that was paid pays nothing again", async () => {
    scene.link();
    const { hash } = await scene.stream(100n);
    const purchase = {
      id: "a-newspaper-123",
      payments: [
        { type: "PT_THREAD", recipient: bob.address, amount: { amountWei: 3n } },
        { type: "PT_THREAD", recipient: bob.address, amount: { amountWei: 4n }, meta: { article: "two" } },
      ],
    } as const;
    const first = await alice.buy(purchase);
    await received(hash, 7n);
    for (const client of [alice, bob]) await client.stop();
    alice = await scene.world.client(3, { store: memoryStore(entries.alice) });
    bob = await scene.world.client(4, { store: memoryStore(entries.bob) });
    expect(knows(bob, { hash }).payment?.payment.balanceReceiver).to.equal(7n);
    expect(await alice.buy(purchase)).to.deep.equal(first);
    expect(knows(alice, { hash }).payment?.payment.balanceReceiver).to.equal(7n);
    expect(first.payments.map(({ status, amount }) => [status, amount])).to.deep.equal([
      ["forwarded", "3"],
      ["forwarded", "4"],
    ]);
    await bob.closeThread(hash);
    await until("Alice's leg is closed", () => knows(alice, { hash }).leg === "closed");
  });

  it("PT_THREAD stands alone, and pays all or nothing", async () => {
    const { hash } = await scene.stream(10n);
    const through = { type: "PT_THREAD", recipient: bob.address, amount: { amountWei: 6n } } as const;
    const byHub = { recipient: bob.address, amount: { amountWei: 6n } };
    await expectCoded(alice.buy({ payments: [through, byHub] }), "ThreadPaymentMixed");
    await expectCoded(alice.buy({ payments: [through, through] }), "ThreadRoomTooSmall");
    await expectCoded(bob.buy({ payments: [{ ...through, recipient: alice.address }] }), "ThreadRoomTooSmall");
    const strange = [{ ...through, expiresAt: 5n }] as never;
    await expectCoded(alice.buy({ payments: strange }), "InvalidValue");
    expect(knows(alice, { hash }).payment).to.equal(undefined);
    await alice.buy({ payments: [through] });
    expect(knows(alice, { hash }).payment?.payment.balanceReceiver).to.equal(6n);
  });
});
