// What signing, recovering and hashing cost here: `npx ts-node scripts/bench-crypto.ts`. Compare the ratios of one run,
// not the absolute figures of two: machines are shared.
import { TypedDataEncoder } from "ethers";
import {
  channelStateType,
  hashState,
  hashThread,
  threadType,
  unsignedState,
  ZERO_ADDRESS,
  ZERO_HASH,
  type Thread,
} from "../protocol";
import type { Curve } from "../protocol/curve/curve";
import { curve as native } from "../protocol/curve/native";
import { curve as pure } from "../protocol/curve/pure";
import { keccak256 } from "../protocol/keccak";

const SECONDS_EACH = 0.3;
const KEY = new Uint8Array(32).fill(0x11);
const DIGEST = new Uint8Array(32).fill(0x22);
const THREAD: Thread = {
  ...{ salt: ZERO_HASH, sender: ZERO_ADDRESS, receiver: ZERO_ADDRESS, asset: ZERO_ADDRESS, app: ZERO_ADDRESS },
  ...{ balanceSender: 10n ** 20n, balanceReceiver: 0n, updatable: false, expiry: 1n, appStateHash: ZERO_HASH },
};
const STATE = unsignedState(ZERO_ADDRESS, 1n, [ZERO_ADDRESS]);

/** Calls a second, after a tenth of the time for warming up. */
function perSecond(call: () => unknown): number {
  run(call, SECONDS_EACH / 10);
  return run(call, SECONDS_EACH);
}

function run(call: () => unknown, seconds: number): number {
  const start = performance.now();
  let calls = 0;
  for (let now = start; now < start + 1000 * seconds; now = performance.now(), calls += 10) {
    for (let i = 0; i < 10; i++) call();
  }
  return (1000 * calls) / (performance.now() - start);
}

function compare(what: string, here: [string, () => unknown], there: [string, () => unknown]): void {
  const [a, b] = [perSecond(here[1]), perSecond(there[1])];
  const figures = [`${here[0]} ${Math.round(a)}/s`, `${there[0]} ${Math.round(b)}/s`, `ratio ${(a / b).toFixed(1)}`];
  console.log([what.padEnd(22), ...figures.map((figure) => figure.padEnd(24))].join("").trimEnd());
}

function onCurve(curve: Curve, call: (curve: Curve) => unknown): [string, () => unknown] {
  return [curve.name, () => call(curve)];
}

function ethersEncoder(types: typeof threadType.types): TypedDataEncoder {
  return new TypedDataEncoder(Object.fromEntries(Object.entries(types).map(([name, list]) => [name, [...list]])));
}

const { signature, recovery } = pure.sign(DIGEST, KEY);
const recover = (curve: Curve): unknown => curve.recover(DIGEST, signature, recovery);
const sign = (curve: Curve): unknown => curve.sign(DIGEST, KEY);
const [threadEncoder, stateEncoder] = [ethersEncoder(threadType.types), ethersEncoder(channelStateType.types)];
const asLongAsThread = new Uint8Array(352);

console.log(
  `thread hash ${hashThread(THREAD) === threadEncoder.hash(THREAD) ? "as ethers'" : "WRONG"}, curve ${native.name}`,
);
compare("sign", onCurve(native, sign), onCurve(pure, sign));
compare("recover", onCurve(native, recover), onCurve(pure, recover));
compare("hash a thread", ["fixed layout", () => hashThread(THREAD)], ["ethers", () => threadEncoder.hash(THREAD)]);
compare("hash a thread", ["fixed layout", () => hashThread(THREAD)], ["keccak alone", () => keccak256(asLongAsThread)]);
compare("hash a state, 1 asset", ["fixed layout", () => hashState(STATE)], ["ethers", () => stateEncoder.hash(STATE)]);
