import {
  UINT64_MAX,
  ZERO_ADDRESS,
  ZERO_HASH,
  proveThread,
  type Address,
  type Hash,
  type Hex,
  type Thread,
} from "../../../../protocol";
import { hasTwoWindows, isFinalRecord } from "../model/thread-evidence";
import type { KeptThread, Move, MoveMaker, Scene } from "./scene";
import {
  appStateOf,
  paymentFor,
  resolverFor,
  signNewThread,
  signPayment,
  signUpdate,
  sumOf,
  updateFor,
  type ThreadKind,
} from "./thread-terms";

export const challengeThread: MoveMaker = (scene) => {
  const { signed } = pickThread(scene, {}, (_, isOpen) => !isOpen);
  return { from: scene.anybody().address, call: { fn: "challengeThread", args: { signed } } };
};

export const challengeThreadWithPayment: MoveMaker = (scene) => {
  const kept = pickThread(scene, { updatable: false, app: ZERO_ADDRESS });
  const args = { signed: kept.signed, ...paymentFor(scene, kept) };
  return { from: scene.anybody().address, call: { fn: "challengeThreadWithPayment", args } };
};

export const challengeThreadWithUpdate: MoveMaker = (scene) => {
  const kept = pickThread(scene, { updatable: true }, (one) => takesUpdates(scene, one));
  const args = { signed: kept.signed, update: updateFor(scene, kept) };
  return { from: scene.anybody().address, call: { fn: "challengeThreadWithUpdate", args } };
};

export const resolveThread: MoveMaker = (scene) => {
  const records = scene.model.books.record;
  const wish = { app: scene.random.pick(realApps(scene)) };
  const kept = pickThread(scene, wish, ({ hash }) => records.get(hash).nonce === 0n);
  const appState = scene.mostly<Hex>(appStateOf(scene, kept.thread.app), ["0x01"], 0.95);
  const args = { signed: kept.signed, appState, resolver: resolverFor(scene, kept) };
  return { from: scene.anybody().address, call: { fn: "resolveThread", args } };
};

export const resolveThreadWithUpdate: MoveMaker = (scene) => {
  const kept = pickThread(scene, { updatable: true, app: scene.random.pick(realApps(scene)) }, (one) =>
    takesUpdates(scene, one),
  );
  const appState = scene.mostly<Hex>(appStateOf(scene, kept.thread.app), ["0x01"], 0.97);
  const args = { signed: kept.signed, update: updateFor(scene, kept), appState, resolver: resolverFor(scene, kept) };
  return { from: scene.anybody().address, call: { fn: "resolveThreadWithUpdate", args } };
};

/** Evidence of the kind that fits the thread. */
export function evidenceOf(scene: Scene, kept: KeptThread): Move {
  const from = scene.anybody().address;
  const { signed, thread } = kept;
  if (thread.updatable) {
    return { from, call: { fn: "challengeThreadWithUpdate", args: { signed, update: updateFor(scene, kept) } } };
  }
  if (thread.app === ZERO_ADDRESS) {
    return { from, call: { fn: "challengeThreadWithPayment", args: { signed, ...paymentFor(scene, kept) } } };
  }
  const args = { signed, appState: appStateOf(scene, thread.app), resolver: resolverFor(scene, kept) };
  return { from, call: { fn: "resolveThread", args } };
}

/** Evidence that nothing can exceed, for a thread that a settled session waits for. */
export const finishThread: MoveMaker = (scene) => {
  const open = settledLegs(scene).filter(({ kept }) => !isFinal(scene, kept));
  if (open.length === 0) return undefined;
  const { kept } = scene.random.pick(open);
  const { signed, thread } = kept;
  const from = scene.anybody().address;
  if (thread.updatable) {
    const body = { nonce: UINT64_MAX, balanceReceiver: scene.random.upTo(sumOf(thread)), appStateHash: ZERO_HASH };
    return { from, call: { fn: "challengeThreadWithUpdate", args: { signed, update: signUpdate(scene, kept, body) } } };
  }
  if (thread.app !== ZERO_ADDRESS) return evidenceOf(scene, kept);
  const args = { signed, ...signPayment(scene, kept, sumOf(thread)) };
  return { from, call: { fn: "challengeThreadWithPayment", args } };
};

