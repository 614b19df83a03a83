import { createRequire } from "node:module";
import { scope, types } from "hardhat/config";
import type { ConfigurableTaskDefinition } from "hardhat/types";
import { command } from "../command";
import type * as action from "./action";

const load = createRequire(__filename);
const actions = (): typeof action => load("./action") as typeof action;

const dispute = scope("dispute", "Leaving without the other side's help: what is open, what to do, what happened");

function reading(task: ConfigurableTaskDefinition): ConfigurableTaskDefinition {
  return task
    .addOptionalParam("directory", "Where records are kept (default deployments)", undefined, types.string)
    .addFlag("json", "Print one JSON document");
}

function moving(task: ConfigurableTaskDefinition): ConfigurableTaskDefinition {
  return reading(task)
    .addParam("user", "Whose channel: an address or account index", undefined, types.string)
    .addOptionalParam(
      "file",
      "Evidence (default: what the user's client on this machine keeps)",
      undefined,
      types.string,
    )
    .addOptionalParam("from", "Who sends: an address or account index (default: the user)", undefined, types.string)
    .addFlag("dryRun", "Print the transactions and what they cost; send nothing")
    .addFlag("yes", "Spend on a live chain without asking");
}

reading(dispute.task("status", "Every open exit and thread: who gets what, who should act, by when, at what cost"))
  .addOptionalParam("user", "Only of this user: an address or account index", undefined, types.string)
  .addOptionalParam(
    "file",
    "Evidence to weigh (default: what the user's client on this machine keeps)",
    undefined,
    types.string,
  )
  .setAction(command<action.StatusArgs>(() => actions().statusCommand));

reading(dispute.task("timeline", "What happened to a channel, from chain data alone, each step explained"))
  .addParam("user", "An address or account index", undefined, types.string)
  .setAction(command<action.UserArgs>(() => actions().timelineCommand));

moving(dispute.task("start", "Starts an exit with the newest state at hand")).setAction(
  command<action.MoveArgs>(() => actions().startCommand),
);

moving(dispute.task("challenge", "Shows a newer state than the one an exit stands at")).setAction(
  command<action.MoveArgs>(() => actions().challengeCommand),
);

moving(dispute.task("settle", "Pays out an exit whose window is over")).setAction(
  command<action.MoveArgs>(() => actions().settleCommand),
);

moving(dispute.task("claim", "Takes what failed payouts left, and what ended sessions still hold"))
  .addOptionalParam("to", "Recipient: an address or account index (default: the user)", undefined, types.string)
  .setAction(command<action.ClaimArgs>(() => actions().claimCommand));

moving(dispute.task("settle-thread", "Shows a thread's best evidence while it counts; pays it out once it is final"))
  .addParam("thread", "Hash of the thread", undefined, types.string)
  .setAction(command<action.ThreadArgs>(() => actions().settleThreadCommand));

reading(dispute.task("evidence", "Writes what proves a user's channel into a file, or checks such a file"))
  .addPositionalParam("verb", "export or verify", undefined, types.string)
  .addParam("file", "The file: a new one to export", undefined, types.string)
  .addOptionalParam("user", "Whose, to export: an address or account index", "3", types.string)
  .setAction(command<action.EvidenceArgs>(() => actions().evidenceCommand));

reading(
  dispute.task("simulate", "Plays evidence on a copy of the chain and shows who gets what; the chain is not touched"),
)
  .addParam("file", "Evidence", undefined, types.string)
  .setAction(command<action.SimulateArgs>(() => actions().simulateCommand));
