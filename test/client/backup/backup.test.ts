import { expect } from "chai";
import { mine, time } from "@nomicfoundation/hardhat-network-helpers";
import { Wallet, type TypedDataDomain, type TypedDataField } from "ethers";
import { WebSocket } from "ws";
import {
  getConnextClient,
  hasCode,
  memoryStore,
  textPlace,
  towerPlace,
  type ClientOptions,
  type ConnextClient,
  type KeptBackup,
  type TowerBackups,
} from "../../../client";
import type { SocketConstructor } from "../../../client/connection";
import { DEVICES } from "../../../client/engine/record";
import type { ClientStore } from "../../../client/store";
import { hubError, type Address } from "../../../protocol";
import { developmentKey, hubWorld, type HubWorld } from "../../support/hub";
import { PERIOD, type SignedState } from "../../support/world";

const ETHER = 10n ** 18n;
const ALICE = 3;
const BOB = 4;

/** Every state that any client of this key ever signed, by nonce. */
class WatchedKey extends Wallet {
  readonly states = new Map<string, Set<string>>();

  override async signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<string> {
    if ("ChannelState" in types) {
      const nonce = String(value.nonce);
      const text = JSON.stringify(value, (_key, each: unknown) => (typeof each === "bigint" ? each.toString() : each));
      this.states.set(nonce, (this.states.get(nonce) ?? new Set()).add(text));
    }
    return super.signTypedData(domain, types, value);
  }

  get doubles(): readonly string[] {
    return [...this.states].filter(([, states]) => states.size > 1).map(([nonce]) => nonce);
  }
}

/** A tower as far as backups go: one per user, versions only rise. */
function testTower(guarded?: bigint): TowerBackups & { readonly kept: Map<Address, KeptBackup> } {
  const kept = new Map<Address, KeptBackup>();
  return {
    kept,
    putBackup: (user, backup) => {
      const standing = kept.get(user);
      if (standing !== undefined && backup.version <= standing.version) {
        return Promise.reject(hubError("BackupNotNewer", { standing: standing.version, given: backup.version }));
      }
      kept.set(user, backup);
      return Promise.resolve();
    },
    getBackup: (user) => Promise.resolve(kept.get(user)),
    guardedNonce: () => Promise.resolve(guarded),
  };
}

