import { expect } from "chai";
import { hasCode } from "../../client/errors";
import type { ConnextClient } from "../../client";
import { ZERO_ADDRESS } from "../../protocol";
import { ChaosWorld, type Moment } from "./chaos-world";
import { checkInvariants, converge, requireAlive } from "./invariants";
import { prepareBase } from "./scenarios";

const ETHER = 10n ** 18n;

describe("a side that is put back to an older copy", function () {
  this.timeout(60_000);
  let world: ChaosWorld;
  let base: Moment;
  before(async () => {
    world = await ChaosWorld.open();
    await prepareBase(world);
    base = await world.keep();
  });
  beforeEach(() => world.goTo(base));
  after(() => world.close());

  /** The hub's database as it was, its signer's record as it is. */
  async function restoreHub(): Promise<void> {
    await world.stopHub();
    world.putBack(base.files, "database");
    await world.hub();
  }

  async function pay(from: ConnextClient, amountWei: bigint): Promise<void> {
    await from.buy({ payments: [{ recipient: world.address("bob"), amount: { amountWei } }] });
  }

  for (const times of [1, 2, 5]) {
    it(`H-19: a hub that lost ${times} payments signs nothing before its users have shown their newest states`, async () => {
      const { client: alice } = await world.user("alice");
      await world.user("bob");
      for (let i = 0; i < times; i++) await pay(alice, ETHER / 10n);
      await converge(world);
      const shown = alice.getState().state;
      const bobs = (await world.user("bob")).client.getState().state;
      await world.leave("alice");
      await world.leave("bob");
      await restoreHub();
      const { hub } = await world.hub();
      const channels = hub.services.channels;
      for (const user of ["alice", "bob"] as const) {
        const channel = await channels.load(world.address(user));
        expect(channel.needsProof, `${user} has to show`).to.equal(true);
        const draft = (): unknown =>
          channels.draftOfHub(channel, "Payment", {
            recipient: "user",
            asset: ZERO_ADDRESS,
            amount: 1n,
            payments: [`0x${"ab".repeat(32)}`],
          });
        expect(draft).to.throw().with.property("code", "ReceiverBusy");
      }

      await world.user("alice");
      await world.user("bob");
      await converge(world);
      expect(alice.getState().state).to.deep.equal(shown);
      const again = (await world.user("alice")).client;
      expect(again.balanceOf()).to.equal(10n * ETHER - (BigInt(times) * ETHER) / 10n);
      await pay(again, ETHER);
      await converge(world);
      const after = again.getState().state;
      expect(after.nonce > shown.nonce + 1_000n, `${after.nonce} is far above ${shown.nonce}`).to.equal(true);
      expect((await world.user("bob")).client.getState().state.nonce > bobs.nonce + 1_000n).to.equal(true);
      expect(world.signatures.doubles).to.deep.equal([]);
    });
  }

  it("H-19: a hub that lost only its last payment is not talked into signing below it", async () => {
    const { client: alice } = await world.user("alice");
    await world.leave("bob");
    await pay(alice, ETHER);
    const paid = alice.getState().state;
    await world.leave("alice");
    await restoreHub();
    await world.world.manager.connect(world.world.carol).deposit(alice.address, ZERO_ADDRESS, 5n, false, { value: 5n });
    await world.pump();
    const channel = await (await world.hub()).hub.services.channels.load(alice.address);
    expect(channel.pending, "signed on top of what it has forgotten").to.have.length(0);
    await world.user("alice");
    await converge(world, ["alice"]);
    const { state } = (await world.user("alice")).client.getState();
    expect(state.nonce > paid.nonce).to.equal(true);
    expect((await world.user("alice")).client.balanceOf()).to.equal(9n * ETHER + 5n);
    expect(world.signatures.doubles).to.deep.equal([]);
  });

  it("H-19: a user that shows an older state than the hub countersigned is refused", async () => {
    const { client: alice } = await world.user("alice");
    const old = new Map(world.entriesOf("alice"));
    for (let i = 0; i < 3; i++) await pay(alice, ETHER);
    await converge(world);
    await world.leave("alice");
    await world.leave("bob");
    await restoreHub();
    const own = world.entriesOf("alice");
    const newest = new Map(own);
    own.clear();
    for (const [key, value] of old) own.set(key, value);

    const { client: cheat } = await world.user("alice");
    const refusal = await cheat
      .buy({ payments: [{ type: "PT_CUSTODIAL", recipient: world.address("bob"), amount: { amountWei: 1n } }] })
      .then(() => undefined)
      .catch((error: unknown) => error);
    expect(hasCode(refusal), String(refusal)).to.equal(true);
    const channel = await (await world.hub()).hub.services.channels.load(cheat.address);
    expect(channel.needsProof).to.equal(true);
    expect(await (await world.store()).operation.incidents()).to.be.greaterThan(0);

    await world.leave("alice");
    own.clear();
    for (const [key, value] of newest) own.set(key, value);
    await world.user("alice");
    await converge(world);
    expect((await world.user("alice")).client.balanceOf()).to.equal(7n * ETHER);
  });

  it("H-19: a deposit that came while the hub was being restored is credited once its user has shown its state", async () => {
    const { client: alice } = await world.user("alice");
    for (let i = 0; i < 2; i++) await pay(alice, ETHER);
    await converge(world);
    await world.leave("alice");
    await restoreHub();
    await world.world.manager.connect(world.world.carol).deposit(alice.address, ZERO_ADDRESS, 5n, false, { value: 5n });
    await world.pump();
    await world.user("alice");
    await converge(world);
    expect((await world.user("alice")).client.balanceOf()).to.equal(8n * ETHER + 5n);
  });

  it("a client whose record was put back adopts the newest state of both from the hub and signs above it", async () => {
    const { client: alice } = await world.user("alice");
    await world.user("bob");
    const old = new Map(world.entriesOf("alice"));
    for (let i = 0; i < 2; i++) await pay(alice, ETHER);
    await converge(world);
    const { nonce } = alice.getState().state;
    await world.leave("alice");
    const own = world.entriesOf("alice");
    own.clear();
    for (const [key, value] of old) own.set(key, value);
    const { client: again } = await world.user("alice");
    await converge(world);
    expect(again.getState().state.nonce).to.equal(nonce);
    expect(again.balanceOf()).to.equal(8n * ETHER);
    await requireAlive(world);
    expect(again.getState().state.nonce > nonce).to.equal(true);
  });

  it("a client that lost its record goes on above everything its key signed before", async () => {
    const { client: alice } = await world.user("alice");
    await world.user("bob");
    for (let i = 0; i < 2; i++) await pay(alice, ETHER);
    await converge(world);
    await world.leave("alice");
    world.entriesOf("alice").clear();
    const { client: again } = await world.user("alice");
    await converge(world);
    expect(again.balanceOf()).to.equal(8n * ETHER);
    await requireAlive(world);
  });

  it("a deposit that was mined while the hub was down is credited at its start, whoever is online", async () => {
    const { client: alice } = await world.user("alice");
    await world.leave("alice");
    await world.stopHub();
    await world.world.manager.connect(world.world.carol).deposit(alice.address, ZERO_ADDRESS, 5n, false, { value: 5n });
    await world.hub();
    await world.pump();
    const channel = await (await world.hub()).hub.services.channels.load(alice.address);
    expect(channel.pending.map(({ update }) => update.reason)).to.deep.equal(["Deposit"]);
    await world.user("alice");
    await converge(world);
    await checkInvariants(world);
  });
});
