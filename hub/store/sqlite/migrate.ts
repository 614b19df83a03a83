import type { Migration } from "./migrations";
import type { SqliteDatabase } from "./sqlite-database";

/**
 * Brings the file to the newest schema, each migration in one transaction of its own. Done already: nothing happens.
 * @returns The names of those that were applied.
 * @throws Error if the file was written by a newer version of this software.
 */
export function migrate(db: SqliteDatabase, migrations: readonly Migration[]): readonly string[] {
  db.exec("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL) STRICT");
  const applied = new Set(db.all("SELECT name FROM migrations").map(({ name }) => String(name)));
  requireKnown(applied, migrations);
  const missing = migrations.filter(({ name }) => !applied.has(name));
  for (const { name, sql } of missing) {
    db.exec(`BEGIN; ${sql}; INSERT INTO migrations VALUES ('${name}', datetime('now')); COMMIT`);
  }
  return missing.map(({ name }) => name);
}

function requireKnown(applied: ReadonlySet<string>, migrations: readonly Migration[]): void {
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = [...applied].filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new Error(`The database has migrations of a newer version: ${unknown.join(", ")}. Start that version instead.`);
}
