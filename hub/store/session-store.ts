import type { Address, Hash } from "../../protocol";
import type { Transaction } from "./database";

/** Who is signed in, by the hash of the token: the token itself is nowhere. */
export interface Session {
  readonly tokenHash: Hash;
  readonly address: Address;
  readonly expiresAtMs: number;
}

export interface SessionStore {
  find(tokenHash: Hash): Promise<Session | undefined>;

  /** @throws ConflictError (from the write) if it was used before. Kept until it would have expired. */
  useNonce(tx: Transaction, nonce: string, expiresAtMs: number): void;
  insert(tx: Transaction, session: Session): void;
  remove(tx: Transaction, tokenHash: Hash): void;
  prune(tx: Transaction, nowMs: number): void;
}
