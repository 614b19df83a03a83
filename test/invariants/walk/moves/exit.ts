import type { Address } from "../../../../protocol";
import { hub, stranger, treasury, users } from "../actors";
import type { SignedState } from "../calls";
import { remaining } from "../model/exit";
import { brokenByState } from "../model/state";
import type { Move, MoveMaker, Scene } from "./scene";
import { findState, keptStates, signNewState, spoiled, unsigned } from "./states";

export const startExit: MoveMaker = (scene) => {
  const { random } = scene;
  const user = pickUser(scene, (address, deadline) => deadline === 0n && hasDeposits(scene, address));
  if (user === undefined) return undefined;
  const current = usableStates(scene, user);
  const signed = random.weighted<() => SignedState>([
    [40, () => (current.length > 0 ? random.pick(current) : signNewState(scene, user, { withdraws: false }))],
    [35, () => signNewState(scene, user, { withdraws: false })],
    [20, () => unsigned(scene, user)],
    [5, () => random.pick([...keptStates(scene, user), unsigned(scene, user)])],
  ])();
  const from = scene.mostly(random.pick([user, user, hub.address, treasury.address]), [stranger.address], 0.95);
  return { from, call: { fn: "startExit", args: mostlyGood(scene, signed) } };
};

export const challenge: MoveMaker = (scene) => {
  const user = pickUser(scene, (_, deadline) => deadline !== 0n && !isOver(scene, deadline));
  return user === undefined ? undefined : challengeOf(scene, user);
};

export const settle: MoveMaker = (scene) => {
  const user = pickUser(scene, (_, deadline) => isOver(scene, deadline));
  return user === undefined ? undefined : settleOf(scene, user);
};

export function challengeOf(scene: Scene, user: Address): Move {
  const { random, model } = scene;
  const { exitNonce } = model.books.channel.get(user);
  const kept = keptStates(scene, user);
  const newer = usableStates(scene, user).filter(({ state }) => state.nonce > exitNonce);
  const signed = random.weighted<() => SignedState>([
    [50, () => (newer.length > 0 ? random.pick(newer) : signNewState(scene, user, { withdraws: false }))],
    [40, () => signNewState(scene, user, { withdraws: false })],
    [10, () => random.pick([...kept, unsigned(scene, user)])],
  ])();
  return { from: scene.anybody().address, call: { fn: "challenge", args: mostlyGood(scene, signed) } };
}

export function settleOf(scene: Scene, user: Address): Move {
  const { session, exitNonce } = scene.model.books.channel.get(user);
  const standing = findState(scene, user, session, exitNonce) ?? unsigned(scene, user);
  const signed = scene.mostly(standing, [...keptStates(scene, user), unsigned(scene, user)]);
  return { from: scene.anybody().address, call: { fn: "settle", args: mostlyGood(scene, signed) } };
}

export const reclaim: MoveMaker = (scene) => {
  const { random, model } = scene;
  const left = model.books.ledger.entries().filter(({ key: [user, session], value }) => {
    const isEnded = session < model.books.channel.get(user).session;
    return isEnded && value.depositedHub + value.depositedUser > value.withdrawnHub + value.withdrawnUser;
  });
  const from = scene.anybody().address;
  if (left.length > 0 && random.chance(0.9)) {
    const [user, session, asset] = random.pick(left).key;
    return { from, call: { fn: "reclaim", args: { user, session, asset } } };
  }
  const user = scene.mostly(scene.user(), [scene.oddUser()]);
  const session = random.upTo(model.books.channel.get(user).session + 1n);
  return { from, call: { fn: "reclaim", args: { user, session, asset: scene.asset() } } };
};

function mostlyGood(scene: Scene, signed: SignedState): SignedState {
  return scene.random.chance(0.94) ? signed : spoiled(scene, signed);
}

/** States that the contract would still take. */
function usableStates(scene: Scene, user: Address): readonly SignedState[] {
  return keptStates(scene, user).filter((signed) => brokenByState(scene.model, signed).length === 0);
}

function hasDeposits({ model: { books }, assets }: Scene, user: Address): boolean {
  const { session } = books.channel.get(user);
  return assets.some((asset) => remaining(books.ledger.get(user, session, asset)) > 0n);
}

function isOver({ now }: Scene, deadline: bigint): boolean {
  return deadline !== 0n && now >= deadline;
}

/** A user that fits, or mostly none. */
function pickUser(scene: Scene, fits: (user: Address, exitDeadline: bigint) => boolean): Address | undefined {
  const { channel } = scene.model.books;
  const fitting = users.filter(({ address }) => fits(address, channel.get(address).exitDeadline));
  if (scene.random.chance(0.05)) return scene.user();
  return fitting.length > 0 ? scene.random.pick(fitting).address : undefined;
}
