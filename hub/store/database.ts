/**
 * The seam to a database. Reads are methods of the stores and answer with what is committed; writes go through `write`,
 * so that everything one step changes is committed together or not at all.
 * SQLite is the embedded backend; the interface asks for nothing that PostgreSQL could not give.
 */
export interface Database {
  /**
   * Runs `build`, which writes through the stores, as one atomic and durable step. Resolves when it is on disk. Steps
   * that wait at the same time are committed in one go; one that fails does not touch the others.
   * `build` must be synchronous, may run later, and twice if a step beside it fails; it must not read: decide before, let
   * constraints decide races.
   * @throws ConflictError when a constraint or an expectation of a store's write refuses; anything else is a bug.
   */
  write(build: (tx: Transaction) => void): Promise<void>;

  /** How many commits this database has had. A copy that was put back has fewer than the one that it replaced. */
  readonly sequence: bigint;

  /** Commits what waits, then closes. Later calls fail. */
  close(): Promise<void>;
}

declare const transaction: unique symbol;

/** Proof that a write happens inside `Database.write`. Only a backend makes one and looks inside. */
export interface Transaction {
  readonly [transaction]: true;
}

/** The database refused a write because of what it already holds: a duplicate, a negative balance, a lost race. */
export class ConflictError extends Error {
  override readonly name = "ConflictError";
}
