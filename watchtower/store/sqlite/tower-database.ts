import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from "@photostructure/sqlite";
import { MIGRATIONS } from "./migrations";

/** Integers come back as `bigint`. */
export type Row = Readonly<Record<string, string | bigint | null>>;
export type SqlValue = string | bigint | number | null;

/** How long to wait for another process that holds the file, for instance a backup. */
const BUSY_TIMEOUT_MS = 5_000;

/** One SQLite file, at the newest schema. What `write` did survives a power cut. */
export class TowerDatabase {
  readonly #db: DatabaseSyncInstance;
  readonly #statements = new Map<string, StatementSyncInstance>();

  /** @throws Error if a newer version of this software wrote the file */
  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`,
    );
    this.#migrate();
  }

  write(step: () => void): void {
    if (this.#db.isTransaction) {
      step(); // a part of the one around it
      return;
    }
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      step();
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  /** @returns How many rows it changed. */
  run(sql: string, ...values: SqlValue[]): number {
    const changes: unknown = this.#prepare(sql).run(...values).changes;
    return Number(changes); // a bigint, whatever the library's types say: integers are read so
  }

  get(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  all(sql: string, ...values: SqlValue[]): readonly Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  /** SQLite has done so by itself after some failures. */
  #rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
  }

  #migrate(): void {
    this.#db.exec("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL) STRICT");
    const applied = new Set(this.all("SELECT name FROM migrations").map(({ name }) => String(name)));
    const unknown = [...applied].filter((name) => !MIGRATIONS.some((known) => known.name === name));
    if (unknown.length > 0)
      throw new Error(`The tower's file has migrations of a newer version: ${unknown.join(", ")}`);
    for (const { name, sql } of MIGRATIONS.filter((each) => !applied.has(each.name))) {
      this.#db.exec(`BEGIN; ${sql}; INSERT INTO migrations VALUES ('${name}', datetime('now')); COMMIT`);
    }
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
