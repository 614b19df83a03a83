import Table from "cli-table3";
import { formatEther } from "../amount";
import type { Outcome } from "../command";
import type { Address, AssetSettlement, Evidence } from "../../protocol";
import { currentFees } from "../../protocol/chain/fees";
import type { Action, ExitForecast, ThreadForecast } from "../../protocol/dispute";
import type { DisputeDeps } from "./deps";
import { assetsIn, readForecasts } from "./read";
import { countdownOf, nameOf, showOf, timeOf, type Show } from "./words";

/** Every open exit and thread: who gets what, who should act, by when, at what cost. Reads only. */
export async function disputeStatus(
  deps: DisputeDeps,
  user: Address | undefined,
  evidence: Evidence | undefined,
): Promise<Outcome> {
  const forecasts = await readForecasts(deps, user, evidence);
  const show = await showOf(deps, assetsIn(forecasts));
  const { maxFeePerGas } = await currentFees(deps.provider);
  const exits = forecasts.exits.map((exit) => exitText(deps, exit, show, maxFeePerGas));
  const threads = forecasts.threads
    .filter(({ phase }) => phase !== "done")
    .map((thread) => threadText(deps, thread, show, maxFeePerGas));
  const { chain, head, channelManager } = deps;
  const about = `${exits.length} open exit(s) and ${threads.length} thread(s) in dispute at ${channelManager} on ${chain.network}`;
  const at = `block ${head.number}, ${timeOf(BigInt(head.timestamp))}`;
  const source =
    evidence === undefined ? "" : `Evidence at hand: channel of ${evidence.user}, session ${evidence.session}.`;
  const next = nextCommand(deps, forecasts.exits, forecasts.threads);
  const text = [`${about} (${at})`, source, ...exits, ...threads, next].filter((line) => line !== "").join("\n");
  const json = {
    ...{ network: chain.network, chainId: chain.chainId, channelManager, blockNumber: head.number },
    nowSeconds: head.timestamp,
    exits: forecasts.exits.map((exit) => ({
      ...exit,
      ledgers: undefined, // counters by asset: the payouts are what follows from them
      costWei: costOf(exit.action, maxFeePerGas),
    })),
    threads: forecasts.threads.map((thread) => ({ ...thread, costWei: costOf(thread.action, maxFeePerGas) })),
  };
  return { json, text };
}

function costOf({ gas }: Action, feePerGasWei: bigint): bigint | undefined {
  return gas === undefined ? undefined : BigInt(gas) * feePerGasWei;
}

function exitText(deps: DisputeDeps, exit: ExitForecast, show: Show, fee: bigint): string {
  const { user, session, nonce, deadline, secondsLeft, asItStands, withEvidence, heldNonce } = exit;
  const known =
    heldNonce === undefined
      ? "none"
      : heldNonce > nonce
        ? `state ${heldNonce}, newer`
        : `state ${heldNonce}, not newer`;
  return tableOf([
    ["exit of", nameOf(deps, user)],
    ["session, standing nonce", `${session}, ${nonce}${nonce === 0n ? " (unsigned: only deposits count)" : ""}`],
    ["deadline", `${timeOf(deadline)} (${countdownOf(secondsLeft)})`],
    [
      "if nothing more happens",
      asItStands === undefined ? "not known: its transaction cannot be read" : payoutText(asItStands, show),
    ],
    ["evidence at hand", known],
    ...(withEvidence === undefined ? [] : [["with that evidence", payoutText(withEvidence, show)] as const]),
    ...(withEvidence === undefined ? [] : [["which changes", changesText(exit, show)] as const]),
    ...actionRows(exit.action, deps, fee),
  ]);
}

function payoutText(payouts: readonly AssetSettlement[], show: Show): string {
  if (payouts.length === 0) return "nobody gets anything";
  return payouts
    .map(({ asset, amountUser, amountHub, locked }) => {
      const threads = locked === 0n ? "" : `, ${show(asset, locked)} stay locked for its threads`;
      return `the user gets ${show(asset, amountUser)}, the hub ${show(asset, amountHub)}${threads}`;
    })
    .join("\n");
}

