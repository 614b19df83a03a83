import { createRequire } from "node:module";
import { scope, types } from "hardhat/config";
import { command } from "../command";
import type * as action from "./action";

const load = createRequire(__filename);

scope("audit", "What an auditor wants to see")
  .task(
    "report",
    "Writes one Markdown document: storage layout, who may call what, external calls, coverage, gas, size, invariants",
  )
  .addOptionalParam("output", "File to write (default audit-report.md)", undefined, types.string)
  .addFlag("json", "Print one JSON document that names the file")
  .setAction(command<action.ReportArgs>(() => (load("./action") as typeof action).reportCommand));
