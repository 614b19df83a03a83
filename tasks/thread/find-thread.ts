import type { OwnThread } from "../../client/threads/own-thread";
import { ZERO_ADDRESS } from "../../protocol";
import type { Opened } from "../channel/open-client";
import { operationError } from "../errors";

/**
 * The thread that a person means: by its hash or the beginning of it, or the only one that is open.
 * @throws ThreadNotFound
 */
export function findThread({ client }: Opened, given: string | undefined): OwnThread {
  const known = client.listThreads();
  const open = known.filter(({ leg }) => leg === "open");
  const found = given === undefined ? open : known.filter(({ hash }) => hash.startsWith(given.toLowerCase()));
  const [only, second] = found;
  if (only !== undefined && second === undefined) return only;
  throw operationError("ThreadNotFound", { given: given ?? "", count: found.length });
}

export function otherParty({ thread }: OwnThread, user: string): string {
  return thread.sender === user ? thread.receiver : thread.sender;
}

/** What the receiver gets by what is known here. */
export function balanceOf({ thread, payment, update, resolved, outcome }: OwnThread): bigint {
  const agreed = update?.update.balanceReceiver ?? payment?.payment.balanceReceiver ?? thread.balanceReceiver;
  return outcome ?? resolved ?? agreed;
}

export function kindOf({ thread }: OwnThread): string {
  if (thread.app !== ZERO_ADDRESS) return `app ${thread.app}`;
  return thread.updatable ? "both sign" : "stream";
}
