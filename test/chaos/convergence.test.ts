import { expect } from "chai";
import { loadChannel } from "../../hub/services/channel";
import { ChaosWorld, type Moment } from "./chaos-world";
import { booksOf, checkInvariants, converge, plus } from "./invariants";
import { prepareBase } from "./scenarios";
import { Choices, unreliableWire } from "./unreliable-wire";

const ETHER = 10n ** 18n;
const PRICE = 1_000n;

/** Choices in a row that are walked through in full; `CHAOS_DEPTH=4` takes some minutes. */
const DEPTH = Number(process.env.CHAOS_DEPTH ?? 3);

describe("hub and user sign at once", function () {
  this.timeout(1_200_000);
  let world: ChaosWorld;
  let base: Moment;
  before(async () => {
    world = await ChaosWorld.open();
    await prepareBase(world);
    const { client } = await world.user("alice");
    const recipient = world.address("bob");
    await client.buy({ payments: [{ type: "PT_CUSTODIAL", recipient, amount: { amountWei: ETHER } }] });
    await client.buy({ payments: [{ recipient, amount: { amountWei: ETHER } }] });
    await converge(world);
    base = await world.keep();
  });
  beforeEach(() => world.goTo(base));
  afterEach(() => (world.wire = undefined));
  after(() => world.close());

  /** Pays with one id until there is an answer. */
  async function pay(from: "alice" | "bob" | "twin", id: string, amountWei = PRICE): Promise<void> {
    const { client } = await world.user(from);
    const recipient = world.address(from === "bob" ? "alice" : "bob");
    const type = from === "bob" ? "PT_CHANNEL" : "PT_CUSTODIAL";
    for (let tries = 0; ; tries++) {
      try {
        await client.buy({ id, payments: [{ type, recipient, amount: { amountWei } }] });
        return;
      } catch (error) {
        if (tries > 5 || (error as { code?: unknown }).code !== "AnswerUnknown") throw error;
      }
    }
  }

  it(`H-14: every interleaving, loss, repetition and reordering of ${DEPTH} messages at one nonce ends level`, async () => {
    await world.user("alice");
    await world.user("bob");
    const choices = new Choices(DEPTH);
    let runs = 0;
    do {
      runs++;
      const before = await booksOf(world);
      const fromBob: Promise<void>[] = [];
      world.wire = unreliableWire(choices, "alice", async () => {
        const paid = pay("bob", `bob-${runs}-${fromBob.length}`);
        fromBob.push(paid.catch((error: unknown) => Promise.reject(error as Error)));
        // Bob's payment may have to wait for Alice, who goes first after a collision.
        await Promise.race([paid.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 60))]);
      });
      try {
        await pay("alice", `alice-${runs}`);
        await Promise.all(fromBob);
        await converge(world);
        world.wire = undefined;
        await converge(world);
        await checkInvariants(world);
        const received = BigInt(fromBob.length) * PRICE;
        const changes = { alice: received - PRICE, bob: -received, "bob's custodial": PRICE };
        expect(await booksOf(world)).to.deep.equal(plus(before, changes));
      } catch (error) {
        (error as Error).message = `choices ${choices.toString()}: ${(error as Error).message}`;
        throw error;
      }
    } while (choices.next());
    console.log(`      ${runs} interleavings`);
  });

  it("H-14: two devices with one key pay at once; both go on, and no nonce has two states", async () => {
    await world.user("alice");
    await world.user("bob");
    await world.user("twin");
    const before = await booksOf(world);
    for (let round = 0; round < 3; round++) {
      const ids = [0, 1, 2].map((i) => `${round}-${i}`);
      await Promise.all(ids.flatMap((id) => [pay("alice", `phone-${id}`), pay("twin", `laptop-${id}`)]));
    }
    await converge(world, ["alice", "twin", "bob"]);
    const changes = { alice: -18n * PRICE, "bob's custodial": 18n * PRICE };
    expect(await booksOf(world)).to.deep.equal(plus(before, changes));
    await checkInvariants(world, ["alice", "twin", "bob"]);
  });

  it("H-14: two devices and the hub's own payments to them, all at once", async () => {
    await world.user("alice");
    await world.user("bob");
    await world.user("twin");
    const before = await booksOf(world);
    const payers = ["alice", "twin", "bob"] as const;
    for (let round = 0; round < 4; round++) {
      await Promise.all(payers.map((payer) => pay(payer, `${payer}-${round}`)));
    }
    await converge(world, payers);
    const changes = { alice: -4n * PRICE, bob: -4n * PRICE, "bob's custodial": 8n * PRICE };
    expect(await booksOf(world)).to.deep.equal(plus(before, changes));
    await checkInvariants(world, payers);
  });

  it("H-15: a stream of one wei to somebody who pays all the time stops neither", async () => {
    await world.user("alice");
    await world.user("bob");
    const before = await booksOf(world);
    const stream = async (from: "alice" | "bob", amount: bigint): Promise<void> => {
      for (let i = 0; i < 25; i++) await pay(from, `${from}-${i}`, amount);
    };
    await Promise.all([stream("bob", 1n), stream("alice", PRICE)]);
    await converge(world);
    const changes = { alice: 25n - 25n * PRICE, bob: -25n, "bob's custodial": 25n * PRICE };
    expect(await booksOf(world)).to.deep.equal(plus(before, changes));
    await checkInvariants(world);
  });

  it("H-15: a stream of one wei to somebody who is away is one update", async () => {
    await world.user("bob");
    await world.leave("alice");
    for (let i = 0; i < 40; i++) await pay("bob", `drop-${i}`, 1n);
    const channel = await loadChannel((await world.store()).channels, world.address("alice"));
    expect(channel?.pending).to.have.length(1);
    await world.user("alice");
    await converge(world);
    await checkInvariants(world);
    expect((await world.user("alice")).client.balanceOf()).to.equal(8n * ETHER + 40n);
  });
});
