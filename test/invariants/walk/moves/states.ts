import {
  UINT128_MAX,
  UINT64_MAX,
  ZERO_ADDRESS,
  ZERO_HASH,
  threadRoot,
  unsignedState,
  type Address,
  type AssetState,
  type ChannelState,
  type Hex,
} from "../../../../protocol";
import { actorAt, hub, users } from "../actors";
import type { SignedState } from "../calls";
import { brokenByState } from "../model/state";
import { SPOILS, stateHashOf } from "../signatures";
import type { KeptThread, Scene } from "./scene";
import { tampered } from "./tampering";

const KEPT_STATES = 60;

/** A state signed by both, mostly well-formed; kept for ever after, well, for long. */
export function signNewState(scene: Scene, user: Address, wish: { readonly withdraws: boolean }): SignedState {
  const state = scene.random.chance(0.1) ? tampered(scene, newState(scene, user, wish)) : newState(scene, user, wish);
  const signed = signState(scene, state);
  const kept = scene.population.states.get(user)!;
  kept.push(signed);
  if (kept.length > KEPT_STATES) kept.splice(scene.random.below(KEPT_STATES / 2), 1);
  return signed;
}

/** The user's state of a session and nonce; if several were signed, one that the contract would take. */
export function findState(scene: Scene, user: Address, session: bigint, nonce: bigint): SignedState | undefined {
  if (nonce === 0n) return unsigned(scene, user);
  const found = keptStates(scene, user).filter(({ state }) => state.session === session && state.nonce === nonce);
  return found.find((signed) => brokenByState(scene.model, signed).length === 0) ?? found.at(-1);
}

export function keptStates(scene: Scene, user: Address): readonly SignedState[] {
  return scene.population.states.get(user) ?? [];
}

/** The state before anything was signed, over assets that have something and perhaps others. */
export function unsigned(scene: Scene, user: Address): SignedState {
  const { session } = scene.model.books.channel.get(user);
  const listed = scene.assets.filter((asset) => {
    const { depositedHub, depositedUser } = scene.model.books.ledger.get(user, session, asset);
    return scene.random.chance(depositedHub + depositedUser > 0n ? 0.85 : 0.05);
  });
  return { state: unsignedState(user, session, listed), sigHub: "0x", sigUser: "0x" };
}

/** Old statements with something wrong about them now: a field changed after signing, or a spoiled signature. */
export function spoiled(scene: Scene, signed: SignedState): SignedState {
  const { random } = scene;
  const { state, sigHub, sigUser } = signed;
  return random.pick<() => SignedState>([
    () => ({ ...signed, state: tampered(scene, state) }),
    () => signState(scene, tampered(scene, state)),
    () => ({ state, sigHub: sigUser, sigUser: sigHub }),
    () => ({ ...signed, sigHub: random.pick(SPOILS)(sigHub) }),
    () => ({ ...signed, sigUser: random.pick(SPOILS)(sigUser) }),
    () => ({ state, sigHub: scene.signatures.compact(sigHub), sigUser: scene.signatures.compact(sigUser) }), // still good
  ])();
}

export function signState(scene: Scene, state: ChannelState): SignedState {
  const sign = (address: Address): Hex => {
    const actor = actorAt(address);
    return actor === undefined ? "0x" : scene.signatures.sign(actor, scene.model.world.domain, stateHashOf(state));
  };
  return { state, sigHub: sign(hub.address), sigUser: sign(state.user) };
}

function newState(scene: Scene, user: Address, { withdraws }: { readonly withdraws: boolean }): ChannelState {
  const { random, model, population } = scene;
  const { session } = model.books.channel.get(user);
  const locked: KeptThread[] = [];
  const assets = scene.assets.flatMap((asset) => newRow(scene, user, session, asset, withdraws, locked));
  const root = threadRoot(locked.map(({ hash }) => hash));
  if (locked.length > 0) population.trees.set(root, locked);
  const { receiver, manager, multicall, rogue } = model.world;
  const recipient = scene.mostly(
    ZERO_ADDRESS,
    [receiver, manager, multicall, rogue, ...users.map((one) => one.address)],
    0.65,
  );
  const nonce = nextNonce(scene, user, session);
  return { user, session, nonce, assets, threadRoot: random.chance(0.005) ? ZERO_HASH : root, recipient };
}

