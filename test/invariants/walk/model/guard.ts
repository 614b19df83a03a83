import type { CallName } from "../calls";

/**
 * What may be called while the contract pays somebody or asks a token for money: what moves no money itself, and what
 * happens outside the contract.
 */
export const UNGUARDED: ReadonlySet<CallName> = new Set<CallName>([
  "collateralize",
  "startExit",
  "challenge",
  "challengeThread",
  "challengeThreadWithPayment",
  "challengeThreadWithUpdate",
  "resolveThread",
  "resolveThreadWithUpdate",
  "deploy",
  "plainEther",
  "forceEther",
  "donateToken",
  "approve",
  "permit",
  "setTrick",
  "setBalance",
  "setManner",
  "batch",
]);
