import { expect } from "chai";
import { mine, setBalance, time } from "@nomicfoundation/hardhat-network-helpers";
import { join } from "node:path";
import { ethers } from "hardhat";
import { JsonRpcProvider, Wallet } from "ethers";
import type { ConnextClient, TowerAlarm } from "../../client";
import { parseAddress, ZERO_ADDRESS } from "../../protocol";
import { verifyReceipts, type Receipts } from "../../scripts/verify-receipt";
import { completeTowerConfig, type WatchtowerConfig } from "../../watchtower/config";
import { createWatchtower, type Watchtower } from "../../watchtower/create-watchtower";
import { silentLog } from "../../watchtower/log";
import { systemClock } from "../../watchtower/clock";
import { openTowerStore } from "../../watchtower/store/sqlite/tower-store";
import { expectCoded } from "../support/expect-coded";
import { hubWorld, until, type HubWorld } from "../support/hub";
import { PERIOD } from "../support/world";

const PAYEE = parseAddress("0x00000000000000000000000000000000000fee00");

describe("client.registerWithTower", () => {
  let world: HubWorld;
  let alice: ConnextClient;
  let bob: ConnextClient;
  let tower: Watchtower;
  let url: string;

  const openTower = async (config: Partial<WatchtowerConfig> = {}): Promise<void> => {
    const { chainId, channelManager } = world.config;
    const wallet = Wallet.createRandom();
    await setBalance(wallet.address, 10n ** 20n);
    const given = { chainId, channelManager, confirmations: 1, pollIntervalMs: 3_600_000, requestsPerMinute: 100_000 };
    tower = await createWatchtower({
      config: completeTowerConfig({ ...given, ...config }),
      store: openTowerStore(join(world.folder, `tower-${wallet.address}.sqlite`)),
      privateKey: wallet.privateKey,
      provider: new JsonRpcProvider(world.ethUrl, chainId, { staticNetwork: true, cacheTimeout: -1, batchMaxCount: 1 }),
      clock: systemClock,
      log: silentLog,
    });
    url = await tower.app.listen({ host: "127.0.0.1", port: 0 });
  };

  beforeEach(async () => {
    world = await hubWorld();
    alice = await world.client(3);
    bob = await world.client(4);
    await alice.deposit({ amountWei: 1_000_000n });
    await bob.deposit({ amountWei: 1_000n });
  });
  afterEach(async () => {
    await tower.close();
    await world.close();
  });

  const pay = (amount: bigint) => alice.buy({ payments: [{ recipient: bob.address, asset: ZERO_ADDRESS, amount }] });
  const newest = () => alice.getState().state.nonce;

  it("keeps the tower level with every state, and checks what it promises", async () => {
    await openTower();
    const guard = await alice.registerWithTower({ url, tower: tower.address });
    expect(guard.receipts?.receipt.nonce).to.equal(newest());
    await pay(100n);
    await until("the tower to be level", () => guard.receipts?.receipt.nonce === newest());
    expect(guard.isBehind).to.equal(false);
    expect(verifyReceipts(guard.receipts?.wire as Receipts, tower.address)).to.have.length(1);
  });

  it("guards a user that went offline against the hub's exit with an older state", async () => {
    await openTower();
    const old = alice.exportEvidence().doubleSigned as never as { state: never; sigHub: string; sigUser: string };
    const guard = await alice.registerWithTower({ url });
    const before = alice.balanceOf();
    await bob.buy({ payments: [{ recipient: alice.address, asset: ZERO_ADDRESS, amount: 300n }] });
    await until("alice to be paid", () => alice.balanceOf() === before + 300n && alice.getState().isDoubleSigned);
    await until("the tower to be level", () => !guard.isBehind);
    const newestBalance = alice.balanceOf();
    await alice.stop();
    await world.stopHub();
    await world.manager.connect(world.hub).startExit(old.state, old.sigHub, old.sigUser);
    for (let i = 0; i < 3; i++) await tower.tick();
    const { session } = await world.manager.channelOf(alice.address);
    await time.increase(PERIOD + 1n);
    const had = await ethers.provider.getBalance(alice.address);
    for (let i = 0; i < 3; i++) await tower.tick().then(() => mine());
    expect((await ethers.provider.getBalance(alice.address)) - had).to.equal(newestBalance);
    expect((await world.manager.channelOf(alice.address)).session).to.equal(session + 1n);
  });

  it("guards threads, and each payment through them", async () => {
    await openTower();
    const guard = await alice.registerWithTower({ url });
    const { hash } = await alice.openThread({ to: bob.address, amount: { amountWei: 500n } });
    await until("the thread to be guarded", () => guard.receipts?.threads[0]?.threadHash === hash);
  });

  it("tells when the tower stays behind, once, and is level again when it is back", async () => {
    await openTower();
    const alarms: TowerAlarm[] = [];
    alice.on("towerBehind", (alarm) => alarms.push(alarm));
    const guard = await alice.registerWithTower({ url, graceMs: 0 });
    const guarded = newest();
    await tower.app.close();
    await pay(100n);
    await until("the alarm", () => alarms.length > 0);
    expect(alarms[0]).to.include({ url, guarded });
    expect(alarms[0]?.newest).to.satisfy((nonce: bigint) => nonce > guarded);
    expect(guard.isBehind).to.equal(true);
    await expectCoded(guard.sync(), "TowerUnreachable");
    expect(alarms).to.have.length(1);
  });

  it("refuses a receipt of any other key", async () => {
    await openTower();
    await expectCoded(alice.registerWithTower({ url, tower: bob.address }), "TowerReceiptWrong");
  });

  it("pays the tower's fee through the hub, once, up to what it may", async () => {
    await openTower({ fee: { payee: PAYEE, asset: ZERO_ADDRESS, amount: 50n, days: 30 } });
    await expectCoded(alice.registerWithTower({ url }), "TowerFeeUnpaid");
    await expectCoded(alice.registerWithTower({ url, payUpTo: 49n }), "TowerFeeUnpaid");
    const before = alice.balanceOf();
    const guard = await alice.registerWithTower({ url, payUpTo: 50n });
    expect(before - alice.balanceOf()).to.equal(50n);
    expect(guard.isBehind).to.equal(false);
    expect((await guard.status(alice.address)).paidUntil).to.be.greaterThan(Date.now() / 1000);
    await alice.registerWithTower({ url, payUpTo: 50n });
    expect(before - alice.balanceOf()).to.equal(50n);
  });
});