function changesText({ changes, nonce, asItStands }: ExitForecast, show: Show): string {
  if (asItStands === undefined) return `not known: nobody can read what state ${nonce} pays`;
  const signed = (asset: Address, amount: bigint): string =>
    `${amount > 0n ? "+" : amount < 0n ? "-" : ""}${show(asset, amount < 0n ? -amount : amount)}`;
  const lines = changes.map(({ asset, user, hub }) => `user ${signed(asset, user)}, hub ${signed(asset, hub)}`);
  return lines.length === 0 ? "no balance; at most the threads" : lines.join("\n");
}

function threadText(deps: DisputeDeps, forecast: ThreadForecast, show: Show, fee: bigint): string {
  const { hash, sender, receiver, record, secondsLeft, asItStands, withEvidence, legs } = forecast;
  const shares = (each: NonNullable<ThreadForecast["asItStands"]>): string =>
    `the sender gets ${show(each.asset, each.sender)}, the receiver ${show(each.asset, each.receiver)}`;
  return tableOf([
    ["thread", hash],
    ["from, to", `${nameOf(deps, sender)}\n${nameOf(deps, receiver)}`],
    [
      "deadline",
      record === undefined || secondsLeft === undefined
        ? "none yet: nobody has shown it"
        : `${timeOf(record.deadline)} (${countdownOf(secondsLeft)})`,
    ],
    ["if nothing more happens", asItStands === undefined ? "not known: nobody has its terms here" : shares(asItStands)],
    ...(withEvidence === undefined ? [] : [["with evidence at hand", shares(withEvidence)] as const]),
    [
      "channels that wait for it",
      legs.length === 0
        ? "none has been settled"
        : legs.map(({ user, session }) => `${user}, session ${session}`).join("\n"),
    ],
    ...actionRows(forecast.action, deps, fee),
  ]);
}

type Row = readonly [what: string, value: string];

function actionRows(action: Action, { chain }: DisputeDeps, fee: bigint): readonly Row[] {
  const { move, who, by, from, transaction, gas, why } = action;
  const cost = costOf(action, fee);
  const names = {
    challenge: "challenge",
    settle: "settle",
    showThread: "show the thread",
    settleThread: "pay the thread out",
    wait: "wait",
  };
  const time = by !== undefined ? `until ${timeOf(by)}` : from !== undefined ? `from ${timeOf(from)} on` : "now";
  return [
    ["what should happen", `${names[move]}: ${why}`],
    [
      "who, when",
      who.length === 0
        ? "nobody"
        : `${who.map((each) => (each === "anybody" ? each : `the ${each}`)).join(" and ")}, ${time}`,
    ],
    ...(transaction === undefined || gas === undefined || cost === undefined
      ? []
      : [
          [
            "transaction",
            `${transaction}, about ${gas} gas: about ${formatEther(cost)} on ${chain.network} now`,
          ] as const,
        ]),
  ];
}

function tableOf(rows: readonly Row[]): string {
  const table = new Table({ style: { head: [], border: [] }, colWidths: [27, 100], wordWrap: true });
  for (const [what, value] of rows) table.push([what, value]);
  return table.toString();
}

function nextCommand(
  { chain }: DisputeDeps,
  exits: readonly ExitForecast[],
  threads: readonly ThreadForecast[],
): string {
  const on = `--network ${chain.network}`;
  const challenged = exits.find(({ action }) => action.move === "challenge");
  if (challenged !== undefined) return `Next: npx hardhat dispute challenge --user ${challenged.user} ${on}`;
  const due = exits.find(({ action }) => action.move === "settle");
  if (due !== undefined) return `Next: npx hardhat dispute settle --user ${due.user} ${on}`;
  const thread = threads.find(({ action }) => action.move === "showThread" || action.move === "settleThread");
  if (thread !== undefined)
    return `Next: npx hardhat dispute settle-thread --user ${thread.legs[0]?.user ?? thread.receiver} --thread ${thread.hash} ${on}`;
  const [first] = exits;
  return first === undefined
    ? `Next: npx hardhat dispute timeline --user ADDRESS ${on}`
    : `Next: npx hardhat dispute timeline --user ${first.user} ${on}`;
}
