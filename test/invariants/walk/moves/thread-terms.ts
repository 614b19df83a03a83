import { createHash } from "node:crypto";
import { AbiCoder, keccak256 } from "ethers";
import {
  UINT128_MAX,
  UINT64_MAX,
  ZERO_ADDRESS,
  ZERO_HASH,
  digestOf,
  hashResolution,
  hashThreadPayment,
  hashThreadUpdate,
  hexToBytes,
  type Address,
  type Hash,
  type Hex,
  type Thread,
} from "../../../../protocol";
import { actorAt, arbiter, hub, users } from "../actors";
import type { SignedUpdate } from "../calls";
import { AppTrick } from "../model/apps";
import { SPOILS, threadHashOf } from "../signatures";
import type { KeptThread, Scene } from "./scene";

const KEPT_THREADS = 120;

/** The one secret that all hashlocks here ask for, and its hash. */
const SECRET: Hex = `0x${"5e".repeat(32)}`;
const SECRET_HASH: Hex = `0x${createHash("sha256").update(hexToBytes(SECRET)).digest("hex")}`;

const coder = AbiCoder.defaultAbiCoder();
const ARBITER_STATE = coder.encode(["address"], [arbiter.address]) as Hex;

/** What a move needs of a thread. */
export type ThreadKind = Partial<Pick<Thread, "updatable" | "app">>;

/** New terms, signed by both and, unless they can never be opened, kept. */
export function signNewThread(scene: Scene, kind: ThreadKind): KeptThread {
  const thread = newTerms(scene, kind);
  const hash = threadHashOf(thread);
  const sign = (party: Address): Hex => spoiledNowAndThen(scene, signAs(scene, party, hash));
  const signed = { thread, sigSender: sign(thread.sender), sigReceiver: sign(thread.receiver) };
  const kept: KeptThread = { hash, thread, signed, updates: [], payments: [] };
  if (!canBeOpened(scene, kept)) return kept;
  scene.population.threads.push(kept);
  if (scene.population.threads.length > KEPT_THREADS) scene.population.threads.shift();
  return kept;
}

function canBeOpened({ signatures, model }: Scene, { hash, thread, signed }: KeptThread): boolean {
  const { sender, receiver, expiry } = thread;
  const digest = digestOf(model.world.domain, hash);
  const isSigned =
    signatures.isValid(signed.sigSender, sender, digest) && signatures.isValid(signed.sigReceiver, receiver, digest);
  const sum = sumOf(thread);
  return isSigned && sender !== receiver && sum > 0n && sum <= UINT128_MAX && expiry < 2n ** 39n;
}

function newTerms(scene: Scene, kind: ThreadKind): Thread {
  const { random, now } = scene;
  const sender = scene.mostly(random.pick(users), [hub], 0.85).address;
  const other = random.pick([...users, hub].map(({ address }) => address).filter((address) => address !== sender));
  const [balanceSender, balanceReceiver] = random.weighted<readonly [bigint, bigint]>([
    [80, [1n + random.upTo(50n), 0n]],
    [15, [random.upTo(30n), 1n + random.upTo(30n)]],
    [2, [0n, 0n]],
    [1, [UINT128_MAX, 1n]],
  ]);
  const app = kind.app ?? pickApp(scene);
  return {
    salt: scene.salt(),
    sender,
    receiver: scene.mostly(other, [sender], 0.98),
    asset: scene.asset(),
    balanceSender,
    balanceReceiver,
    updatable: kind.updatable ?? random.chance(0.5),
    expiry: random.weighted([
      [40, 0n],
      [57, now + random.upTo(5_000n)],
      [1, 2n ** 40n - 3_600n - random.upTo(1n)],
      [1, UINT64_MAX],
    ]),
    app,
    appStateHash: appStateHashOf(scene, app),
  };
}

function pickApp({ random, model: { world } }: Scene): Address {
  return random.weighted([
    [45, ZERO_ADDRESS],
    [25, world.hashlock],
    [15, world.signedApp],
    [12, world.hostileApp],
    [3, world.ghost],
  ]);
}

/** What an app of ours is asked about. */
export function appStateOf({ model: { world } }: Scene, app: Address): Hex {
  if (app === world.hashlock) return SECRET_HASH;
  return app === world.signedApp ? ARBITER_STATE : "0x";
}

export function appStateHashOf(scene: Scene, app: Address): Hash {
  if (app === ZERO_ADDRESS) return ZERO_HASH;
  return scene.mostly(keccak256(appStateOf(scene, app)) as Hash, [scene.salt()], 0.95);
}

