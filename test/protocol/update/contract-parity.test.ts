import { expect } from "chai";
import { ethers } from "hardhat";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import fc from "fast-check";
import {
  addressOfPrivateKey,
  channelManagerDomain,
  check,
  checkState,
  digestOf,
  hashState,
  hexToBytes,
  ledgerOf,
  MAX_ASSETS,
  next,
  parseAddress,
  remaining,
  settlementPayouts,
  signDigest,
  unsignedState,
  ZERO_ADDRESS,
  ZERO_HASH,
  zeroAsset,
  type Address,
  type AssetState,
  type ChannelContext,
  type ChannelState,
  type Domain,
  type Hex,
  type ProtocolError,
} from "../../../protocol";
import { readChannel } from "../../../protocol/chain/channel-view";
import { refusalOf } from "../../../protocol/chain/contract-error";
import { developmentKey } from "../../support/hub";
import { freshWorld, PERIOD, type World } from "../../support/world";
import { privateKey } from "../arbitraries";
import { executed, funded, hasPending, moveUpTo, pick, proposalOf, startOf, type Move, type Place } from "./walk";

const WALKS = 30;
const ENOUGH = 300;

type Signed = [state: ChannelState & { assets: AssetState[] }, sigHub: Hex, sigUser: Hex];

/** A state that one field makes wrong, or not. */
const SPOILS: Readonly<Record<string, (state: ChannelState, scene: Scene) => ChannelState>> = {
  "an earlier state": (_, { history }) => history.at(-3) ?? history[0]!,
  "another session": (state) => ({ ...state, session: state.session + 1n }),
  "the hub as user": (state, { hub }) => ({ ...state, user: hub }),
  "the contract as user": (state, { domain }) => ({ ...state, user: parseAddress(domain.verifyingContract) }),
  "nobody as user": (state) => ({ ...state, user: ZERO_ADDRESS }),
  "nonce zero": (state) => ({ ...state, nonce: 0n }),
  "a thread root": (state) => ({ ...state, threadRoot: `0x${"01".repeat(32)}` }),
  "a wei more": (state) => withRow(state, (row) => ({ ...row, balanceUser: row.balanceUser + 1n })),
  "a wei locked": (state) => withRow(state, (row) => ({ ...row, locked: 1n, depositedUser: row.depositedUser + 1n })),
  "a deposit invented": (state) =>
    withRow(state, (row) => ({
      ...row,
      depositedHub: row.depositedHub + 10n ** 30n,
      balanceHub: row.balanceHub + 10n ** 30n,
    })),
  "withdrawals forgotten": (state) =>
    withRow(state, (row) => ({ ...row, withdrawnUser: 0n, balanceUser: row.balanceUser + row.withdrawnUser })),
  "no rows": (state) => ({ ...state, assets: [] }),
  "rows turned round": (state) => ({ ...state, assets: [...state.assets].reverse() }),
  "nine rows": (state) => ({
    ...state,
    assets: Array.from({ length: MAX_ASSETS + 1 }, (_, i) => zeroAsset(numbered(i))),
  }),
  "a row more": (state) => ({ ...state, assets: [...state.assets, zeroAsset(numbered(2n ** 160n - 1n))] }),
};

interface Scene {
  readonly world: World;
  readonly domain: Domain;
  readonly hub: Address;
  readonly hubKey: Uint8Array;
  readonly userKey: Uint8Array;
  readonly user: Address;
  readonly assets: readonly Address[];
  readonly history: ChannelState[];
  place: Place;
}

let statesShown = 0;
let refusalsCompared = 0;

