import { createRequire } from "node:module";
import { scope, types } from "hardhat/config";
import type { ConfigurableTaskDefinition } from "hardhat/types";
import { command } from "../command";
import type * as action from "./action";

const load = createRequire(__filename);
const actions = (): typeof action => load("./action") as typeof action;

const reserve = scope("reserve", "The hub's reserve: what it holds, putting more in, paying it to the treasury");

/** What all of them take. */
function withCommonParams(task: ConfigurableTaskDefinition): ConfigurableTaskDefinition {
  return task
    .addOptionalParam("token", "Address of the token, if it is not ETH or known by its symbol", undefined, types.string)
    .addOptionalParam("directory", "Where records are kept (default deployments)", undefined, types.string)
    .addFlag("json", "Print one JSON document");
}

function withMoveParams(task: ConfigurableTaskDefinition, amount: string): ConfigurableTaskDefinition {
  return withCommonParams(task)
    .addParam("amount", amount, undefined, types.string)
    .addFlag("dryRun", "Print the transactions and what they cost; send nothing")
    .addFlag("yes", "Spend on a live chain without asking");
}

withCommonParams(reserve.task("status", "Prints the reserve of every asset, the hub and the treasury")).setAction(
  command<action.ReserveArgs>(() => actions().statusCommand),
);

withMoveParams(
  reserve.task("fund", "Puts ETH or a token into the reserve; a token is approved for exactly the amount first"),
  "Such as 3.14eth, 1000lusd, 20gwei, or base units",
)
  .addOptionalParam("from", "Account that pays: an address or an index (default 0)", undefined, types.string)
  .setAction(command<action.FundArgs>(() => actions().fundCommand));

withMoveParams(
  reserve.task("recall", "Pays reserve to the treasury, with the hub's key or the treasury's"),
  "Such as 3.14eth, 1000lusd, base units, or all",
).setAction(command<action.MoveArgs>(() => actions().recallCommand));