/** What decides the thread, mostly in a way that the app takes. */
export function resolverFor(scene: Scene, { thread, hash }: KeptThread): Hex {
  const { random, model } = scene;
  const { world } = model;
  if (random.chance(0.07)) return random.pick<Hex>(["0x", "0x01", `${SECRET}00`, `0x${"00".repeat(96)}`]);
  const balanceReceiver = someBalance(scene, thread);
  if (thread.app === world.signedApp) {
    const structHash = hashResolution({ channelManager: world.manager, threadHash: hash, balanceReceiver });
    const signature = scene.signatures.sign(arbiter, world.signedAppDomain, structHash);
    return coder.encode(["uint128", "bytes"], [balanceReceiver, spoiledNowAndThen(scene, signature)]) as Hex;
  }
  if (thread.app !== world.hostileApp) return SECRET;
  const trick = scene.mostly(AppTrick.Answer, [AppTrick.Write, AppTrick.Fail, AppTrick.BurnGas], 0.85);
  const word = scene.mostly(balanceReceiver, [2n ** 128n, 2n ** 256n - 1n], 0.95);
  return coder.encode(["uint8", "uint256", "uint256"], [trick, word, scene.mostly(32n, [0n, 31n, 33n], 0.9)]) as Hex;
}

/** An update that both sign now, or one that they signed before. */
export function updateFor(scene: Scene, kept: KeptThread): SignedUpdate {
  const { random, model } = scene;
  if (kept.updates.length > 0 && random.chance(0.12)) return random.pick(kept.updates);
  const { nonce: standing } = model.books.record.get(kept.hash);
  const body = {
    nonce:
      random.weighted([
        [85, standing + 1n + random.upTo(2n)],
        [8, standing],
        [4, UINT64_MAX],
        [3, 0n],
      ]) & UINT64_MAX,
    balanceReceiver: someBalance(scene, kept.thread),
    appStateHash: appStateHashOf(scene, kept.thread.app),
  };
  return signUpdate(scene, kept, body);
}

/** Signed by both and kept. */
export function signUpdate(
  scene: Scene,
  kept: KeptThread,
  body: Pick<SignedUpdate, "nonce" | "balanceReceiver" | "appStateHash">,
): SignedUpdate {
  const structHash = hashThreadUpdate({ threadHash: kept.hash, ...body });
  const sign = (party: Address): Hex => spoiledNowAndThen(scene, signAs(scene, party, structHash));
  const update = { ...body, sigSender: sign(kept.thread.sender), sigReceiver: sign(kept.thread.receiver) };
  kept.updates.push(update);
  return update;
}

/** A payment that the sender signs now, mostly more than what stands, or one that it signed before. */
export function paymentFor(scene: Scene, kept: KeptThread): KeptThread["payments"][number] {
  const { random, model } = scene;
  if (kept.payments.length > 0 && random.chance(0.2)) return random.pick(kept.payments);
  const { balanceReceiver: standing } = model.books.record.get(kept.hash);
  const sum = sumOf(kept.thread);
  const higher = standing < sum ? standing + 1n + random.upTo(sum - standing - 1n) : sum;
  const balanceReceiver = random.weighted([
    [85, higher & UINT128_MAX],
    [15, someBalance(scene, kept.thread)],
  ]);
  return signPayment(scene, kept, balanceReceiver);
}

/** Signed, mostly by the sender, and kept. */
export function signPayment(scene: Scene, kept: KeptThread, balanceReceiver: bigint): KeptThread["payments"][number] {
  const structHash = hashThreadPayment({ threadHash: kept.hash, balanceReceiver });
  const payer = scene.mostly(kept.thread.sender, [kept.thread.receiver], 0.96);
  const payment = { balanceReceiver, sigPayment: spoiledNowAndThen(scene, signAs(scene, payer, structHash)) };
  kept.payments.push(payment);
  return payment;
}

/** From nothing to all, seldom one more than there is. */
function someBalance(scene: Scene, thread: Thread): bigint {
  const sum = sumOf(thread) & UINT128_MAX;
  const tooMuch = sum < UINT128_MAX ? sum + 1n : sum;
  return scene.mostly(scene.random.upTo(sum), [sum, tooMuch], 0.92);
}

export const sumOf = (thread: Thread): bigint => thread.balanceSender + thread.balanceReceiver;

function signAs(scene: Scene, party: Address, structHash: Hash): Hex {
  return scene.signatures.sign(actorAt(party)!, scene.model.world.domain, structHash);
}

function spoiledNowAndThen(scene: Scene, signature: Hex): Hex {
  if (!scene.random.chance(0.04)) return signature;
  return scene.random.chance(0.5) ? scene.signatures.compact(signature) : scene.random.pick(SPOILS)(signature);
}