describe("what check accepts and the contract", function () {
  this.timeout(120_000);
  let world: World;
  let assets: readonly Address[];

  before(async () => {
    world = await freshWorld();
    const second = await ethers.deployContract("LocalToken", ["Second", "SEC"]);
    for (const token of [world.token, second]) {
      for (const holder of [world.hub, world.alice]) {
        await token.mint(holder, 10n ** 36n);
        await token.connect(holder).approve(world.address, 2n ** 256n - 1n);
      }
    }
    assets = [
      ZERO_ADDRESS,
      parseAddress(await world.token.getAddress()),
      parseAddress(await second.getAddress()),
    ].sort();
    for (const asset of assets) {
      const amount = asset === ZERO_ADDRESS ? 1_000n * 10n ** 18n : 10n ** 30n;
      const value = asset === ZERO_ADDRESS ? amount : 0n;
      await world.manager.connect(world.hub).fundReserve(asset, amount, { value });
    }
  });

  it("A-4: every accepted state can be exited with, and what is refused is refused by the same name", async () => {
    const moves = fc.array(moveUpTo(10n ** 17n), { minLength: 15, maxLength: 30, size: "max" });
    const spoil = fc.constantFrom(...Object.keys(SPOILS));
    const property = fc.asyncProperty(
      privateKey,
      moves,
      fc.array(spoil, { minLength: 30, maxLength: 30 }),
      walkOnChain,
    );
    await fc.assert(property, { numRuns: WALKS, endOnFailure: true });
    expect(statesShown, "states shown to the contract").to.be.greaterThan(ENOUGH);
    expect(refusalsCompared, "refusals compared").to.be.greaterThan(ENOUGH / 3);
  });

  async function walkOnChain(userKey: Uint8Array, moves: Move[], spoils: string[]): Promise<void> {
    const { chainId } = await ethers.provider.getNetwork();
    const domain = channelManagerDomain(chainId, world.address);
    const hubKey = hexToBytes(developmentKey(1));
    const user = addressOfPrivateKey(userKey);
    const hub = addressOfPrivateKey(hubKey);
    const place = startOf(user);
    const scene: Scene = { world, domain, hub, hubKey, userKey, user, assets, history: [place.state], place };
    for (const move of [FIRST_DEPOSIT, ...moves]) {
      await moveOnChain(scene, move);
      const kinds = [move.kind, "deposit", "payUser", "payHub"] as const;
      const proposal = firstOf(kinds.map((kind) => proposalOf(scene.place, { ...move, kind }, assets)));
      if (proposal === undefined) continue;
      const { author, update } = proposal;
      const { state } = scene.place;
      const refusal = check(state, update, { ...contextOf(scene), author, nonceFloor: 0n, nowSeconds: 0n });
      expect(refusal, refusal?.message).to.equal(undefined);
      scene.place = { ...scene.place, state: next(state, update) };
      scene.history.push(scene.place.state);
      await compare(scene, scene.place.state);
      await compare(scene, SPOILS[pick(spoils, scene.history.length)]!(scene.place.state, scene));
    }
    await leave(scene);
  }
});

const FIRST_DEPOSIT: Move = {
  kind: "fund",
  asset: 0,
  other: 0,
  amount: 10n ** 6n,
  shareUser: 0n,
  shareHub: 0n,
  rate: 1n,
  gap: 1n,
};

/** Money comes, or withdrawals are executed; the model and the chain must then say the same. */
async function moveOnChain(scene: Scene, move: Move): Promise<void> {
  const { world, user, assets, place } = scene;
  const { manager } = world;
  if (move.kind === "fund") {
    const asset = pick(assets, move.asset);
    const forHub = move.gap % 2n === 0n;
    const value = asset === ZERO_ADDRESS ? move.amount : 0n;
    if (forHub) await manager.connect(world.hub).collateralize([{ user, asset, amount: move.amount }]);
    else await manager.connect(world.alice).deposit(user, asset, move.amount, false, { value });
    scene.place = { ...place, ledgers: funded(place.ledgers, asset, move.amount, forHub ? "hub" : "user") };
  } else if (move.kind === "execute" && hasPending(place)) {
    await manager.connect(world.carol).withdraw(...sign(scene, place.state));
    scene.place = { ...place, ledgers: executed(place) };
  } else return;
  const { ledgers } = await viewOf(scene);
  for (const asset of assets) expect(ledgerOf(scene.place.ledgers, asset)).to.deep.equal(ledgerOf(ledgers, asset));
}

async function viewOf({ world, user, assets }: Scene): ReturnType<typeof readChannel> {
  const head = await ethers.provider.getBlockNumber();
  return readChannel(ethers.provider, parseAddress(world.address), user, assets, head);
}

/** The contract and `checkState` say the same of a state, name and values. */
async function compare(scene: Scene, state: ChannelState): Promise<void> {
  const expected = checkState(state, contextOf(scene)) ?? nothingToExit(scene, state);
  if (expected?.code === "InvalidValue") return; // could not even be sent
  const { manager, treasury } = scene.world;
  const startExit = manager.connect(treasury).startExit.staticCall(...sign(scene, state));
  await expectSame(
    startExit,
    expected,
    JSON.stringify(state, (_, value: unknown) => String(value)),
  );
}

