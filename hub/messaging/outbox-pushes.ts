import type { Address, ChannelEvent } from "../../protocol";
import type { Clock } from "../clock";
import type { Pushes } from "../services/pushes";
import type { Transaction } from "../store/database";
import type { Store } from "../store/store";
import type { Messaging } from "./messaging";

/** Pushes over messaging: what must not be missed goes through the outbox first. */
export function outboxPushes(store: Store, messaging: Messaging, clock: Clock): Pushes {
  return {
    isConnected: (user) => messaging.isConnected(user),
    keep: (tx: Transaction, user: Address, event: ChannelEvent) => store.outbox.append(tx, user, event, clock.now()),
    flush: (user) => messaging.publishTo(user, { kind: "outbox" }),
    tell: (user, event) => messaging.publishTo(user, { kind: "push", event: JSON.stringify(event) }),
  };
}
