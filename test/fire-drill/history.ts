import { hashlockOf, ZERO_ADDRESS } from "../../protocol";
import type { ChaosWorld } from "../chaos/chaos-world";
import { converge, ELSEWHERE } from "../chaos/invariants";

const ETHER = 10n ** 18n;

/** What the hub puts into either channel before anything else happens. */
const COLLATERAL = 10n * ETHER;

const PREIMAGE = `0x${"5c".repeat(32)}` as const;

/**
 * A long history of two channels, made by a real hub and real clients: deposits, payments both ways, an exchange, a
 * withdrawal, collateral, and threads that open, are paid through, and close. Four threads are open at its end.
 * @param rounds How often everything happens.
 */
export async function makeHistory(world: ChaosWorld, rounds: number): Promise<void> {
  await beginBoth(world);
  // What comes before a withdrawal cannot be exited with: the contract has paid out more than it knows of.
  await (await world.user("alice")).client.withdraw({ recipient: ELSEWHERE, amountWei: ETHER });
  await converge(world);
  for (let round = 0; round < rounds; round++) {
    for (const [i, step] of STEPS.entries()) {
      await step(world, `${round}-${i}`);
      await converge(world);
    }
  }
  await leaveThreadsOpen(world);
}

async function beginBoth(world: ChaosWorld): Promise<void> {
  for (const user of ["alice", "bob"] as const) {
    const { client } = await world.user(user);
    await client.deposit({ amountWei: 20n * ETHER });
    await client.requestCollateral({ amountWei: COLLATERAL });
    await converge(world);
  }
}

type Step = (world: ChaosWorld, id: string) => Promise<void>;

const STEPS: readonly Step[] = [
  (world, id) => pay(world, "alice", id, 3n * ETHER + 1n),
  (world, id) => pay(world, "bob", id, ETHER + 3n),
  async (world, id) => {
    const payments = [{ type: "PT_CUSTODIAL", recipient: world.address("bob"), amount: { amountWei: ETHER } }] as const;
    await (await world.user("alice")).client.buy({ id, payments });
  },
  async (world) => {
    await (await world.user("alice")).client.exchange(ETHER / 100n, ZERO_ADDRESS, world.token);
  },
  async (world) => {
    await (await world.user("alice")).client.deposit({ amountWei: 2n * ETHER });
  },
  (world) => threadThatCloses(world, false),
  (world) => threadThatCloses(world, true),
  (world, id) => pay(world, "bob", id, 2n * ETHER),
];

async function pay(world: ChaosWorld, from: "alice" | "bob", id: string, amountWei: bigint): Promise<void> {
  const recipient = world.address(from === "alice" ? "bob" : "alice");
  await (await world.user(from)).client.buy({ id, payments: [{ recipient, amount: { amountWei } }] });
}

/** From Alice to Bob, paid through and closed by its receiver. */
async function threadThatCloses(world: ChaosWorld, updatable: boolean): Promise<void> {
  const [{ client: alice }, { client: bob }] = [await world.user("alice"), await world.user("bob")];
  const { hash } = await alice.openThread({ to: bob.address, amount: { amountWei: ETHER }, updatable });
  if (updatable) await alice.updateThread(hash, { balanceReceiver: ETHER / 5n });
  else await alice.payThread(hash, ETHER / 3n);
  await settled(world);
  await bob.closeThread(hash);
}

/** One of each kind, in both directions; each with evidence that only its parties have signed. */
async function leaveThreadsOpen(world: ChaosWorld): Promise<void> {
  const [{ client: alice }, { client: bob }] = [await world.user("alice"), await world.user("bob")];
  const amount = { amountWei: 2n * ETHER };
  const toBob = await alice.openThread({ to: bob.address, amount });
  await alice.payThread(toBob.hash, ETHER + 7n);
  const toAlice = await bob.openThread({ to: alice.address, amount });
  await bob.payThread(toAlice.hash, ETHER / 2n + 11n);
  const updated = await alice.openThread({ to: bob.address, amount, updatable: true });
  await alice.updateThread(updated.hash, { balanceReceiver: ETHER / 4n });
  await alice.apps.payHashlocked({ to: bob.address, asset: ZERO_ADDRESS, amount: ETHER }, hashlockOf(PREIMAGE));
  await converge(world);
  await settled(world);
}

/** What travels between clients has arrived. */
async function settled(world: ChaosWorld): Promise<void> {
  for (let i = 0; i < 2; i++) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    for (const user of ["alice", "bob"] as const) await (await world.user(user)).client.level();
  }
}
