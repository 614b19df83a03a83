import { createRequire } from "node:module";
import { task, types } from "hardhat/config";
import { command } from "../command";
import type * as action from "./action";

const load = createRequire(__filename);

task(
  "deploy",
  "Deploys the ChannelManager and its apps, or says where they are. Journaled and resumable; deployments/ has the record",
)
  .addOptionalParam("hub", "Address that signs for the hub (a live chain has no default)", undefined, types.string)
  .addOptionalParam("treasury", "The only address that recalled reserve is paid to", undefined, types.string)
  .addOptionalParam(
    "challengePeriod",
    "Length of every dispute window in seconds (default 86400)",
    undefined,
    types.int,
  )
  .addOptionalParam(
    "parameters",
    "JSON file with hub, treasury and challengePeriodSeconds by network (default deployments/parameters.json)",
    undefined,
    types.string,
  )
  .addOptionalParam(
    "redeploy",
    "Contracts to deploy again, by name, separated by commas; the old ones stay on the chain",
    undefined,
    types.string,
  )
  .addOptionalParam("directory", "Where records are kept (default deployments)", undefined, types.string)
  .addFlag("verify", "Send the sources to the block explorer (needs ETHERSCAN_API_KEY)")
  .addFlag("dryRun", "Print what would be deployed and what it costs; send nothing")
  .addFlag("yes", "Spend on a live chain without asking")
  .addFlag("force", "Allow a challenge period under 24 hours on a live chain")
  .addFlag("json", "Print one JSON document")
  .setAction(command<action.DeployArgs>(() => (load("./action") as typeof action).deployCommand));
