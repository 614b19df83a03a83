import { createRequire } from "node:module";
import { scope, types } from "hardhat/config";
import { ofUser } from "../channel/declaration";
import { command } from "../command";
import type * as action from "./action";

const load = createRequire(__filename);
const actions = (): typeof action => load("./action") as typeof action;

const thread = scope("thread", "Money set aside between two users, which moves without the hub");

const AMOUNT = "Such as 1.5eth, 10lusd, 20gwei, or base units of ETH";
const WHICH = "Hash of the thread, or how it begins (default: the only one open)";

ofUser(thread.task("open", "Opens a thread to another user through the hub"))
  .addParam("to", "Receiver: an address or account index", undefined, types.string)
  .addParam("amount", `What the user can pay through it. ${AMOUNT}`, undefined, types.string)
  .addOptionalParam("stake", "The receiver's own stake, of the same asset", undefined, types.string)
  .addFlag("updatable", "Both sign every step, and money may go either way")
  .addOptionalParam("hours", "Until it expires; evidence then counts for one challenge period more", 24, types.int)
  .addFlag("dryRun", "Print what would be opened; sign nothing")
  .setAction(command<action.OpenArgs>(() => actions().openCommand));

ofUser(thread.task("pay", "Pays more to the receiver of a thread; no hub and no chain is needed to accept it"))
  .addOptionalParam("thread", WHICH, undefined, types.string)
  .addParam("amount", AMOUNT, undefined, types.string)
  .addFlag("dryRun", "Print what would be paid; sign nothing")
  .setAction(command<action.PayArgs>(() => actions().payCommand));

ofUser(thread.task("close", "Closes a thread off chain at what was paid or agreed last"))
  .addOptionalParam("thread", WHICH, undefined, types.string)
  .addFlag("dryRun", "Print what it would be closed at; sign nothing")
  .setAction(command<action.CloseArgs>(() => actions().closeCommand));

ofUser(thread.task("list", "All threads of the user, and where they stand")).setAction(
  command<action.CloseArgs>(() => actions().listCommand),
);