describe("a client's backup", function () {
  this.timeout(60_000);
  let world: HubWorld;
  let key: WatchedKey;
  beforeEach(async () => {
    world = await hubWorld();
    key = new WatchedKey(developmentKey(ALICE));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.stop().catch(() => undefined);
    await world.close();
  });

  const clients: ConnextClient[] = [];
  type Overrides = Partial<Omit<ClientOptions, "signer">>;

  /** Alice's client, on a new store unless one is given; nothing is backed up by itself unless asked for. */
  async function alice(overrides: Overrides = {}): Promise<ConnextClient> {
    const client = await getConnextClient({
      ...{ hubUrl: world.hubUrl, ethUrl: world.ethUrl, store: memoryStore(), autoBackup: false, confirmations: 1 },
      ...{ webSocket: WebSocket as unknown as SocketConstructor, pollIntervalMs: 100, ...overrides },
      signer: key,
    });
    clients.push(client);
    return client;
  }

  /** A store that has lost everything but the hub's word about itself, for when the hub is away. */
  async function emptied(store: ClientStore): Promise<ClientStore> {
    const empty = memoryStore();
    await empty.write({ config: await store.get("config") });
    return empty;
  }

  async function pay(from: ConnextClient, amountWei: bigint, times = 1): Promise<void> {
    for (let i = 0; i < times; i++) {
      await from.buy({ payments: [{ type: "PT_CUSTODIAL", recipient: world.bob.address, amount: { amountWei } }] });
    }
  }

  async function funded(overrides: Overrides = {}): Promise<ConnextClient> {
    const client = await alice(overrides);
    await client.deposit({ amountWei: 10n * ETHER });
    return client;
  }

  it("comes back from a file onto another device, which goes on far above it", async () => {
    const first = await funded();
    await pay(first, ETHER);
    const { blob } = await first.backup({ isOnlyText: true });
    const { state } = first.getState();
    await first.stop();

    const second = await alice({ restoreFrom: [textPlace("the file", blob)] });
    expect(second.restored).to.include({ from: "the file", isStale: false, nonce: state.nonce });
    expect(second.balanceOf()).to.equal(9n * ETHER);
    await pay(second, ETHER);
    expect(second.balanceOf()).to.equal(8n * ETHER);
    expect(second.getState().state.nonce >= state.nonce + 1_000n * DEVICES).to.equal(true);
    expect(key.doubles).to.deep.equal([]);
  });

  it("that is stale is said to be, and nothing is signed twice from it", async () => {
    const first = await funded();
    const { blob } = await first.backup({ isOnlyText: true });
    await pay(first, ETHER, 3);
    const { nonce } = first.getState().state;
    await first.stop();

    const second = await alice({ restoreFrom: [textPlace("the file", blob)] });
    expect(second.restored?.isStale).to.equal(true);
    expect(second.restored?.newestNonce).to.equal(nonce);
    expect(second.balanceOf()).to.equal(7n * ETHER);
    await pay(second, ETHER, 2);
    expect(second.balanceOf()).to.equal(5n * ETHER);
    expect(key.states.size).to.be.greaterThan(5);
    expect(key.doubles).to.deep.equal([]);
  });

  it("restored while the hub is away signs nothing until the hub was asked", async () => {
    const store = memoryStore();
    const first = await funded({ store });
    const { blob } = await first.backup({ isOnlyText: true });
    await pay(first, ETHER, 2);
    await first.stop();
    await world.stopHub();

    const second = await alice({
      store: await emptied(store),
      restoreFrom: [textPlace("the file", blob)],
      patienceMs: 300,
      timeoutMs: 300,
    });
    expect(second.restored?.isStale).to.equal(undefined);
    const signed = key.states.size;
    const refusal: unknown = await pay(second, ETHER).catch((error: unknown) => error);
    expect(hasCode(refusal), String(refusal)).to.equal(true);
    expect(key.states.size).to.equal(signed);

    world = await world.restartHub();
    await second.level();
    expect(second.balanceOf()).to.equal(8n * ETHER);
    await pay(second, ETHER);
    expect(key.doubles).to.deep.equal([]);
  });

  it("is put to the hub and to the tower after a change, by itself, and comes back from either", async () => {
    const tower = testTower();
    const places = [towerPlace(tower, world.alice.address.toLowerCase() as Address)];
    const automatic = { autoBackup: true, backupAfterMs: 20, backupPlaces: places };
    const first = await funded(automatic);
    await pay(first, ETHER);
    const { nonce } = first.getState().state;
    await first.stop(); // puts what waits

    for (const from of ["the hub", "the tower"]) {
      const isHub = from === "the hub";
      const second = await alice({ restoreFrom: isHub ? [] : places });
      expect(second.restored?.places.find(({ place }) => place === from)?.version).to.be.a("bigint");
      expect(second.restored).to.include({ isStale: false, nonce });
      expect(second.balanceOf()).to.equal(9n * ETHER);
      await second.stop();
    }
  });

  it("comes from the tower when the hub gives an old one, which is said", async () => {
    const tower = testTower();
    const user = world.alice.address.toLowerCase() as Address;
    const first = await funded({ backupPlaces: [towerPlace(tower, user)] });
    await first.backup();
    const old = await world.hubServer.services.store.backups.load(user);
    await pay(first, ETHER, 2);
    expect((await first.backup()).failed.size).to.equal(0);
    const { nonce } = first.getState().state;
    await first.stop();
    const lying = textPlace("a hub that hides the newest", old?.blob ?? "");

    const second = await alice({ restoreFrom: [lying, towerPlace(tower, user)] });
    expect(second.restored).to.include({ from: "the tower", nonce, isStale: false });
    expect(second.restored?.outdated).to.include("a hub that hides the newest");
    await pay(second, ETHER);
    expect(second.balanceOf()).to.equal(7n * ETHER);
    expect(key.doubles).to.deep.equal([]);
  });

  it("that the hub alone has, in an old version, is found stale by what the tower guards", async () => {
    const first = await funded();
    const { blob } = await first.backup({ isOnlyText: true });
    await pay(first, ETHER, 2);
    const { nonce } = first.getState().state;
    await first.stop();
    const guard = towerPlace(testTower(nonce + 5n), world.alice.address.toLowerCase() as Address);
    const second = await alice({ restoreFrom: [textPlace("the hub's", blob), guard] });
    expect(second.restored?.isStale).to.equal(true);
    await pay(second, ETHER);
    expect(second.getState().state.nonce >= nonce + 5n + 1_000n * DEVICES).to.equal(true);
    expect(key.doubles).to.deep.equal([]);
  });

  it("that is older never takes the place of a newer one, at the hub", async () => {
    const first = await funded();
    const user = first.address;
    await first.backup();
    const { backups, database } = world.hubServer.services.store;
    const standing = await backups.load(user);
    const older = { user, version: (standing?.version ?? 0n) - 1n, blob: "old", storedAtMs: 1 };
    const refusal: unknown = await database.write((tx) => backups.save(tx, older)).catch((error: unknown) => error);
    expect((refusal as Error).name).to.equal("ConflictError");
    expect(await backups.load(user)).to.deep.equal(standing);
  });

  it("of a device that lost its store does not replace what is at the hub before it has taken that over", async () => {
    const first = await funded();
    for (let i = 0; i < 3; i++) {
      await pay(first, ETHER);
      await first.backup();
    }
    await first.stop();
    const second = await alice();
    await pay(second, ETHER);
    expect((await second.backup()).failed.size).to.equal(0);
    const kept = await world.hubServer.services.store.backups.load(second.address);
    expect((kept?.version ?? 0n) > 3n).to.equal(true);
    await pay(second, ETHER);
    expect(second.balanceOf()).to.equal(5n * ETHER);
  });

  it("that was changed, or is of another key, is refused, and the client is left as it was", async () => {
    const first = await funded();
    const { blob } = await first.backup({ isOnlyText: true });
    const { state } = first.getState();
    const damaged: unknown = await first
      .restore([textPlace("a file", `${blob.slice(0, -9)}AAAAAAAAA`)])
      .catch((e: unknown) => e);
    expect(hasCode(damaged, "BackupDamaged", "BackupMalformed")).to.equal(true);
    const bob = await world.client(BOB, { autoBackup: false });
    const refusal: unknown = await bob.restore([textPlace("a file", blob)]).catch((error: unknown) => error);
    expect(hasCode(refusal, "BackupNotOurs")).to.equal(true);
    expect(first.getState().state).to.deep.equal(state);
  });

  describe("with the key and the chain alone", () => {
    it("settles an exit that a cheating hub has started, and never signs below it", async () => {
      const store = memoryStore();
      const first = await funded({ store });
      await pay(first, ETHER);
      const old = signedOf(first);
      await pay(first, ETHER, 2);
      await first.stop();
      await world.stopHub();
      await world.manager.connect(world.hub).startExit(...old);

      const second = await alice({ store: await emptied(store), restoreFrom: [], autoSettle: false, timeoutMs: 300 });
      expect(second.restored?.from).to.equal(undefined);
      expect(second.getState().state.nonce).to.equal(old[0].nonce);
      const floor = BigInt(old[0].nonce) + 1_000n * DEVICES;
      await time.increase(PERIOD);
      await (await second.settle()).wait();
      expect((await world.manager.channelOf(second.address)).session).to.equal(1n);
      world = await world.restartHub();
      await mine(2);
      await second.deposit({ amountWei: ETHER });
      await pay(second, 1n);
      expect(second.getState().state.nonce >= floor).to.equal(true);
      expect(key.doubles).to.deep.equal([]);
    });

    it("and a backup, answers the exit of a cheating hub with the newest state", async () => {
      const store = memoryStore();
      const first = await funded({ store });
      await pay(first, ETHER);
      const old = signedOf(first);
      await pay(first, ETHER);
      const { blob } = await first.backup({ isOnlyText: true });
      const { nonce } = first.getState().state;
      await first.stop();
      await world.stopHub();
      await world.manager.connect(world.hub).startExit(...old);

      const second = await alice({
        store: await emptied(store),
        restoreFrom: [textPlace("paper", blob)],
        timeoutMs: 300,
        autoSettle: false,
      });
      await eventually(async () => (await world.manager.channelOf(second.address)).exitNonce === nonce);
      expect(key.doubles).to.deep.equal([]);
    });

    it("asks the hub for the rest where no exit runs, and leaves with everything where there is no hub", async () => {
      const store = memoryStore();
      const first = await funded({ store });
      await pay(first, ETHER);
      await first.stop();
      const second = await alice({ restoreFrom: [] });
      expect(second.balanceOf()).to.equal(9n * ETHER);
      await second.stop();

      await world.stopHub();
      const third = await alice({ store: await emptied(store), restoreFrom: [], timeoutMs: 300, autoSettle: false });
      await (await third.startExit()).wait();
      expect((await world.manager.channelOf(third.address)).exitNonce).to.equal(0n);
      expect(key.doubles).to.deep.equal([]);
    });
  });

  function signedOf(client: ConnextClient): SignedState {
    const { doubleSigned } = client.exportEvidence();
    const { state, sigHub, sigUser } = doubleSigned as unknown as {
      state: SignedState[0];
      sigHub: string;
      sigUser: string;
    };
    return [{ ...state, nonce: BigInt(state.nonce) }, sigHub, sigUser];
  }
});

async function eventually(isTrue: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect.fail("it did not happen");
}
