import { createRequire } from "node:module";
import { scope, types } from "hardhat/config";
import { ofUser } from "../channel/declaration";
import { command } from "../command";
import type * as action from "./action";

const load = createRequire(__filename);
const actions = (): typeof action => load("./action") as typeof action;

const app = scope("app", "Conditional payments and games of two users, decided by a contract if need be");

const AMOUNT = "Such as 1.5eth, 10lusd, 20gwei, or base units of ETH";
const WHICH = "Hash of its thread, or how it begins (default: the only one open)";

ofUser(app.task("install", "Opens a thread that an app decides"))
  .addParam("to", "The other party: an address or account index", undefined, types.string)
  .addParam("app", "hashlock, signed, or the address of a contract", undefined, types.string)
  .addParam(
    "state",
    "App state in hex: for hashlock the SHA-256 hash, for signed the arbiter as a word",
    undefined,
    types.string,
  )
  .addParam("amount", `The user's stake. ${AMOUNT}`, undefined, types.string)
  .addOptionalParam("stake", "The other party's stake, of the same asset", undefined, types.string)
  .addFlag("updatable", "Both may agree on further states")
  .addFlag("dryRun", "Print what would be installed; sign nothing")
  .setAction(command<action.InstallArgs>(() => actions().installCommand));

ofUser(app.task("update", "Has both parties sign a new state of an app"))
  .addOptionalParam("thread", WHICH, undefined, types.string)
  .addParam("state", "New app state in hex", undefined, types.string)
  .addOptionalParam("balance", "What the receiver has by it so far (default: as it stands)", undefined, types.string)
  .setAction(command<action.UpdateArgs>(() => actions().updateCommand));

ofUser(app.task("resolve", "Shows an app what decides it, off chain, and tells the other party"))
  .addOptionalParam("thread", WHICH, undefined, types.string)
  .addParam("resolver", "In hex: a preimage, a signature, the end of a game", undefined, types.string)
  .addOptionalParam("state", "App state in hex, where it is not known here", undefined, types.string)
  .setAction(command<action.ResolveArgs>(() => actions().resolveCommand));

ofUser(app.task("uninstall", "Closes an app's thread by what it has decided, or as it stands"))
  .addOptionalParam("thread", WHICH, undefined, types.string)
  .addFlag("dryRun", "Print what it would end with; sign nothing")
  .setAction(command<action.UninstallArgs>(() => actions().uninstallCommand));
