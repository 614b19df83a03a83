import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join } from "node:path";

type FoundryTool = "forge" | "anvil";

const VERSION = "1.7.1";

/** The path of a Foundry binary: from npm (an optional dependency, linux-x64), else from the PATH; undefined when absent. */
export function findFoundry(tool: FoundryTool): string | undefined {
  return findInNpm(tool) ?? findOnPath(tool);
}

/** What to tell the user when `findFoundry` finds nothing. */
export function howToInstall(tool: FoundryTool): string {
  return (
    `${tool} is not installed. npm ci brings it on linux-x64 only; on ${process.platform}-${process.arch} ` +
    `install Foundry ${VERSION} from https://getfoundry.sh so that ${tool} is on the PATH, and run this again.`
  );
}

function findInNpm(tool: FoundryTool): string | undefined {
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  try {
    const manifest = require.resolve(`@foundry-rs/${tool}-${process.platform}-${arch}/package.json`);
    return join(dirname(manifest), "bin", tool);
  } catch {
    return undefined; // no such package on this platform: the PATH is next
  }
}

function findOnPath(tool: FoundryTool): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, tool)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
