import type { Services } from "../services/services";
import { adminHandlers } from "./admin-handlers";
import { backupHandlers } from "./backup-handlers";
import { channelHandlers } from "./channel-handlers";
import type { Handlers } from "./handlers";
import { paymentHandlers } from "./payment-handlers";
import { publicHandlers } from "./public-handlers";
import { threadHandlers } from "./thread-handlers";

/** What the hub does for every operation there is. */
export function allHandlers(services: Services): Handlers {
  return {
    ...publicHandlers(services),
    ...channelHandlers(services),
    ...backupHandlers(services),
    ...paymentHandlers(services),
    ...threadHandlers(services),
    ...adminHandlers(services),
  };
}
