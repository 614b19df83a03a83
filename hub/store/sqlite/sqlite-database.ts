import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from "@photostructure/sqlite";
import { ConflictError, type Database, type Transaction } from "../database";

/** What SQLite stores and gives back. Integers come back as `bigint`; amounts are decimal text, JSON is text. */
export type SqlValue = string | bigint | null;
export type Row = Readonly<Record<string, SqlValue>>;

interface Step {
  readonly build: (tx: Transaction) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** How long to wait for another process that holds the file, for instance a backup. */
const BUSY_TIMEOUT_MS = 5_000;

/** How long a commit waits for steps to share it. Longer waits gained nothing under load and cost latency below it. */
const GATHER_MS = 1;

/** More steps than this in one commit gain nothing and delay the first of them. */
const MAX_STEPS_PER_COMMIT = 256;

/**
 * One SQLite file. Durable: write-ahead log with `synchronous=FULL`, so a committed step survives a power cut.
 * Steps that arrive while the event loop is busy, or while a commit gathers others, share one; one that fails hurts nobody.
 */
export class SqliteDatabase implements Database {
  readonly #db: DatabaseSyncInstance;
  readonly #statements = new Map<string, StatementSyncInstance>();
  readonly #waiting: Step[] = [];
  #sequence = 0n;
  #isScheduled = false;
  /** How many steps shared the last commit. */
  #lastSteps = 0;
  #isClosed = false;

  /** @param file Path, or `:memory:` for what needs no durability. */
  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`,
    );
    this.#db.exec("CREATE TABLE IF NOT EXISTS sequence (value INTEGER NOT NULL) STRICT");
    if (this.get("SELECT value FROM sequence") === undefined) this.#db.exec("INSERT INTO sequence VALUES (0)");
    this.#sequence = BigInt(this.get("SELECT value FROM sequence")?.value ?? 0n);
  }

  write(build: (tx: Transaction) => void): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Error("the database is closed"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ build, resolve, reject });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      this.#schedule();
    });
  }

  get sequence(): bigint {
    return this.#sequence;
  }

  /** One statement, outside `write`: migrations and pragmas. */
  exec(sql: string): void {
    this.#db.exec(sql);
  }

  /** Inside `write`: runs a statement and says how many rows it changed. @throws ConflictError */
  run(_tx: Transaction, sql: string, ...values: SqlValue[]): number {
    try {
      const changes: unknown = this.#prepare(sql).run(...values).changes;
      return Number(changes); // a bigint, whatever the library's types say: integers are read so
    } catch (error) {
      throw isConstraint(error) ? new ConflictError((error as Error).message, { cause: error }) : error;
    }
  }

  /** Inside `write`: as `run`, and exactly one row must change. @param what For the error. @throws ConflictError */
  runOne(tx: Transaction, what: string, sql: string, ...values: SqlValue[]): void {
    const changes = this.run(tx, sql, ...values);
    if (changes !== 1) throw new ConflictError(`${what}: ${changes} rows instead of 1`);
  }

  /** The first row, committed. */
  get(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  /** All rows, committed. */
  all(sql: string, ...values: SqlValue[]): readonly Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    while (this.#waiting.length > 0) this.#commitWaiting();
    this.#isClosed = true;
    this.#statements.clear();
    this.#db.close();
    return Promise.resolve();
  }

  /**
   * A commit blocks the event loop while the disk writes, so where steps come together it waits for more to share it. A
   * step that comes alone waits for nobody: its commit follows at the second turn of the event loop.
   */
  #schedule(): void {
    const commit = (): void => this.#commitWaiting();
    if (this.#lastSteps > 1) setTimeout(commit, GATHER_MS);
    else setImmediate(() => setImmediate(commit));
  }

  #commitWaiting(): void {
    this.#isScheduled = false;
    if (this.#isClosed) return;
    const steps = this.#waiting.splice(0, MAX_STEPS_PER_COMMIT);
    if (this.#waiting.length > 0) {
      this.#isScheduled = true;
      this.#schedule();
    }
    if (steps.length > 0) this.#commit(steps);
  }

  #commit(steps: readonly Step[]): void {
    this.#lastSteps = steps.length;
    if (!this.#tryAll(steps)) this.#commitEach(steps);
  }

  /** All steps in one go. One that fails undoes them all: then each is run again on its own. */
  #tryAll(steps: readonly Step[]): boolean {
    try {
      this.#run("BEGIN IMMEDIATE");
      for (const { build } of steps) build({} as Transaction);
      this.#end();
    } catch (error) {
      this.#rollBack();
      if (steps.length > 1) return false;
      for (const step of steps) step.reject(error);
      return true;
    }
    for (const step of steps) step.resolve();
    return true;
  }

  /** Each step in a savepoint of its own: those that fail leave nothing behind, the others are committed together. */
  #commitEach(steps: readonly Step[]): void {
    const done: Step[] = [];
    try {
      this.#run("BEGIN IMMEDIATE");
      for (const step of steps) if (this.#tryStep(step)) done.push(step);
      this.#end();
    } catch (error) {
      this.#rollBack();
      for (const step of steps) step.reject(error); // those that failed by themselves know already
      return;
    }
    for (const step of done) step.resolve();
  }

  #end(): void {
    this.#run("UPDATE sequence SET value = value + 1");
    this.#run("COMMIT");
    this.#sequence += 1n;
  }

  #tryStep(step: Step): boolean {
    this.#run("SAVEPOINT step");
    try {
      step.build({} as Transaction);
      this.#run("RELEASE step");
      return true;
    } catch (error) {
      this.#run("ROLLBACK TO step");
      this.#run("RELEASE step");
      step.reject(error);
      return false;
    }
  }

  #run(sql: string): void {
    this.#prepare(sql).run();
  }

  #rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
  }

  #prepare(sql: string): StatementSyncInstance {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      statement.setReadBigInts(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function isConstraint(error: unknown): boolean {
  return error instanceof Error && /constraint failed/i.test(error.message);
}