function nextNonce(scene: Scene, user: Address, session: bigint): bigint {
  const nonces = keptStates(scene, user).flatMap(({ state }) => (state.session === session ? [state.nonce] : []));
  const newest = nonces.reduce((a, b) => (a > b && a < UINT64_MAX ? a : b), 0n);
  return (
    scene.random.weighted([
      [90, (newest + 1n) & UINT64_MAX],
      [6, newest + 1n + scene.random.upTo(5n)],
      [3, newest],
      [0.3, UINT64_MAX],
    ]) & UINT64_MAX
  );
}

/** A conserved row: counters from the chain or near them, threads locked, the rest shared somehow. */
function newRow(
  scene: Scene,
  user: Address,
  session: bigint,
  asset: Address,
  withdraws: boolean,
  threads: KeptThread[],
): AssetState[] {
  const { random } = scene;
  const ledger = scene.model.books.ledger.get(user, session, asset);
  const isUsed = ledger.depositedHub + ledger.depositedUser > 0n;
  if (!random.chance(isUsed ? 0.9 : 0.04)) return [];
  const depositedHub = accounted(scene, ledger.depositedHub, ledger.withdrawnHub);
  const depositedUser = accounted(scene, ledger.depositedUser, ledger.withdrawnUser);
  let rest = depositedHub + depositedUser - ledger.withdrawnHub - ledger.withdrawnUser;
  if (rest < 0n) return [];
  const share = (probability: number, counter: bigint): bigint => {
    const part = random.chance(probability) ? least(random.upTo(rest), UINT128_MAX - counter) : 0n;
    rest -= part;
    return counter + part;
  };
  const withdrawnHub = share(withdraws ? 0.4 : 0.1, ledger.withdrawnHub);
  const withdrawnUser = share(withdraws ? 0.7 : 0.1, ledger.withdrawnUser);
  const locked = lockThreads(scene, user, asset, rest, threads);
  rest -= locked;
  const balanceUser = rest > UINT128_MAX ? UINT128_MAX : random.pick([rest, 0n, random.upTo(rest), random.upTo(rest)]);
  const balanceHub = least(rest - balanceUser, UINT128_MAX);
  return [{ asset, balanceHub, balanceUser, locked, depositedHub, depositedUser, withdrawnHub, withdrawnUser }];
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** What a state says of a deposit counter: all of it, less (a surplus), or more (not there, or not yet). */
function accounted({ random }: Scene, deposited: bigint, withdrawn: bigint): bigint {
  const surplus = deposited - withdrawn;
  return random.weighted([
    [88, deposited],
    [9, surplus > 0n ? deposited - random.upTo(surplus) : deposited],
    [3, least(deposited + 1n + random.upTo(500n), UINT128_MAX)],
  ]);
}

function lockThreads(scene: Scene, user: Address, asset: Address, limit: bigint, chosen: KeptThread[]): bigint {
  const { random, population } = scene;
  if (!random.chance(0.6)) return 0n;
  let locked = 0n;
  const wanted = random.pick([1, 1, 2, 3, 5, 12]);
  const isFair = random.chance(0.97); // or threads of others: nobody could ever settle them here
  const fitting = population.threads.filter(({ thread }) => thread.asset === asset && (!isFair || isOf(thread, user)));
  for (const kept of fitting.slice(-wanted)) {
    const sum = kept.thread.balanceSender + kept.thread.balanceReceiver;
    if (locked + sum > limit || locked + sum > UINT128_MAX) continue;
    locked += sum;
    chosen.push(kept);
  }
  // Now and then less is locked than the threads need: both signed it, so the last to come gets nothing.
  return locked > 1n && random.chance(0.05) ? locked - 1n : locked;
}

function isOf(thread: KeptThread["thread"], user: Address): boolean {
  return thread.sender === user || thread.receiver === user;
}
