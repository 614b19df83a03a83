import { ethers } from "hardhat";
import { setBalance, time } from "@nomicfoundation/hardhat-network-helpers";
import type { ContractTransactionResponse } from "ethers";
import {
  collateralize,
  deposit,
  exitAndSettle,
  exitToDeadline,
  freshWorld,
  signPayment,
  signState,
} from "../support/world";
import { PERIOD, signThread, signUpdate, threadHash, type World } from "../support/world";
import { ETH, row, state, terms, type AssetRow, type State, type Terms } from "../support/states";
import { proveThread, rootOf } from "../support/thread-tree";

/** An amount with 16 bytes that are not zero, so that calldata costs what it costs at worst. */
const WIDE = BigInt(`0x${"01".repeat(16)}`);

/**
 * What one transaction costs, as a user would pay it: gas after refunds, cold storage, a stranger relaying where that
 * is allowed, amounts of full width.
 */
export interface Scenario {
  readonly name: string;
  /** What the specification allows; none for scenarios that it does not name. */
  readonly budget?: number;
  /** Storage, curve, calldata and events alone, as estimated before anything was built. */
  readonly floor?: number;
  /** Connext v1 as shipped. */
  readonly predecessor?: number;
  /** Why the honest figure is above the budget. */
  readonly overBudget?: string;
  readonly measure: (world: World) => Promise<number>;
}

async function gasOf(sent: Promise<ContractTransactionResponse>): Promise<number> {
  const receipt = await (await sent).wait();
  if (receipt === null) throw new Error("the transaction was not mined");
  return Number(receipt.gasUsed);
}

/** A world in which everybody is rich and the contract holds every asset already. */
async function wealthyWorld(): Promise<World> {
  const world = await freshWorld();
  for (const person of [world.hub, world.alice, world.bob, world.carol]) {
    await setBalance(person.address, 2n ** 127n);
    await world.token.mint(person, 2n ** 126n);
  }
  const asset = await world.token.getAddress();
  await deposit(world, world.carol, WIDE);
  await deposit(world, world.carol, WIDE, { asset });
  await world.manager.connect(world.hub).fundReserve(ETH, 4n * WIDE, { value: 4n * WIDE });
  await world.manager.connect(world.hub).fundReserve(asset, 4n * WIDE);
  return world;
}

/** Runs a scenario in a wealthy world. */
export async function measure(scenario: Scenario): Promise<number> {
  return scenario.measure(await wealthyWorld());
}

/** A row in which the user deposited 8 and the hub 4, the user withdrew `withdrawn`, and each kept the rest. */
function wideRow(asset: string, withdrawn: bigint, locked = 0n): AssetRow {
  return row({
    asset,
    depositedUser: 8n * WIDE,
    depositedHub: 4n * WIDE,
    balanceHub: 4n * WIDE,
    locked,
    withdrawnUser: withdrawn,
    balanceUser: 8n * WIDE - withdrawn - locked,
  });
}

/** Puts 8 on Alice's side and 4 on the hub's. */
async function fundAlice(world: World, assets: readonly string[]): Promise<void> {
  for (const asset of assets) {
    await deposit(world, world.alice, 8n * WIDE, { asset });
    await collateralize(world, world.alice, 4n * WIDE, asset);
  }
}

/** A channel with a past: Alice settled once before. */
async function settleOnce(world: World): Promise<void> {
  await deposit(world, world.alice, WIDE);
  const zero = state(world.alice.address, [row()], { nonce: 0n });
  await exitAndSettle(world, world.alice, [zero, "0x", "0x"]);
}

async function depositEth(world: World): Promise<number> {
  return gasOf(world.manager.connect(world.alice).deposit(world.alice, ETH, WIDE, false, { value: WIDE }));
}

async function depositToken(world: World, allowance: bigint): Promise<number> {
  await world.token.connect(world.alice).approve(world.address, allowance);
  return gasOf(world.manager.connect(world.alice).deposit(world.alice, world.token, WIDE, false));
}

function collateralizeMany(world: World, users: readonly string[]): Promise<number> {
  const batch = users.map((user) => ({ user, asset: ETH, amount: WIDE / 1000n }));
  return gasOf(world.manager.connect(world.hub).collateralize(batch));
}

const strangers = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => ethers.dataSlice(ethers.id(`user ${i}`), 0, 20));

/** (gas of 100 - gas of 1) / 99: what one more channel in the batch costs. */
async function marginalCollateral(world: World, existing: boolean): Promise<number> {
  const users = strangers(102);
  if (existing) await collateralizeMany(world, users);
  const one = await collateralizeMany(world, users.slice(0, 1));
  const hundred = await collateralizeMany(world, users.slice(1, 101));
  return Math.round((hundred - one) / 99);
}

