import { createRequire } from "node:module";
import { scope, types } from "hardhat/config";
import type { ConfigurableTaskDefinition } from "hardhat/types";
import { ofUser } from "../channel/declaration";
import { command } from "../command";
import type * as action from "./action";

const load = createRequire(__filename);
const actions = (): typeof action => load("./action") as typeof action;

const watchtower = scope("watchtower", "Guarding channels whose users are away: running a tower, and using one");

watchtower
  .task("start", "Runs a tower for this network's deployment until Ctrl-C, on a file under data/")
  .addOptionalParam("host", "Address to listen on", "127.0.0.1", types.string)
  .addOptionalParam("port", "Port (0: a free one)", 3002, types.int)
  .addOptionalParam("fee", "What a period costs, such as 0.001eth (default: nothing)", undefined, types.string)
  .addOptionalParam("days", "Length of a period", 30, types.int)
  .addOptionalParam("payee", "Who is paid through the hub: address or account index", undefined, types.string)
  .addOptionalParam("directory", "Where deployments are recorded (default deployments)", undefined, types.string)
  .addFlag("json", "Print one JSON document")
  .setAction(command<action.StartArgs>(() => actions().startCommand));

function atTower(task: ConfigurableTaskDefinition): ConfigurableTaskDefinition {
  return task.addOptionalParam("tower", "Where the tower listens", "http://127.0.0.1:3002", types.string);
}

atTower(ofUser(watchtower.task("register", "Gives a tower the user's newest state, and checks its receipt")))
  .addOptionalParam("payUpTo", "Most to pay for a period, base units of the tower's asset", "0", types.string)
  .addOptionalParam(
    "key",
    "Address that must sign the receipt (default: whose the tower says)",
    undefined,
    types.string,
  )
  .setAction(command<action.RegisterArgs>(() => actions().registerCommand));

function ofGuarded(task: ConfigurableTaskDefinition): ConfigurableTaskDefinition {
  return atTower(task)
    .addOptionalParam("user", "Whose channel: an address or account index", "3", types.string)
    .addFlag("json", "Print one JSON document");
}

ofGuarded(watchtower.task("status", "What a tower guards for a user, until when it is paid, and its alarms")).setAction(
  command<action.TowerArgs>(() => actions().statusCommand),
);

ofGuarded(watchtower.task("receipts", "A tower's signed receipts for a user, each verified")).setAction(
  command<action.TowerArgs>(() => actions().receiptsCommand),
);
