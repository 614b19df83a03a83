import { readdirSync } from "node:fs";
import { join } from "node:path";

/** The files below a folder whose names end like this, relative to the root, in a fixed order. */
export function filesBelow(root: string, folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(folder, file))
    .sort();
}
