import { UINT128_MAX, ZERO_ADDRESS, type Address, type Hash } from "../../../../protocol";
import { actorAt, hub, stranger, treasury, users } from "../actors";
import type { AuthorizedDeposit, OutsideCalls } from "../calls";
import { authorizationDigest, permitDigest } from "../model/token-signatures";
import type { MoveMaker, Scene } from "./scene";
import { keptStates, signNewState, spoiled } from "./states";

const valueFor = (scene: Scene, asset: Address, amount: bigint): bigint => {
  const right = asset === ZERO_ADDRESS ? amount : 0n;
  return scene.mostly(right, [0n, right + 1n, 5n], 0.97);
};

export const deposit: MoveMaker = (scene) => {
  const [asset, amount] = [scene.asset(), scene.amount()];
  const user = scene.mostly(scene.user(), [scene.oddUser()], 0.96);
  const args = { user, asset, amount, forHub: scene.random.chance(0.2) };
  return { from: scene.anybody().address, value: valueFor(scene, asset, amount), call: { fn: "deposit", args } };
};

export const depositWithPermit: MoveMaker = (scene) => {
  const { random, population, model } = scene;
  const isOld = population.permits.length > 0 && random.chance(0.25);
  const permit = isOld ? random.pick(population.permits) : signPermit(scene);
  const { owner, deadline: permitDeadline, v, r, s } = permit;
  const asset = scene.mostly(model.world.dollar, [scene.asset()], 0.85);
  const amount = scene.mostly(permit.amount, [anotherAmount(permit.amount)], 0.9);
  const user = scene.mostly(owner, [scene.user(), scene.oddUser()], 0.8);
  const args = { user, asset, amount, forHub: random.chance(0.1), permitDeadline, v, r, s };
  return { from: scene.mostly(owner, [stranger.address]), call: { fn: "depositWithPermit", args } };
};

export const depositWithAuthorization: MoveMaker = (scene) => {
  const { random, population } = scene;
  const isOld = population.authorizations.length > 0 && random.chance(0.3);
  const signed = isOld ? random.pick(population.authorizations) : signAuthorization(scene);
  const args = random.chance(0.85) ? signed : random.pick(misuses(scene, signed));
  return { from: scene.anybody().address, call: { fn: "depositWithAuthorization", args } };
};

export const fundReserve: MoveMaker = (scene) => {
  const [asset, amount] = [scene.asset(), scene.amount()];
  return {
    from: scene.mostly(hub.address, [scene.anybody().address], 0.6),
    value: valueFor(scene, asset, amount),
    call: { fn: "fundReserve", args: { asset, amount } },
  };
};

export const collateralize: MoveMaker = (scene) => {
  const { random, model } = scene;
  const batch = Array.from({ length: random.pick([0, 1, 1, 1, 2, 4]) }, () => {
    const asset = scene.asset();
    const reserve = model.books.reserve.get(asset);
    const some = scene.amount();
    const amount = some <= reserve ? some : scene.mostly(random.upTo(reserve) & (2n ** 64n - 1n), [some], 0.9);
    return { user: scene.mostly(scene.user(), [scene.oddUser()], 0.97), asset, amount };
  });
  return { from: scene.mostly(hub.address, [scene.anybody().address]), call: { fn: "collateralize", args: { batch } } };
};

export const recallReserve: MoveMaker = (scene) => {
  const { random, model } = scene;
  const asset = scene.asset();
  const reserve = model.books.reserve.get(asset);
  const amount = scene.mostly(random.upTo(reserve), [reserve, reserve + 1n, 0n], 0.85);
  const from = scene.mostly(random.pick([hub, treasury]).address, [scene.anybody().address]);
  return { from, call: { fn: "recallReserve", args: { asset, amount } } };
};

export const withdraw: MoveMaker = (scene) => {
  const { random } = scene;
  const user = pickOpen(scene);
  const { session } = scene.model.books.channel.get(user);
  const kept = keptStates(scene, user).filter(({ state }) => state.session === session || random.chance(0.01));
  const isOld = kept.length > 0 && random.chance(0.35);
  const signed = isOld ? random.pick(kept) : signNewState(scene, user, { withdraws: true });
  const args = random.chance(0.9) ? signed : spoiled(scene, signed);
  return { from: scene.anybody().address, call: { fn: "withdraw", args } };
};

export const claim: MoveMaker = (scene) => {
  const { random, model } = scene;
  const owed = model.books.claimable.entries().filter(({ value }) => value > 0n);
  const isOwed = owed.length > 0 && random.chance(0.9);
  if (owed.length === 0 && random.chance(0.95)) return undefined;
  const [account, asset] = isOwed ? random.pick(owed).key : [scene.user(), scene.asset()];
  const { receiver, manager } = model.world;
  const to = scene.mostly(account, [stranger.address, receiver, manager, ZERO_ADDRESS], 0.6);
  return { from: account, call: { fn: "claim", args: { asset, to } } };
};

/** A user whose channel is not exiting, mostly. */
function pickOpen(scene: Scene): Address {
  const open = users.filter(({ address }) => scene.model.books.channel.get(address).exitDeadline === 0n);
  return open.length > 0 && scene.random.chance(0.85) ? scene.random.pick(open).address : scene.user();
}

/** An owner's permit, kept: used ones and late ones are tried again. */
export function signPermit(scene: Scene): OutsideCalls["permit"] {
  const { model, random, signatures, now } = scene;
  const owner = scene.user();
  const amount = scene.amount();
  const deadline = random.chance(0.9) ? now + random.upTo(4_000n) : now - 1n;
  const nonce = model.bank.permitNonce.get(owner) + (random.chance(0.05) ? 1n : 0n);
  const digest = permitDigest(model.world, owner, { value: amount, nonce, deadline });
  const permit = { owner, amount, deadline, ...split(signatures.signDigest(actorAt(owner)!, digest)) };
  scene.population.permits.push(permit);
  return permit;
}

function signAuthorization(scene: Scene): AuthorizedDeposit {
  const { model, random, signatures, now } = scene;
  const from = scene.mostly(scene.user(), [hub.address, stranger.address], 0.95);
  const terms = {
    from,
    asset: model.world.dollar,
    amount: scene.amount(),
    validAfter: scene.mostly(now - 1n, [now, now + 100n], 0.95),
    validBefore: scene.mostly(now + 1n + random.upTo(4_000n), [now, now - 100n], 0.95),
    authorizationNonce: scene.salt(),
  };
  const signed = { ...terms, ...split(signatures.signDigest(actorAt(from)!, authorizationDigest(model.world, terms))) };
  scene.population.authorizations.push(signed);
  return signed;
}

function misuses(scene: Scene, signed: AuthorizedDeposit): readonly AuthorizedDeposit[] {
  const { rogue, ghost } = scene.model.world;
  return [
    { ...signed, from: scene.user() },
    { ...signed, amount: anotherAmount(signed.amount) },
    { ...signed, asset: rogue },
    { ...signed, asset: ghost },
    { ...signed, from: ZERO_ADDRESS },
    { ...signed, amount: 0n },
  ];
}

function anotherAmount(amount: bigint): bigint {
  return amount < UINT128_MAX ? amount + 1n : amount - 1n;
}

function split(signature: string): { readonly v: bigint; readonly r: Hash; readonly s: Hash } {
  return {
    r: signature.slice(0, 66) as Hash,
    s: `0x${signature.slice(66, 130)}`,
    v: BigInt(`0x${signature.slice(130)}`),
  };
}