/** What is no fault of the state: there is nothing to leave with. */
function nothingToExit(
  { place: { ledgers }, user }: Scene,
  state: ChannelState,
): { code: string; details: object } | undefined {
  const isEmpty = state.assets.every(({ asset }) => remaining(ledgerOf(ledgers, asset)) === 0n);
  return isEmpty ? { code: "NothingToExit", details: { user } } : undefined;
}

async function expectSame(
  call: Promise<unknown>,
  expected: Pick<ProtocolError, "code" | "details"> | { code: string; details: object } | undefined,
  what: string,
): Promise<void> {
  const given = await call.then(
    () => undefined,
    (error: unknown) => refusalOf(error),
  );
  expect(given?.error?.code, `${what}: ${given?.reason}`).to.equal(expected?.code);
  expect(given?.error?.details).to.deep.equal(expected?.details);
  if (expected === undefined) statesShown++;
  else refusalsCompared++;
}

/** Exits with nothing, answers with each state of the walk, and settles the newest one. */
async function leave(scene: Scene): Promise<void> {
  const { world, user, assets, place, history } = scene;
  const { manager, treasury, carol } = world;
  const funded = assets.filter((asset) => remaining(ledgerOf(place.ledgers, asset)) > 0n);
  if (funded.length === 0 || place.state.nonce === 0n) return;
  await manager
    .connect(treasury)
    .startExit(unsignedState(user, 0n, funded) as Signed[0], "0x", "0x")
    .catch(ignoreStale);
  if ((await viewOf(scene)).exitDeadline === 0n)
    await manager
      .connect(treasury)
      .startExit(...sign(scene, history.at(-2)!))
      .catch(ignoreStale);
  const { exitNonce, exitDeadline } = await viewOf(scene);
  if (exitDeadline === 0n) return;
  for (const state of history.filter(({ nonce }) => nonce > exitNonce)) {
    const challenge = manager.connect(carol).challenge.staticCall(...sign(scene, state));
    await expectSame(challenge, checkState(state, contextOf(scene)), `challenge with nonce ${state.nonce}`);
  }
  if (place.state.nonce > exitNonce) await manager.connect(carol).challenge(...sign(scene, place.state));
  await time.increase(PERIOD);
  await settleAndCompare(scene);
}

/** An exit with a state older than an executed withdrawal is refused; then there is a newer one to exit with. */
function ignoreStale(error: unknown): void {
  expect(refusalOf(error).error?.code).to.be.oneOf(["NotFresh", "NothingToExit"]);
}

async function settleAndCompare(scene: Scene): Promise<void> {
  const { world, user, place } = scene;
  const settling = await world.manager.connect(world.carol).settle(...sign(scene, place.state));
  for (const { asset, amountUser, amountHub, locked } of settlementPayouts(place.state, place.ledgers)) {
    const checksummed = ethers.getAddress(asset);
    await expect(settling)
      .to.emit(world.manager, "AssetSettled")
      .withArgs(ethers.getAddress(user), checksummed, 0n, amountUser, amountHub, locked);
  }
  const { session } = await viewOf(scene);
  const settled = {
    reason: "Settled",
    args: { session: 0n, transactionHash: ZERO_HASH },
    nonce: 0n,
    previous: ZERO_HASH,
  } as const;
  expect(next(place.state, settled)).to.deep.equal(unsignedState(user, session, []));
  const stale = checkState(place.state, { ...contextOf(scene), session });
  const again = world.manager.connect(world.treasury).startExit.staticCall(...sign(scene, place.state));
  await expectSame(again, stale, "a state of the session before");
}

function contextOf({ domain, hub, place: { ledgers } }: Scene): ChannelContext {
  return { domain, hub, session: 0n, ledgers };
}

function sign({ domain, hubKey, userKey }: Scene, state: ChannelState): Signed {
  const digest = digestOf(domain, hashState(state));
  return [{ ...state, assets: [...state.assets] }, signDigest(digest, hubKey), signDigest(digest, userKey)];
}

function withRow(state: ChannelState, change: (row: AssetState) => AssetState): ChannelState {
  const last = state.assets.length - 1;
  return { ...state, assets: state.assets.map((row, i) => (i === last ? change(row) : row)) };
}

function firstOf<Item>(items: readonly (Item | undefined)[]): Item | undefined {
  return items.find((item) => item !== undefined);
}

function numbered(index: number | bigint): Address {
  return `0x${index.toString(16).padStart(40, "0")}` as Address;
}
