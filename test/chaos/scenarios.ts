import { ethers } from "hardhat";
import type { ConnextClient } from "../../client";
import { hasCode } from "../../client/errors";
import { rowOf, ZERO_ADDRESS, type Hash } from "../../protocol";
import { isInterrupted, type ChaosWorld, type User } from "./chaos-world";
import { converge, ELSEWHERE, type Books } from "./invariants";

const ETHER = 10n ** 18n;

/** One protocol, driven by a caller that asks again, word for word, until it has an answer. */
export interface Scenario {
  readonly name: string;
  /** Brings about what the protocol starts from. Nobody dies here. */
  readonly prepare?: (world: ChaosWorld) => Promise<void>;
  /** Who is online at the start; the others come back at the end. */
  readonly online: readonly User[];
  /** Who asks. */
  readonly caller: User;
  /** Asks once; whoever calls it again after a crash means the same. */
  readonly ask: (client: ConnextClient, world: ChaosWorld) => Promise<void>;
  /** What it changes once it has happened. */
  readonly changes: Books;
}

/** How often a caller asks before this counts as never ending. */
const MAX_TRIES = 12;

/** Asks until it is done, however often somebody dies meanwhile. @param givesUp Not again once the caller itself died */
export async function perform(world: ChaosWorld, { caller, ask }: Scenario, givesUp: boolean): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const { client, life } = await world.user(caller);
    try {
      if (tries > 0) await client.level();
      await ask(client, world);
      return;
    } catch (error) {
      if (!isInterrupted(error) && !life.isDead) throw error;
      if (life.isDead && givesUp) return;
      await world.pump();
    }
  }
  throw new Error("it was asked for too often");
}

/** The state that all of them begin with: Alice has 10 ETH, and Bob can receive 5. */
export async function prepareBase(world: ChaosWorld): Promise<void> {
  const { client: alice } = await world.user("alice");
  const { client: bob } = await world.user("bob");
  await alice.deposit({ amountWei: 10n * ETHER });
  await bob.requestCollateral({ amountWei: 5n * ETHER });
  await converge(world);
}

/** The key of a link. */
const SECRET = `0x${"5e".repeat(32)}`;
const LINK = new ethers.Wallet(SECRET).address;

async function payByLink(world: ChaosWorld): Promise<void> {
  const { client } = await world.user("alice");
  await client.buy({ id: "a-link", payments: [{ type: "PT_LINK", link: LINK, amount: { amountWei: ETHER } }] });
}

/** Time goes on for everybody, the chain included. */
async function passOnChain(world: ChaosWorld, seconds: number): Promise<void> {
  await ethers.provider.send("evm_increaseTime", [seconds]);
  await ethers.provider.send("evm_mine", []);
  world.pass(seconds * 1_000);
}

function payment(type: "PT_CHANNEL" | "PT_CUSTODIAL" | "PT_OPTIMISTIC", amountWei: bigint): Scenario["ask"] {
  return async (client, world) => {
    const recipient = world.address("bob");
    await client.buy({ id: "a-purchase", payments: [{ type, recipient, amount: { amountWei } }] });
  };
}

const STAKE = { amountWei: 2n * ETHER };

/** A thread from Alice to Bob. Whoever died has come back and missed what it was told: it is asked for again. */
async function openThread(client: ConnextClient, world: ChaosWorld, updatable = false): Promise<void> {
  const isOpen = (): boolean => client.listThreads().some(({ leg }) => leg === "open");
  await patiently(world, isOpen, async () => {
    await client.openThread({ to: world.address("bob"), amount: STAKE, updatable });
  });
}

async function closeThread(client: ConnextClient, world: ChaosWorld): Promise<void> {
  const open = (): Hash | undefined => client.listThreads().find(({ leg }) => leg === "open")?.hash;
  await patiently(
    world,
    () => open() === undefined,
    async () => {
      await client.closeThread(open() as Hash);
    },
  );
}

/** The other party may be away for a moment: what needs both is tried again. */
async function patiently(world: ChaosWorld, isDone: () => boolean, step: () => Promise<void>): Promise<void> {
  for (let tries = 0; !isDone(); tries++) {
    try {
      await step();
    } catch (error) {
      const isLate = hasCode(error, "TimedOut", "ThreadNotJoined", "ThreadNotReady", "ThreadDeclined", "ThreadNotOpen");
      if (!isLate || tries > 6) throw error;
      for (const user of ["alice", "bob"] as const) await (await world.user(user)).client.level();
    }
  }
}

async function openedThread(world: ChaosWorld, updatable = false): Promise<void> {
  const { client: alice } = await world.user("alice");
  await world.user("bob");
  await openThread(alice, world, updatable);
  const [thread] = alice.listThreads();
  if (!updatable && thread !== undefined) await alice.payThread(thread.hash, ETHER / 2n);
  await converge(world);
}

const BOTH = { online: ["alice", "bob"], caller: "alice" } as const;

