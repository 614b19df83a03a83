// A process of its own for `stores.test.ts`: holds a store's lock, or writes until it is killed.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { hasCode } from "../../../client/errors";
import { sqliteStore } from "../../../client/node/sqlite-store";

const PARTS = 50;

async function lock(file: string): Promise<void> {
  try {
    await sqliteStore(file).lock();
    collectGarbage();
    process.send?.("locked");
    setInterval(() => undefined, 1_000);
  } catch (error) {
    process.send?.(hasCode(error) ? error.code : String(error), () => process.exit());
  }
}

/** Whoever locks need not keep the store. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

async function writeForEver(file: string): Promise<void> {
  const store = sqliteStore(file);
  for (let count = 1; ; count++) {
    await store.write(Object.fromEntries(Array.from({ length: PARTS }, (_, i) => [`part:${i}`, String(count)])));
    process.send?.(count);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const [what, file = ""] = process.argv.slice(2);
void (what === "lock" ? lock(file) : writeForEver(file));