async function withdraw(world: World, assets: readonly string[], before: bigint): Promise<number> {
  await fundAlice(world, assets);
  const { manager, alice, carol } = world;
  const withdrawn = (amount: bigint, nonce: bigint): State =>
    state(
      alice.address,
      assets.map((asset) => wideRow(asset, amount)),
      { nonce },
    );
  if (before > 0n) await manager.connect(carol).withdraw(...(await signState(world, alice, withdrawn(before, 1n))));
  return gasOf(manager.connect(carol).withdraw(...(await signState(world, alice, withdrawn(before + WIDE, 2n)))));
}

/** Alice never deposited: everything she withdraws was paid to her out of collateral. */
async function withdrawEarned(world: World): Promise<number> {
  await collateralize(world, world.alice, 4n * WIDE);
  const earned = row({ depositedHub: 4n * WIDE, balanceHub: 2n * WIDE, balanceUser: WIDE, withdrawnUser: WIDE });
  const signed = await signState(world, world.alice, state(world.alice.address, [earned]));
  return gasOf(world.manager.connect(world.carol).withdraw(...signed));
}

async function startExit(world: World): Promise<number> {
  const { session } = await world.manager.channelOf(world.alice);
  await fundAlice(world, [ETH]);
  const signed = await signState(world, world.alice, state(world.alice.address, [wideRow(ETH, 0n)], { session }));
  return gasOf(world.manager.connect(world.alice).startExit(...signed));
}

async function challenge(world: World, assets: readonly string[]): Promise<number> {
  const { manager, alice, carol } = world;
  await fundAlice(world, assets);
  const rows = assets.map((asset) => wideRow(asset, 0n));
  await manager.connect(alice).startExit(...(await signState(world, alice, state(alice.address, rows))));
  const newer = await signState(world, alice, state(alice.address, rows, { nonce: 2n }));
  return gasOf(manager.connect(carol).challenge(...newer));
}

/** ETH and the token; the hub has collateral in the token, and in ETH if `hubHasEther`. */
async function settle(world: World, hubHasEther: boolean): Promise<number> {
  const asset = await world.token.getAddress();
  await deposit(world, world.alice, 8n * WIDE);
  if (hubHasEther) await collateralize(world, world.alice, 4n * WIDE);
  await fundAlice(world, [asset]);
  const ether = hubHasEther ? wideRow(ETH, 0n) : row({ depositedUser: 8n * WIDE, balanceUser: 8n * WIDE });
  const rows = [ether, wideRow(asset, 0n)];
  const signed = await signState(world, world.alice, state(world.alice.address, rows));
  await exitToDeadline(world, world.alice, signed);
  return gasOf(world.manager.connect(world.carol).settle(...signed));
}

const wideThread = (world: World, overrides: Partial<Terms> = {}): Terms =>
  terms(world.alice.address, world.bob.address, { salt: ethers.id("salt"), balanceSender: WIDE, ...overrides });

async function openWith(world: World, evidence: "terms" | "payment" | "update"): Promise<number> {
  const { alice, bob } = world;
  const thread = wideThread(world, { updatable: evidence === "update" });
  const signed = await signThread(world, alice, bob, thread);
  const relayed = world.manager.connect(world.carol);
  if (evidence === "terms") return gasOf(relayed.challengeThread(signed));
  const balanceReceiver = WIDE - 1n;
  if (evidence === "payment") {
    const signature = await signPayment(world, alice, thread, balanceReceiver);
    return gasOf(relayed.challengeThreadWithPayment(signed, balanceReceiver, signature));
  }
  const update = await signUpdate(world, alice, bob, thread, { nonce: WIDE >> 64n, balanceReceiver });
  return gasOf(relayed.challengeThreadWithUpdate(signed, update));
}

async function resolveHashlock(world: World): Promise<number> {
  const preimage = ethers.id("secret");
  const appState = ethers.sha256(preimage);
  const app = await world.hashlock.getAddress();
  const thread = wideThread(world, { app, appStateHash: ethers.keccak256(appState) });
  const signed = await signThread(world, world.alice, world.bob, thread);
  const relayed = world.manager.connect(world.carol);
  await relayed.challengeThread(signed);
  // An open record proves the terms: their signatures need not be shown again.
  return gasOf(relayed.resolveThread({ thread, sigSender: "0x", sigReceiver: "0x" }, appState, preimage));
}

