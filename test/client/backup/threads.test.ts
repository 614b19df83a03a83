import { expect } from "chai";
import { memoryStore, textPlace } from "../../../client";
import { knows, threadScene, ETHER, type ThreadScene } from "../threads/thread-scene";
import { until } from "../../support/hub";

describe("a backup of threads", function () {
  this.timeout(60_000);
  let scene: ThreadScene;
  beforeEach(async () => {
    scene = await threadScene({ alice: { autoBackup: false }, bob: { autoBackup: false } });
  });
  afterEach(() => scene.close());

  it("brings a payee's payments back that no hub has seen, and it closes at the last one that was backed up", async () => {
    const unlink = scene.link();
    const { hash } = await scene.stream();
    await until("Bob knows the thread", () =>
      scene.bob.listThreads().some((each) => each.hash === hash && each.leg === "open"),
    );
    for (let i = 0; i < 5; i++) await scene.alice.payThread(hash, ETHER / 10n);
    await until("Bob has them", () => knows(scene.bob, { hash }).payment?.payment.balanceReceiver === ETHER / 2n);
    const { blob } = await scene.bob.backup({ isOnlyText: true });
    unlink();
    const before = scene.bob.balanceOf();
    await scene.bob.stop();

    const bob = await scene.world.client(4, {
      ...{ store: memoryStore(), autoBackup: false, restoreFrom: [textPlace("the file", blob)] },
    });
    expect(bob.restored).to.include({ from: "the file", isStale: false, threads: 1 });
    expect(knows(bob, { hash }).payment?.payment.balanceReceiver).to.equal(ETHER / 2n);
    await bob.closeThread(hash);
    expect(bob.balanceOf()).to.equal(before + ETHER / 2n);
  });

  it("puts what was paid through a thread to the hub by itself", async () => {
    await scene.bob.stop();
    const automatic = { autoBackup: true, backupAfterMs: 50, store: memoryStore() };
    const bob = await scene.world.client(4, automatic);
    await until("the new device knows its state", () => bob.balanceOf() > 0n);
    const { hash } = await scene.alice.openThread({ to: bob.address, amount: { amountWei: ETHER } });
    await scene.alice.payThread(hash, ETHER / 4n);
    await until("Bob has it", () =>
      bob.listThreads().some((each) => each.payment?.payment.balanceReceiver === ETHER / 4n),
    );
    await bob.stop();
    const again = await scene.world.client(4, { store: memoryStore(), autoBackup: false, restoreFrom: [] });
    expect(again.restored?.from).to.equal("the hub");
    expect(knows(again, { hash }).payment?.payment.balanceReceiver).to.equal(ETHER / 4n);
  });
});
