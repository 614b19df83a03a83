import { UINT256_MAX, ZERO_ADDRESS } from "../../../../protocol";
import { actors, dora, hub, stranger, treasury, users } from "../actors";
import { Manner, Trick, type ManagerCall } from "../calls";
import { signPermit } from "./custody";
import { challenge } from "./exit";
import type { MoveMaker, Scene } from "./scene";
import { challengeThread } from "./threads";

const TRICKS = Object.values(Trick).filter((one) => typeof one === "number");
const MANNERS = Object.values(Manner).filter((one) => typeof one === "number");

const byStranger = { from: stranger.address };

const deploy: MoveMaker = ({ random }) => {
  const bad = random.pick([
    { hub: ZERO_ADDRESS, treasury: treasury.address, challengePeriodSeconds: 3_600n },
    { hub: hub.address, treasury: ZERO_ADDRESS, challengePeriodSeconds: 3_600n },
    { hub: hub.address, treasury: hub.address, challengePeriodSeconds: 3_600n },
    { hub: hub.address, treasury: treasury.address, challengePeriodSeconds: 3_599n },
    { hub: hub.address, treasury: treasury.address, challengePeriodSeconds: 30n * 86_400n + 1n },
  ]);
  return { ...byStranger, call: { fn: "deploy", args: bad } };
};

const plainEther: MoveMaker = ({ random }) => ({
  ...byStranger,
  value: random.upTo(10n),
  call: { fn: "plainEther", args: {} },
});

const forceEther: MoveMaker = ({ random }) => ({
  ...byStranger,
  value: random.upTo(100n),
  call: { fn: "forceEther", args: {} },
});

const donateToken: MoveMaker = ({ random, model: { world } }) => {
  const args = { asset: random.pick([world.dollar, world.silent]), amount: random.upTo(100n) };
  return { from: random.pick(actors).address, call: { fn: "donateToken", args } };
};

const approve: MoveMaker = ({ random, model: { world } }) => {
  const amount = random.weighted([
    [3, UINT256_MAX],
    [1, random.upTo(2_000n)],
  ]);
  const args = { asset: random.pick([world.dollar, world.silent]), amount };
  return { from: random.pick(actors).address, call: { fn: "approve", args } };
};

const permit: MoveMaker = (scene) => {
  const { random, population } = scene;
  const args =
    population.permits.length > 0 && random.chance(0.5) ? random.pick(population.permits) : signPermit(scene);
  return { ...byStranger, call: { fn: "permit", args } };
};

/** Half of the time the token behaves again, so that its channels live on. */
const setTrick: MoveMaker = (scene) => {
  const { random } = scene;
  const trick = random.chance(0.5) ? Trick.None : random.pick(TRICKS);
  return { ...byStranger, call: { fn: "setTrick", args: { trick, nested: nestedFor(scene, trick) } } };
};

const setBalance: MoveMaker = ({ random, model: { world } }) => {
  const args = {
    holder: random.pick([world.manager, ...users.map(({ address }) => address)]),
    amount: random.pick([0n, random.upTo(2_000n), 2n ** 160n, 2n ** 160n]),
  };
  return { ...byStranger, call: { fn: "setBalance", args } };
};

const setManner: MoveMaker = (scene) => {
  const { random, model } = scene;
  const manner = random.chance(0.5) ? Manner.Accept : random.pick(MANNERS);
  const nested = manner === Manner.CallBack ? guardedCall(scene) : undefined;
  const receiver = random.pick([model.world.receiver, dora.address, treasury.address]);
  return { ...byStranger, call: { fn: "setManner", args: { receiver, manner, nested } } };
};

function nestedFor(scene: Scene, trick: Trick): ManagerCall | undefined {
  if (trick === Trick.CallBackOrRefuse) return guardedCall(scene); // there is one reason to refuse it
  return trick === Trick.CallBack ? scene.random.pick([guardedCall, unguardedCall])(scene) : undefined;
}

/** What must be refused while the contract pays; it costs so little that a payout's gas is enough to hear the no. */
function guardedCall(scene: Scene): ManagerCall {
  return { fn: "claim", args: { asset: scene.asset(), to: stranger.address } };
}

/** What may go through while the contract asks a token for money or pays with it. */
function unguardedCall(scene: Scene): ManagerCall {
  const move = scene.random.pick([challenge, challengeThread])(scene);
  return move === undefined ? guardedCall(scene) : (move.call as ManagerCall);
}

/** Everything around the contract, as often as it is of use. */
export const outsideMoves: readonly (readonly [weight: number, maker: MoveMaker])[] = [
  [1, deploy],
  [3, plainEther],
  [3, forceEther],
  [4, donateToken],
  [6, approve],
  [6, permit],
  [14, setTrick],
  [4, setBalance],
  [12, setManner],
];
