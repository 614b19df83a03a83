import { createRequire } from "node:module";
import { scope, types } from "hardhat/config";
import type { ConfigurableTaskDefinition } from "hardhat/types";
import { command } from "../command";
import type * as action from "./action";
import type * as backup from "./backup";

const load = createRequire(__filename);
const actions = (): typeof action => load("./action") as typeof action;

const backups = (): typeof backup => load("./backup") as typeof backup;

const channel = scope("channel", "One user's channel: paying in, paying others, paying out");

/** What all of them take. */
export function ofUser(task: ConfigurableTaskDefinition): ConfigurableTaskDefinition {
  return task
    .addOptionalParam("user", "Whose channel: an address or account index with a key at hand", "3", types.string)
    .addOptionalParam("hub", "Where the hub listens", "http://127.0.0.1:3000", types.string)
    .addFlag("json", "Print one JSON document");
}

const AMOUNT = "Such as 1.5eth, 10lusd, 20gwei, or base units of ETH";

ofUser(channel.task("show", "Balances, newest state and where it stands on chain")).setAction(
  command<action.UserArgs>(() => actions().showCommand),
);

ofUser(channel.task("deposit", "Moves money from the user's account into its channel"))
  .addParam("amount", AMOUNT, undefined, types.string)
  .addFlag("dryRun", "Print what would be sent; send nothing")
  .setAction(command<action.AmountArgs>(() => actions().depositCommand));

ofUser(channel.task("pay", "Pays somebody through the hub"))
  .addParam("to", "Payee: an address or account index", undefined, types.string)
  .addParam("amount", AMOUNT, undefined, types.string)
  .addOptionalParam("type", "PT_CHANNEL, PT_CUSTODIAL or PT_OPTIMISTIC (default by amount)", undefined, types.string)
  .addOptionalParam("id", "Purchase id: the same one again pays nothing twice", undefined, types.string)
  .addFlag("dryRun", "Print what would be paid and whether the payee can receive it; sign nothing")
  .setAction(command<action.PayArgs>(() => actions().payCommand));

ofUser(channel.task("exchange", "Sells one asset to the hub for another"))
  .addParam("amount", AMOUNT, undefined, types.string)
  .addOptionalParam("for", "Symbol or address of what to buy (default: the other one)", undefined, types.string)
  .addFlag("dryRun", "Print the rate; sign nothing")
  .setAction(command<action.ExchangeArgs>(() => actions().exchangeCommand));

ofUser(channel.task("withdraw", "Takes money out of the channel, to any address"))
  .addOptionalParam("amount", AMOUNT, undefined, types.string)
  .addOptionalParam("to", "Recipient: an address or account index (default: the user)", undefined, types.string)
  .addOptionalParam("sell", "Tokens to sell for ETH in the same step, such as 990lusd", undefined, types.string)
  .addFlag("dryRun", "Print what would be withdrawn; sign nothing")
  .setAction(command<action.WithdrawArgs>(() => actions().withdrawCommand));

ofUser(channel.task("collateral", "Asks the hub for enough collateral to receive an amount"))
  .addParam("amount", AMOUNT, undefined, types.string)
  .setAction(command<action.AmountArgs>(() => actions().collateralCommand));

ofUser(channel.task("history", "Payments from and to the user, newest first"))
  .addOptionalParam("limit", "Rows", 20, types.int)
  .setAction(command<action.HistoryArgs>(() => actions().historyCommand));

ofUser(channel.task("backup", "Writes an encrypted backup of the user's newest states, and gives one to the hub"))
  .addParam("file", "Where to: a new file, which only this user's key opens", undefined, types.string)
  .setAction(command<backup.BackupArgs>(() => backups().backupCommand));

ofUser(channel.task("restore", "Restores a user's channel from backups, or from the key and the chain alone"))
  .addOptionalParam("file", "A backup; without one the hub's is used, or none", undefined, types.string)
  .setAction(command<backup.RestoreArgs>(() => backups().restoreCommand));
