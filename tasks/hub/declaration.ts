import { createRequire } from "node:module";
import { scope, types } from "hardhat/config";
import type { ConfigurableTaskDefinition } from "hardhat/types";
import { command } from "../command";
import type * as action from "./action";

const load = createRequire(__filename);
const actions = (): typeof action => load("./action") as typeof action;

const hub = scope("hub", "The payment hub: running it, looking into it, putting it right");

function asked(task: ConfigurableTaskDefinition): ConfigurableTaskDefinition {
  return task
    .addOptionalParam("hub", "Where the hub listens", "http://127.0.0.1:3000", types.string)
    .addFlag("json", "Print one JSON document");
}

hub
  .task("start", "Runs the hub of this network's deployment until Ctrl-C, on files under data/")
  .addOptionalParam("host", "Address to listen on", "127.0.0.1", types.string)
  .addOptionalParam("port", "Port of the API (0: a free one)", 3000, types.int)
  .addOptionalParam("operatorPort", "Port of health and metrics (0: a free one)", 3001, types.int)
  .addOptionalParam("directory", "Where deployments are recorded (default deployments)", undefined, types.string)
  .addFlag("json", "Print one JSON document")
  .setAction(command<action.StartArgs>(() => actions().startCommand));

asked(hub.task("status", "Channels, liabilities, reserve, wallet, chain and transactions at a glance")).setAction(
  command<action.HubArgs>(() => actions().statusCommand),
);

asked(hub.task("collateralize", "Queues collateral for a user's channel, up to the ceiling"))
  .addParam("user", "Address or account index", undefined, types.string)
  .addParam("amount", "Such as 2eth, 100lusd, or base units of ETH", undefined, types.string)
  .setAction(command<action.CollateralizeArgs>(() => actions().collateralizeCommand));

asked(hub.task("exit", "Starts the hub's exit of a user's channel, with the newest state that both signed"))
  .addParam("user", "Address or account index", undefined, types.string)
  .setAction(command<action.ExitArgs>(() => actions().exitCommand));

asked(hub.task("accounts", "Users with a channel and what both sides have in it"))
  .addOptionalParam("limit", "Rows", 50, types.int)
  .setAction(command<action.ListArgs>(() => actions().accountsCommand));

asked(hub.task("transactions", "What the hub's key has sent or will send: list, or bump one"))
  .addOptionalPositionalParam("action", "list or bump", "list", types.string)
  .addOptionalParam("id", "Of the transaction to bump", undefined, types.string)
  .addOptionalParam("limit", "Rows", 20, types.int)
  .setAction(command<action.TransactionsArgs>(() => actions().transactionsCommand));

hub
  .task("db", "The hub's database file: migrate, backup, restore (the hub must be stopped), console (one SELECT)")
  .addPositionalParam("action", "migrate, backup, restore or console", undefined, types.string)
  .addOptionalParam("file", "Where to back up to, or what to restore from", undefined, types.string)
  .addOptionalParam("sql", "The question for the console", undefined, types.string)
  .addFlag("json", "Print one JSON document")
  .setAction(command<action.DbArgs>(() => actions().dbCommand));

hub
  .task("replay", "Has the hub read the chain again from a block; everything it hears twice does no harm")
  .addParam("fromBlock", "First block to read again", undefined, types.int)
  .addFlag("json", "Print one JSON document")
  .setAction(command<action.ReplayArgs>(() => actions().replayCommand));
