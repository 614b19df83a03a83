import type { ManagerCall, Step } from "../calls";
import * as custody from "./custody";
import * as exit from "./exit";
import { outsideMoves } from "./outside";
import type { Move, MoveMaker, Scene } from "./scene";
import { boundaryMove } from "./timing";
import * as threads from "./threads";

/** Functions that anybody may call for somebody else, as Multicall3 does. */
const permissionless: readonly (readonly [weight: number, maker: MoveMaker])[] = [
  [30, custody.depositWithAuthorization],
  [100, custody.withdraw],
  [80, exit.challenge],
  [70, exit.settle],
  [35, exit.reclaim],
  [60, threads.challengeThread],
  [60, threads.challengeThreadWithPayment],
  [60, threads.challengeThreadWithUpdate],
  [45, threads.resolveThread],
  [40, threads.resolveThreadWithUpdate],
  [35, threads.finishThread],
  [90, threads.settleThread],
];

const moves: readonly (readonly [weight: number, maker: MoveMaker])[] = [
  ...permissionless,
  [130, custody.deposit],
  [30, custody.depositWithPermit],
  [45, custody.fundReserve],
  [70, custody.collateralize],
  [25, custody.recallReserve],
  [40, custody.claim],
  [60, exit.startExit],
  [45, batch],
  ...outsideMoves.map(([weight, maker]) => [weight * 1.5, maker] as const),
];

/** The next step: mostly a second later, sometimes much later, and often at the edge of a window. */
export function chooseStep(scene: Scene): Step {
  const { random } = scene;
  const earliest = scene.model.now + 1n;
  scene.now = earliest + (random.chance(0.05) ? random.upTo(300n) : 0n);
  scene.model.now = scene.now; // the makers judge what is final by the model's clock
  const move = (random.chance(0.12) ? boundaryMove(scene, earliest) : undefined) ?? makeAny(scene, moves);
  const { from, value = 0n, call } = move;
  const gas = mayRunOut(move) && random.chance(0.06) ? 60_000n + random.upTo(300_000n) : undefined;
  return { at: scene.now, from, value, gas, call };
}

/** A relayer may send too little gas; in a batch that would show as a failure of one call only. */
function mayRunOut({ call }: Move): boolean {
  return ["withdraw", "settle", "reclaim", "settleThread", "resolveThread"].includes(call.fn);
}

function makeAny(scene: Scene, makers: typeof moves): Move {
  return scene.random.weighted(makers)(scene) ?? makeAny(scene, makers);
}

function batch(scene: Scene): Move {
  const { random } = scene;
  const calls = Array.from({ length: 1 + random.below(4) }, () => ({
    call: makeAny(scene, permissionless).call as ManagerCall,
    allowFailure: random.chance(0.8),
  }));
  return { from: scene.anybody().address, call: { fn: "batch", args: { calls } } };
}