export const settleThread: MoveMaker = (scene) => {
  const { random, population } = scene;
  const legs = settledLegs(scene);
  const payable = legs.filter((leg) => isPayable(scene, leg));
  if (payable.length === 0 && random.chance(0.85)) return undefined;
  const early = payable.filter(({ kept }) => scene.now < scene.model.books.record.get(kept.hash).deadline);
  const pool = [early, payable, legs].find((some, i) => some.length > 0 && random.chance([0.6, 0.85, 1][i]!));
  if (pool === undefined) return strayLeg(scene);
  const { user, session, root, kept } = random.pick(pool);
  const hashes = population.trees.get(root)!.map(({ hash }) => hash);
  const proof = tamperedProof(scene, proveThread(hashes, kept.hash));
  const other = user === kept.thread.sender ? kept.thread.receiver : kept.thread.sender;
  const args = { user: scene.mostly(user, [other, scene.user()], 0.96), session, thread: kept.thread, proof };
  return { from: scene.anybody().address, call: { fn: "settleThread", args } };
};

interface Leg {
  readonly user: Address;
  readonly session: bigint;
  readonly root: Hash;
  readonly kept: KeptThread;
}

/** Threads below the roots of the sessions that settled last. */
function settledLegs({ model, population }: Scene): readonly Leg[] {
  const sessions = model.books.root.entries().filter(({ value }) => value !== ZERO_HASH);
  return sessions.slice(-12).flatMap(({ key: [user, session], value: root }) => {
    const tree = population.trees.get(root) ?? [];
    return tree.map((kept) => ({ user, session, root, kept }));
  });
}

function isFinal({ model }: Scene, { thread, hash }: KeptThread): boolean {
  const record = model.books.record.get(hash);
  return record.deadline !== 0n && isFinalRecord(model, thread, record);
}

function isPayable(scene: Scene, { user, session, kept }: Leg): boolean {
  const { thread, hash } = kept;
  const { record, locked } = scene.model.books;
  if ((user !== thread.sender && user !== thread.receiver) || !isFinal(scene, kept)) return false;
  const { senderPaid, receiverPaid } = record.get(hash);
  const isPaid = user === thread.sender ? senderPaid : receiverPaid;
  return !isPaid && locked.get(user, session, thread.asset) >= sumOf(thread);
}

/** A thread that is in no settled session. */
function strayLeg(scene: Scene): Move {
  const { thread } = pickThread(scene, {});
  const args = { user: scene.user(), session: scene.random.upTo(2n), thread, proof: [] };
  return { from: scene.anybody().address, call: { fn: "settleThread", args } };
}

function tamperedProof(scene: Scene, proof: readonly Hash[]): readonly Hash[] {
  return scene.mostly(proof, [[...proof, scene.salt()], proof.slice(1)], 0.95);
}

/** Whether the window for updates is open, mostly. */
function takesUpdates(scene: Scene, { thread, hash }: KeptThread): boolean {
  const { deadline } = scene.model.books.record.get(hash);
  const isClosed = deadline !== 0n && hasTwoWindows(thread) && scene.now >= deadline - scene.model.world.periodSeconds;
  return !isClosed || scene.random.chance(0.02);
}

function realApps({ model: { world } }: Scene): readonly Address[] {
  return [world.hashlock, world.hashlock, world.signedApp, world.hostileApp];
}

/** A kept thread of the kind that is not final yet, mostly; a new one now and then. */
function pickThread(
  scene: Scene,
  kind: ThreadKind,
  fits: (kept: KeptThread, isOpen: boolean) => boolean = () => true,
): KeptThread {
  const { random, model, population } = scene;
  if (random.chance(0.12)) return signNewThread(scene, kind);
  if (population.threads.length > 0 && random.chance(0.06)) return random.pick(population.threads);
  const fitting = population.threads.filter((kept) => {
    const record = model.books.record.get(kept.hash);
    const isOpen = record.deadline !== 0n;
    if (isOpen && isFinalRecord(model, kept.thread, record)) return false;
    return isOfKind(kept.thread, kind) && fits(kept, isOpen);
  });
  return fitting.length === 0 ? signNewThread(scene, kind) : random.pick(fitting);
}

function isOfKind(thread: Thread, { updatable, app }: ThreadKind): boolean {
  return thread.updatable === (updatable ?? thread.updatable) && thread.app === (app ?? thread.app);
}
