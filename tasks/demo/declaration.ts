import { createRequire } from "node:module";
import { task } from "hardhat/config";
import { command } from "../command";
import type * as action from "./action";

const load = createRequire(__filename);

task(
  "demo",
  "The whole story on a fresh in-process chain, narrated; ends well only if every balance is right to the wei",
)
  .addFlag("json", "Print one JSON document")
  .setAction(command<action.DemoArgs>(() => (load("./action") as typeof action).demoCommand));
