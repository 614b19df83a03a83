import type { JsonFragment } from "ethers";
import { operationError } from "../errors";
import { code, table, type Section } from "./markdown";

interface Access {
  readonly caller: string;
  /** What must be signed or stand on chain. */
  readonly authorisation: string;
  /** Whose money moves where. */
  readonly moves: string;
}

const STATE = "hub's and user's signatures over the state (nonce 0: none, and then all is zero)";
const TERMS = "sender's and receiver's signatures over the terms, until the record is open";

/** Every function that changes something. The report fails if the contract has another, or one of these is gone. */
const ACCESS: Readonly<Record<string, Access>> = {
  deposit: { caller: "anybody", authorisation: "none", moves: "the caller's own money into a counter of any channel" },
  depositWithPermit: {
    caller: "anybody",
    authorisation: "the caller's ERC-2612 permit, or an allowance",
    moves: "the caller's own tokens into a counter of any channel",
  },
  depositWithAuthorization: {
    caller: "anybody",
    authorisation: "EIP-3009 authorisation of `from`, made out to the contract",
    moves: "tokens of `from` into the user's counter of the channel of `from`",
  },
  fundReserve: { caller: "anybody", authorisation: "none", moves: "the caller's own money into the reserve" },
  collateralize: { caller: "hub", authorisation: "none", moves: "reserve to the hub's side of channels" },
  recallReserve: { caller: "hub, treasury", authorisation: "none", moves: "reserve to the treasury" },
  withdraw: {
    caller: "anybody, while the channel is open",
    authorisation: STATE,
    moves: "the user's part to the signed recipient, the hub's part to the reserve",
  },
  claim: { caller: "whoever has a claim", authorisation: "none", moves: "the caller's failed payouts to any address" },
  startExit: {
    caller: "the channel's user, hub, treasury",
    authorisation: STATE,
    moves: "nothing; opens the window",
  },
  challenge: { caller: "anybody, before the deadline", authorisation: STATE, moves: "nothing; a higher nonce stands" },
  settle: {
    caller: "anybody, from the deadline on",
    authorisation: `${STATE}; its nonce stands`,
    moves: "the user's side to the user, the hub's side to the reserve, stakes to the session's records",
  },
  reclaim: {
    caller: "anybody, once the session ended",
    authorisation: "none",
    moves: "an asset that the settled state did not name: to the user and to the reserve",
  },
  challengeThread: { caller: "anybody", authorisation: TERMS, moves: "nothing; opens the record" },
  challengeThreadWithPayment: {
    caller: "anybody, before the deadline",
    authorisation: `${TERMS}; the sender's signature over the payment`,
    moves: "nothing; raises the receiver's balance",
  },
  challengeThreadWithUpdate: {
    caller: "anybody, before the deadline (with an app, until one period before it)",
    authorisation: `${TERMS}; both signatures over the update`,
    moves: "nothing; a higher nonce stands",
  },
  resolveThread: {
    caller: "anybody, before the deadline",
    authorisation: `${TERMS}; the app's answer over the agreed app state`,
    moves: "nothing; the app's answer stands",
  },
  resolveThreadWithUpdate: {
    caller: "anybody, before the deadline",
    authorisation: `${TERMS}; both signatures over the update; the app's answer`,
    moves: "nothing; the app's answer stands",
  },
  settleThread: {
    caller: "anybody, once the record is final and the session settled",
    authorisation: "Merkle proof in the session's signed thread root",
    moves: "the leg's stake to its user and to the reserve, once",
  },
};

/** Who may call what. @throws AccessUndeclared */
export function accessSection(abi: readonly JsonFragment[]): Section {
  const functions = abi.filter(({ type }) => type === "function");
  const isView = ({ stateMutability }: JsonFragment): boolean => /^(view|pure)$/.test(stateMutability ?? "");
  const changing = functions.filter((each) => !isView(each)).map(({ name = "" }) => name);
  requireSameNames(changing);
  const rows = Object.entries(ACCESS).map(([name, { caller, authorisation, moves }]) => [
    code(name),
    caller,
    authorisation,
    moves,
  ]);
  const views = functions.filter(isView).map(({ name = "" }) => code(name));
  const body = [
    "There is no owner, no pause and no upgrade. Functions that change something:",
    table(["function", "who may call", "with what authorisation", "what moves"], rows),
    `Anybody may read: ${views.join(", ")}. Plain ether is refused.`,
  ].join("\n\n");
  return { title: "Who may call what", body };
}

function requireSameNames(names: readonly string[]): void {
  const unlisted = names.filter((name) => !(name in ACCESS)).map((name) => `${name} is not listed`);
  const gone = Object.keys(ACCESS).filter((name) => !names.includes(name));
  const functions = [...unlisted, ...gone.map((name) => `${name} is listed but gone`)];
  if (functions.length > 0) throw operationError("AccessUndeclared", { functions });
}
