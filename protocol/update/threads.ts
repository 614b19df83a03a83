import { hashThread } from "../eip712/hash";
import type { Hash } from "../hex";
import type { Update } from "./update";

/** Hashes of the threads that are open after an update, given those before it: what the state's root is made of. */
export function threadsAfter(open: readonly Hash[], update: Update): readonly Hash[] {
  switch (update.reason) {
    case "OpenThread":
      return [...open, hashThread(update.args.thread)];
    case "CloseThread": {
      const closed = hashThread(update.args.thread);
      return open.filter((hash) => hash !== closed);
    }
    case "Settled":
      return [];
    default:
      return open;
  }
}
