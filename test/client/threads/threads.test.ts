import { expect } from "chai";
import type { ConnextClient } from "../../../client";
import type { OwnThread } from "../../../client/threads/own-thread";
import { parseAddress, ZERO_HASH } from "../../../protocol";
import { expectCoded } from "../../support/expect-coded";
import { until } from "../../support/hub";
import { ETHER, knows, threadScene, type ThreadScene } from "./thread-scene";

describe("threads between two clients", () => {
  let scene: ThreadScene;
  let alice: ConnextClient;
  let bob: ConnextClient;
  before(async () => {
    scene = await threadScene();
    ({ alice, bob } = scene);
  });
  after(() => scene.close());

  it("open, pay and close through the hub alone", async () => {
    const before = [alice.balanceOf(), bob.balanceOf()] as const;
    const { hash, leg } = await scene.stream();
    expect([leg, knows(bob, { hash }).leg]).to.deep.equal(["open", "open"]);
    expect(alice.balanceOf()).to.equal(before[0] - ETHER);
    expect(alice.getState().state.threadRoot).to.equal(bob.getState().state.threadRoot).and.not.equal(ZERO_HASH);

    await alice.payThread(hash, 3n);
    await alice.payThread(hash, 4n);
    await until("Bob has both", () => knows(bob, { hash }).payment?.payment.balanceReceiver === 7n);

    const closed = await alice.closeThread(hash);
    expect(closed.leg).to.equal("closed");
    await until("Bob's leg is closed", () => knows(bob, { hash }).leg === "closed");
    expect([alice.balanceOf(), bob.balanceOf()]).to.deep.equal([before[0] - 7n, before[1] + 7n]);
    expect(alice.getState().state.threadRoot).to.equal(ZERO_HASH);
  });

  it("stream over a link, which the hub does not see", async () => {
    const unlink = scene.link();
    const before = bob.balanceOf();
    const { hash } = await scene.stream();
    const heard: bigint[] = [];
    const off = bob.on("threadPayment", ({ balanceReceiver }) => heard.push(balanceReceiver));
    await Promise.all(Array.from({ length: 50 }, () => alice.payThread(hash, 2n)));
    await until("all have come", () => heard.at(-1) === 100n);
    expect(heard).to.have.length(50);
    const row = await scene.world.hubServer.services.store.threads.load(hash);
    expect(row?.payment).to.equal(undefined);

    await bob.closeThread(hash);
    expect(bob.balanceOf()).to.equal(before + 100n);
    await until("Alice's leg is closed", () => knows(alice, { hash }).leg === "closed");
    off();
    unlink();
  });

  it("many at once, each closed by its own", async () => {
    const threads: OwnThread[] = [];
    for (let i = 0; i < 5; i++) threads.push(await scene.stream(1_000n + BigInt(i)));
    for (const [i, { hash }] of threads.entries()) await alice.payThread(hash, BigInt(i + 1));
    for (const { hash } of [...threads].reverse()) await alice.closeThread(hash);
    await until("all legs are closed", () => threads.every((each) => knows(bob, each).leg === "closed"));
    expect(threads.map((each) => knows(bob, each).outcome)).to.deep.equal([1n, 2n, 3n, 4n, 5n]);
  });

  it("is refused by a receiver whose policy does not take it", async () => {
    const stake = { to: bob.address, amount: { amountWei: 10n }, balanceReceiver: 5n };
    await expectCoded(alice.openThread(stake), "ThreadDeclined");
    expect(alice.getState().state.threadRoot).to.equal(ZERO_HASH);
  });

  it("takes no payment that is more than the thread, nothing, of the receiver, or of a thread that is not there", async () => {
    const { hash } = await scene.stream(10n);
    await expectCoded(alice.payThread(hash, 11n), "BalanceAboveSum");
    await expectCoded(alice.payThread(hash, 0n), "ZeroAmount");
    await expectCoded(bob.payThread(hash, 1n), "WrongThreadRole");
    await expectCoded(alice.payThread(ZERO_HASH, 1n), "ThreadUnknown");
    await alice.closeThread(hash);
    await expectCoded(alice.payThread(hash, 1n), "ThreadNotOpen");
    expect(knows(bob, { hash }).payment).to.equal(undefined);
  });

  it("with nobody there times out, and what was offered is given up", async () => {
    const hasty = await scene.world.client(5, { peerPatienceMs: 200 });
    await hasty.deposit({ amountWei: 10n });
    const nobody = parseAddress(`0x${"77".repeat(20)}`);
    await expectCoded(hasty.openThread({ to: nobody, amount: { amountWei: 5n } }), "TimedOut");
    const [offered] = hasty.listThreads();
    const row = await scene.world.hubServer.services.store.threads.load(offered?.hash ?? ZERO_HASH);
    expect(row?.status).to.equal("void");
    expect(hasty.balanceOf()).to.equal(10n);
  });
});
