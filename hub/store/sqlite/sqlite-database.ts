import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from "@photostructure/sqlite";
import { ConflictError, type Database, type Transaction } from "../database";
import { LogSync } from "./log-sync";

/** What SQLite stores and gives back. Integers come back as `bigint`; amounts are decimal text, JSON is text. */
export type SqlValue = string | bigint | null;
export type Row = Readonly<Record<string, SqlValue>>;

interface Step {
  readonly build: (tx: Transaction) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class Closed extends Error {}

/** How long to wait for another process that holds the file, for instance a backup. */
const BUSY_TIMEOUT_MS = 5_000;

/** How long a commit waits for more, after one that was shared: a commit costs far more than the steps in it. */
const GATHER_MS = 1;

/** Pages in memory: what changes often is not read from the disk again. */
const CACHE_KIB = 32_768;

/** Pages (4 KiB) in the write-ahead log before they are copied into the database: what changes often is copied once. */
const LOG_PAGES = 8_000;

/** More steps than this in one commit gain nothing and delay the first of them. */
const MAX_STEPS_PER_COMMIT = 256;

/**
 * One SQLite file. Durable: a step resolves once the write-ahead log is on disk with it, so it survives a power cut; what
 * is read is answered through `onDisk`, so nobody learns of what a power cut could still undo.
 * Steps that arrive while the disk writes, or while the event loop is busy, share a commit; one that fails hurts nobody.
 */
export class SqliteDatabase implements Database {
  readonly #db: DatabaseSyncInstance;
  readonly #log: LogSync;
  readonly #statements = new Map<string, StatementSyncInstance>();
  readonly #waiting: Step[] = [];
  /** Commits what waits, one commit after the other; there while something does. */
  #working: Promise<void> | undefined;
  /** There while something that reads can see already is not on disk yet. */
  #syncing: Promise<void> | undefined;
  /** Why nothing is read or written any more. */
  #failure: Error | undefined;
  #sequence = 0n;

  /** @param file Path, or `:memory:` for what needs no durability. */
  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL; -- and \`LogSync\`
      PRAGMA foreign_keys = ON;
      PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS};
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA wal_autocheckpoint = ${LOG_PAGES};
    `);
    this.#db.exec("CREATE TABLE IF NOT EXISTS sequence (value INTEGER NOT NULL) STRICT");
    if (this.get("SELECT value FROM sequence") === undefined) this.#db.exec("INSERT INTO sequence VALUES (0)");
    this.#sequence = BigInt(this.get("SELECT value FROM sequence")?.value ?? 0n);
    this.#log = new LogSync(file);
    this.#log.syncNow();
  }

  write(build: (tx: Transaction) => void): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ build, resolve, reject });
      this.#working ??= this.#work();
    });
  }

  get sequence(): bigint {
    return this.#sequence;
  }

  /** One statement, outside `write`: migrations and pragmas. */
  exec(sql: string): void {
    this.#db.exec(sql);
    this.#log.syncNow();
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

  /** The first row, committed. Answer with it through `onDisk`. */
  get(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  /** All rows, committed. Answer with them through `onDisk`. */
  all(sql: string, ...values: SqlValue[]): readonly Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  /** Resolves with what was read just now once all of that is on disk. */
  onDisk<T>(read: T): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return this.#syncing === undefined ? Promise.resolve(read) : this.#syncing.then(() => read);
  }

  async close(): Promise<void> {
    if (this.#failure instanceof Closed) return;
    this.#failure = new Closed("the database is closed");
    await this.#working;
    this.#statements.clear();
    this.#db.close();
    this.#log.close();
  }

  /** While the disk writes, and a little longer where steps come together, they gather. One that comes alone does not wait. */
  async #work(): Promise<void> {
    let isShared = false;
    await nextTurn(); // steps of the same moment come together
    while (this.#waiting.length > 0) {
      if (isShared) await passed(GATHER_MS);
      const steps = this.#waiting.splice(0, MAX_STEPS_PER_COMMIT);
      isShared = steps.length > 1;
      const committed = this.#commit(steps);
      if (committed.length > 0) await this.#toDisk(committed);
    }
    this.#working = undefined;
  }

  /**
   * After a failed sync nobody knows what the disk holds, and asking again does not tell: only a new start does.
   * Source: "Can Applications Recover from fsync Failures?", USENIX ATC 2020.
   */
  async #toDisk(committed: readonly Step[]): Promise<void> {
    try {
      await (this.#syncing = this.#log.sync());
    } catch (cause) {
      const failure = new Error("the disk did not take a commit: start again", { cause });
      this.#failure = failure;
      for (const step of [...committed, ...this.#waiting.splice(0)]) step.reject(failure);
      return;
    } finally {
      this.#syncing = undefined;
    }
    this.#sequence += 1n;
    for (const step of committed) step.resolve();
  }

  /** @returns The steps that were committed; the others have been told why not. */
  #commit(steps: readonly Step[]): readonly Step[] {
    return this.#tryAll(steps) ?? this.#commitEach(steps);
  }

  /** All steps in one go. One that fails undoes them all: then each is run again on its own. */
  #tryAll(steps: readonly Step[]): readonly Step[] | undefined {
    try {
      this.#run("BEGIN IMMEDIATE");
      for (const { build } of steps) build({} as Transaction);
      this.#end();
    } catch (error) {
      this.#rollBack();
      if (steps.length > 1) return undefined;
      for (const step of steps) step.reject(error);
      return [];
    }
    return steps;
  }

  /** Each step in a savepoint of its own: those that fail leave nothing behind, the others are committed together. */
  #commitEach(steps: readonly Step[]): readonly Step[] {
    const done: Step[] = [];
    try {
      this.#run("BEGIN IMMEDIATE");
      for (const step of steps) if (this.#tryStep(step)) done.push(step);
      this.#end();
    } catch (error) {
      this.#rollBack();
      for (const step of steps) step.reject(error); // those that failed by themselves know already
      return [];
    }
    return done;
  }

  #end(): void {
    this.#run("UPDATE sequence SET value = value + 1");
    this.#run("COMMIT");
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

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
