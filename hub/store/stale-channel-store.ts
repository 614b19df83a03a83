import type { Address } from "../../protocol";
import type { Transaction } from "./database";

/** When a channel was first seen to stand where it stands. */
export interface Standstill {
  readonly user: Address;
  readonly session: bigint;
  /** Of the newest state that both have signed. */
  readonly nonce: bigint;
  readonly sinceMs: number;
}

/** How long channels have stood still. Written by whoever looks, so that payments pay nothing for it. */
export interface StaleChannelStore {
  load(user: Address): Promise<Standstill | undefined>;
  note(tx: Transaction, standstill: Standstill): void;
}
