/** Gas after refunds, as `test/gas/gas.json` has it; a test holds the two together. */
export const MEASURED_GAS = {
  "startExit ETH, channel used": 57_725,
  "startExit ETH, virgin channel": 74_813,
  "challenge ETH": 56_466,
  "challenge ETH + ERC-20": 65_714,
  "settle ETH + ERC-20": 96_685,
  "challengeThread, terms": 63_145,
  "challengeThread, terms + payment": 70_374,
  "challengeThread, terms + update": 77_038,
  "resolveThread, hashlock, open record": 45_901,
  "settleThread, 1 leaf": 54_431,
  "settleThread, 64 leaves, the first one": 63_377,
} as const;

/** What every transaction costs before it does anything. */
const BASE_GAS = 21_000;

const PER_ASSET = MEASURED_GAS["challenge ETH + ERC-20"] - MEASURED_GAS["challenge ETH"];
const SETTLE_PER_ASSET = (MEASURED_GAS["settle ETH + ERC-20"] - BASE_GAS) / 2;
const PROOF_DEPTH = 6;

/** About what `challenge` takes. @param assets Rows of the state */
export function challengeGas(assets: number): number {
  return MEASURED_GAS["challenge ETH"] + PER_ASSET * Math.max(0, assets - 1);
}

/** About what `settle` takes. */
export function settleGas(assets: number): number {
  return Math.round(BASE_GAS + SETTLE_PER_ASSET * Math.max(1, assets));
}

/** About what the first or better evidence of a thread takes. */
export function showThreadGas(kind: "terms" | "payment" | "update" | "resolution", isOpen: boolean): number {
  if (kind === "resolution") {
    const opening = isOpen ? 0 : MEASURED_GAS["challengeThread, terms"] - BASE_GAS;
    return MEASURED_GAS["resolveThread, hashlock, open record"] + opening;
  }
  if (kind === "payment") return MEASURED_GAS["challengeThread, terms + payment"];
  return kind === "update" ? MEASURED_GAS["challengeThread, terms + update"] : MEASURED_GAS["challengeThread, terms"];
}

/** About what paying one leg takes. @param threads Leaves of the session's root */
export function settleThreadGas(threads: number): number {
  const span = MEASURED_GAS["settleThread, 64 leaves, the first one"] - MEASURED_GAS["settleThread, 1 leaf"];
  return Math.round(
    MEASURED_GAS["settleThread, 1 leaf"] + (span * Math.ceil(Math.log2(Math.max(1, threads)))) / PROOF_DEPTH,
  );
}
