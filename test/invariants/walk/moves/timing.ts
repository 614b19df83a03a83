import { users } from "../actors";
import { hasTwoWindows } from "../model/thread-evidence";
import { challengeOf, settleOf } from "./exit";
import type { KeptThread, Move, MoveMaker, Scene } from "./scene";
import { evidenceOf, settleThread } from "./threads";

interface Window {
  /** The first second after it. */
  readonly deadline: bigint;
  readonly makeMove: MoveMaker;
}

/** Jumps to the last second of a window, to its deadline or to the second after, and does there what it is about. */
export function boundaryMove(scene: Scene, earliest: bigint): Move | undefined {
  const { random } = scene;
  const windows = [...exits(scene), ...records(scene)].filter(({ deadline }) => deadline + 1n >= earliest);
  if (windows.length === 0) return undefined;
  const soonest = windows.reduce((a, b) => (a.deadline <= b.deadline ? a : b));
  const { deadline, makeMove } = random.chance(0.8) ? soonest : random.pick(windows);
  if (deadline > earliest + 20_000n) return undefined; // a thread that expires in years
  const at = deadline + random.pick([-1n, 0n, 1n]);
  scene.now = at > earliest ? at : earliest;
  scene.model.now = scene.now;
  return makeMove(scene);
}

function exits({ model }: Scene): Window[] {
  return users.flatMap(({ address }) => {
    const { exitDeadline: deadline } = model.books.channel.get(address);
    if (deadline === 0n) return [];
    return [{ deadline, makeMove: (scene) => scene.random.pick([challengeOf, settleOf])(scene, address) }];
  });
}

function records({ model, population }: Scene): Window[] {
  return population.threads.slice(-40).flatMap((kept: KeptThread) => {
    const { deadline } = model.books.record.get(kept.hash);
    if (deadline === 0n) return [];
    const makeMove: MoveMaker = (scene) => (scene.random.chance(0.5) ? evidenceOf(scene, kept) : settleThread(scene));
    const updatesEnd = deadline - model.world.periodSeconds;
    if (!hasTwoWindows(kept.thread)) return [{ deadline, makeMove }];
    return [
      { deadline, makeMove },
      { deadline: updatesEnd, makeMove: (scene) => evidenceOf(scene, kept) },
    ];
  });
}
