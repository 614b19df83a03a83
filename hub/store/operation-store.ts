import type { Address, ExchangeQuote, Hash } from "../../protocol";
import type { Transaction } from "./database";

/** What an operator should be able to look up: its own acts, and what went against the rules. */
export interface AuditEntry {
  readonly atMs: number;
  /** `incident:…`, `admin:…`. */
  readonly kind: string;
  readonly user?: Address;
  /** JSON. */
  readonly details: string;
}

/** Small things of the running hub: quotes, switches, the audit log. */
export interface OperationStore {
  quote(quoteId: Hash): Promise<{ readonly quote: ExchangeQuote; readonly isUsed: boolean } | undefined>;
  setting(name: string): Promise<string | undefined>;
  audit(limit: number): Promise<readonly AuditEntry[]>;
  incidents(): Promise<number>;

  insertQuote(tx: Transaction, quote: ExchangeQuote): void;
  /** @throws ConflictError (from the write) if it was used. */
  useQuote(tx: Transaction, quoteId: Hash): void;
  setSetting(tx: Transaction, name: string, value: string): void;
  log(tx: Transaction, entry: AuditEntry): void;
  /** Forgets quotes that nobody can use any more. */
  prune(tx: Transaction, nowSeconds: bigint): void;
}
