import { hashThread } from "../eip712/hash";
import type { Hash } from "../hex";
import type { Update } from "./update";

/** Hashes of the threads that are open after an update, given those before it: what the state's root is made of. */
export function threadsAfter(open: readonly Hash[], update: Update): readonly Hash[] {
  if (update.reason === "Settled") return [];
  if (update.reason !== "OpenThread" && update.reason !== "CloseThread") return open;
  const named = hashThread(update.args.thread);
  return update.reason === "OpenThread" ? [...open, named] : open.filter((hash) => hash !== named);
}
