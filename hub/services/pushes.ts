import type { Address, ChannelEvent } from "../../protocol";
import type { Transaction } from "../store/database";

/** What the services need of the socket: tell a user something, now or when it is back. */
export interface Pushes {
  isConnected(user: Address): boolean;
  /** Kept with the step that it tells of, so that it is told exactly if the step was committed; see `flush`. */
  keep(tx: Transaction, user: Address, event: ChannelEvent): void;
  /** After a commit: sends what was kept for the user. */
  flush(user: Address): void;
  /** Tells a connected user and nobody else: for what it can also ask for. */
  tell(user: Address, event: ChannelEvent): void;
}