export const SCENARIOS: readonly Scenario[] = [
  {
    ...BOTH,
    name: "deposit",
    changes: { alice: ETHER },
    ask: async (client, world) => {
      const own = await world.world.manager.ledgerOf(client.address, 0n, ZERO_ADDRESS);
      if (own.depositedUser < 11n * ETHER) await client.deposit({ amountWei: ETHER });
    },
  },
  {
    ...BOTH,
    name: "payment PT_CHANNEL",
    changes: { alice: -2n * ETHER, bob: 2n * ETHER },
    ask: payment("PT_CHANNEL", 2n * ETHER),
  },
  {
    ...BOTH,
    name: "payment PT_CHANNEL that needs collateral first",
    changes: { alice: -6n * ETHER, bob: 6n * ETHER },
    ask: payment("PT_CHANNEL", 6n * ETHER),
  },
  {
    ...BOTH,
    name: "payment PT_CUSTODIAL",
    changes: { alice: -ETHER, "bob's custodial": ETHER },
    ask: payment("PT_CUSTODIAL", ETHER),
  },
  {
    ...BOTH,
    name: "payment PT_OPTIMISTIC that waits for collateral",
    changes: { alice: -6n * ETHER, bob: 6n * ETHER },
    ask: payment("PT_OPTIMISTIC", 6n * ETHER),
  },
  {
    ...BOTH,
    name: "payment PT_LINK",
    changes: { alice: -ETHER, held: ETHER },
    ask: (_, world) => payByLink(world),
  },
  {
    ...BOTH,
    name: "purchase of every type at once",
    changes: { alice: -4n * ETHER, bob: 2n * ETHER, "bob's custodial": ETHER, held: ETHER },
    ask: async (client, world) => {
      const recipient = world.address("bob");
      const amount = { amountWei: ETHER };
      const payments = [
        { type: "PT_CHANNEL", recipient, amount },
        { type: "PT_CUSTODIAL", recipient, amount },
        { type: "PT_OPTIMISTIC", recipient, amount },
        { type: "PT_LINK", link: LINK, amount },
      ] as const;
      await client.buy({ id: "all-types", payments });
    },
  },
  {
    name: "payment to a payee who is away, folded into one that waits",
    online: ["alice"],
    caller: "alice",
    prepare: async (world) => {
      await world.leave("bob");
      const { client } = await world.user("alice");
      const payments = [{ recipient: world.address("bob"), amount: { amountWei: ETHER } }];
      await client.buy({ id: "the-first", payments });
    },
    changes: { alice: -ETHER, bob: ETHER },
    ask: payment("PT_CHANNEL", ETHER),
  },
  {
    ...BOTH,
    name: "exchange",
    changes: { alice: -ETHER / 100n, "alice's tokens": 20n * ETHER },
    ask: async (client, world) => {
      if (client.balanceOf(world.token) === 0n) await client.exchange(ETHER / 100n, ZERO_ADDRESS, world.token);
    },
  },
  {
    ...BOTH,
    name: "withdrawal",
    changes: { alice: -3n * ETHER, elsewhere: 3n * ETHER },
    ask: async (client) => {
      const { withdrawnUser } = rowOf(client.getState().state, ZERO_ADDRESS);
      if (withdrawnUser === 0n) await client.withdraw({ recipient: ELSEWHERE, amountWei: 3n * ETHER });
    },
  },
  {
    name: "collateral",
    online: ["alice", "bob"],
    caller: "bob",
    changes: {},
    ask: async (client, world) => {
      await client.requestCollateral({ amountWei: 8n * ETHER });
      await converge(world);
      const missing = await client.recipientNeedsCollateral(client.address, { amountWei: 8n * ETHER });
      if (missing > 0n) throw new Error(`${missing} wei of collateral did not come`);
    },
  },
  {
    name: "redemption of a link",
    online: ["alice", "bob"],
    caller: "bob",
    prepare: payByLink,
    changes: { held: -ETHER, bob: ETHER },
    ask: async (client) => {
      await client.redeem(SECRET);
    },
  },
  {
    ...BOTH,
    name: "refund of a link",
    prepare: async (world) => {
      await payByLink(world);
      await passOnChain(world, 3_601);
    },
    changes: { held: -ETHER, alice: ETHER },
    ask: async (client) => {
      await client.cancelLink(LINK);
    },
  },
  {
    ...BOTH,
    name: "refund of an optimistic payment",
    prepare: async (world) => {
      const { client } = await world.user("alice");
      await payment("PT_OPTIMISTIC", 6n * ETHER)(client, world);
      await passOnChain(world, 3_601);
    },
    changes: { held: -6n * ETHER, alice: 6n * ETHER },
    ask: async (_, world) => {
      for (let i = 0; i < 3; i++) await world.pump();
    },
  },
  {
    name: "custodial balance into the channel",
    online: ["alice", "bob"],
    caller: "bob",
    prepare: async (world) => payment("PT_CUSTODIAL", ETHER)((await world.user("alice")).client, world),
    changes: { "bob's custodial": -ETHER, bob: ETHER },
    ask: async (client) => {
      await client.withdrawCustodial({ id: "out", amount: { amountWei: ETHER } });
    },
  },
  {
    name: "custodial balance to an address on chain",
    online: ["alice", "bob"],
    caller: "bob",
    prepare: async (world) => payment("PT_CUSTODIAL", ETHER)((await world.user("alice")).client, world),
    changes: { "bob's custodial": -ETHER, elsewhere: ETHER },
    ask: async (client) => {
      await client.withdrawCustodial({ id: "out", amount: { amountWei: ETHER }, to: ELSEWHERE });
    },
  },
  {
    ...BOTH,
    name: "opening of a thread",
    changes: { alice: -2n * ETHER, "alice's locked": 2n * ETHER, "bob's locked": 2n * ETHER },
    ask: openThread,
  },
  {
    name: "closing of a thread by its receiver",
    online: ["alice", "bob"],
    caller: "bob",
    prepare: openedThread,
    changes: {
      ...{ alice: (3n * ETHER) / 2n, bob: ETHER / 2n },
      ...{ "alice's locked": -2n * ETHER, "bob's locked": -2n * ETHER },
    },
    ask: closeThread,
  },
  {
    ...BOTH,
    name: "closing of an updatable thread by both",
    prepare: (world) => openedThread(world, true),
    changes: { alice: 2n * ETHER, "alice's locked": -2n * ETHER, "bob's locked": -2n * ETHER },
    ask: closeThread,
  },
];
