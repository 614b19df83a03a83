import { createRequire } from "node:module";
import { scope, types } from "hardhat/config";
import { ofUser } from "../channel/declaration";
import { command } from "../command";
import type * as action from "./action";

const load = createRequire(__filename);
const actions = (): typeof action => load("./action") as typeof action;

const link = scope("link", "Payments to whoever has a link");

ofUser(link.task("create", "Pays into a link and prints its secret: whoever has it can redeem it once"))
  .addParam("amount", "Such as 1.5eth, 10lusd, or base units of ETH", undefined, types.string)
  .setAction(command<action.CreateArgs>(() => actions().createCommand));

ofUser(link.task("redeem", "Redeems a link for the user"))
  .addParam("secret", "The link's secret", undefined, types.string)
  .setAction(command<action.RedeemArgs>(() => actions().redeemCommand));

ofUser(link.task("cancel", "Takes an expired link's money back"))
  .addParam("link", "The link's address, as create printed it", undefined, types.string)
  .setAction(command<action.CancelArgs>(() => actions().cancelCommand));