/** Settles one of `leaves` threads; the session still holds the stakes of `unsettled` of them. */
async function settleThread(world: World, leaves: number, unsettled: number): Promise<number> {
  const { manager, alice, bob, carol } = world;
  const stake = WIDE / 100n;
  const threads = Array.from({ length: leaves }, (_, i) =>
    wideThread(world, { salt: ethers.id(`salt ${i}`), balanceSender: stake }),
  );
  const hashes = threads.map(threadHash);
  const thread = threads[0];
  if (!thread) throw new Error("a tree has at least one leaf");
  await manager.challengeThreadWithPayment(
    await signThread(world, alice, bob, thread),
    stake / 2n,
    await signPayment(world, alice, thread, stake / 2n),
  );
  await fundAlice(world, [ETH]);
  const rows = [wideRow(ETH, 0n, BigInt(unsettled) * stake)];
  const signed = await signState(world, alice, state(alice.address, rows, { threadRoot: rootOf(hashes) }));
  await exitAndSettle(world, alice, signed);
  await time.increase(PERIOD);
  return gasOf(manager.connect(carol).settleThread(alice, 0n, thread, proveThread(hashes, threadHash(thread))));
}

const tokenOf = (world: World): Promise<string> => world.token.getAddress();

export const SCENARIOS: readonly Scenario[] = [
  { name: "deposit ETH, first", budget: 53_000, floor: 48_700, predecessor: 602_782, measure: depositEth },
  {
    name: "deposit ETH, further",
    budget: 35_000,
    floor: 31_600,
    predecessor: 521_884,
    measure: async (world) => (await depositEth(world)) && depositEth(world),
  },
  { name: "deposit ERC-20, first, exact allowance", budget: 72_000, measure: (world) => depositToken(world, WIDE) },
  {
    name: "deposit ERC-20, first, allowance left over",
    budget: 77_000,
    measure: (world) => depositToken(world, 2n * WIDE),
  },
  {
    name: "collateralize one, existing",
    budget: 40_000,
    floor: 36_700,
    predecessor: 564_417,
    measure: async (world) => (await collateralizeMany(world, strangers(1))) && collateralizeMany(world, strangers(1)),
  },
  { name: "collateralize one, new", budget: 59_000, measure: (world) => collateralizeMany(world, strangers(1)) },
  {
    name: "collateralize, marginal in 100, existing",
    budget: 10_500,
    floor: 9_980,
    predecessor: 564_417,
    overBudget:
      "2,100 channel, 5,000 counter, 1,637 event, 804 calldata leave 1,350 for three mapping hashes, the user and " +
      "overflow checks and ABI decoding; what remains could only go by assembly",
    measure: (world) => marginalCollateral(world, true),
  },
  {
    name: "collateralize, marginal in 100, new",
    budget: 28_000,
    measure: (world) => marginalCollateral(world, false),
  },
  {
    name: "withdraw ETH, steady",
    budget: 69_000,
    floor: 56_000,
    predecessor: 534_770,
    measure: (world) => withdraw(world, [ETH], WIDE),
  },
  { name: "withdraw ETH, first", budget: 72_000, predecessor: 534_770, measure: (world) => withdraw(world, [ETH], 0n) },
  { name: "withdraw ETH, first, user never deposited", predecessor: 534_770, measure: withdrawEarned },
  {
    name: "withdraw ETH + ERC-20, steady",
    budget: 102_500,
    measure: async (world) => withdraw(world, [ETH, await tokenOf(world)], WIDE),
  },
  {
    name: "startExit ETH, channel used",
    budget: 60_000,
    floor: 47_000,
    predecessor: 968_506,
    measure: async (world) => {
      await settleOnce(world);
      return startExit(world);
    },
  },
  { name: "startExit ETH, virgin channel", budget: 77_000, floor: 64_000, predecessor: 968_506, measure: startExit },
  {
    name: "challenge ETH",
    budget: 58_000,
    floor: 46_000,
    predecessor: 900_569,
    measure: (world) => challenge(world, [ETH]),
  },
  {
    name: "challenge ETH + ERC-20",
    budget: 68_000,
    measure: async (world) => challenge(world, [ETH, await tokenOf(world)]),
  },
  {
    name: "settle ETH + ERC-20",
    budget: 97_000,
    floor: 86_000,
    predecessor: 117_008,
    measure: (world) => settle(world, false),
  },
  {
    name: "settle ETH + ERC-20, hub in both",
    predecessor: 117_008,
    measure: (world) => settle(world, true),
  },
  { name: "challengeThread, terms", budget: 67_500, measure: (world) => openWith(world, "terms") },
  { name: "challengeThread, terms + payment", budget: 78_000, measure: (world) => openWith(world, "payment") },
  { name: "challengeThread, terms + update", budget: 80_500, measure: (world) => openWith(world, "update") },
  { name: "resolveThread, hashlock, open record", budget: 46_500, measure: resolveHashlock },
  { name: "settleThread, 1 leaf", budget: 57_000, measure: (world) => settleThread(world, 1, 1) },
  { name: "settleThread, 64 leaves, the last one", budget: 61_000, measure: (world) => settleThread(world, 64, 1) },
  { name: "settleThread, 64 leaves, the first one", measure: (world) => settleThread(world, 64, 64) },
];
