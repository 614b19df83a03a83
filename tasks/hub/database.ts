import { copyFileSync, existsSync, rmSync } from "node:fs";
import { DatabaseSync } from "@photostructure/sqlite";
import Table from "cli-table3";
import { migrate } from "../../hub/store/sqlite/migrate";
import { MIGRATIONS } from "../../hub/store/sqlite/migrations";
import { SqliteDatabase } from "../../hub/store/sqlite/sqlite-database";
import { SignerRecord } from "../../hub/signer/signer-record";
import type { Outcome } from "../command";
import { operationError } from "../errors";
import type { Files } from "./files";

export interface DatabaseRequest {
  readonly action: string;
  readonly file?: string;
  readonly sql?: string;
}

const ACTIONS = ["migrate", "backup", "restore", "console"] as const;

/** What can be done with the hub's database file. */
export async function databaseCommand(files: Files, { action, file, sql }: DatabaseRequest): Promise<Outcome> {
  switch (action) {
    case "migrate":
      return migrateFile(files);
    case "backup":
      return backup(files, file ?? `${files.database}.${new Date().toISOString().replace(/[:.]/g, "-")}.backup`);
    case "restore":
      return restore(files, file ?? "");
    case "console":
      return ask(files, sql ?? "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
    default:
      throw operationError("ActionUnknown", { given: action, known: ACTIONS });
  }
}

async function migrateFile({ database }: Files): Promise<Outcome> {
  const db = new SqliteDatabase(database);
  const applied = migrate(db, MIGRATIONS);
  await db.close();
  const what = applied.length === 0 ? "The schema is the newest already." : `Applied ${applied.join(", ")}.`;
  return { json: { applied }, text: `${what}\nNext: npx hardhat hub start` };
}

/** A consistent copy, also while the hub runs. The signer's record is not in it, and must never be restored. */
function backup({ database }: Files, file: string): Outcome {
  requireFile(database);
  if (existsSync(file)) throw operationError("FileExists", { file });
  const db = new DatabaseSync(database);
  db.prepare("VACUUM INTO ?").run(file);
  db.close();
  return { json: { file }, text: `Backed up to ${file}.\nNext: npx hardhat hub db restore --file ${file}` };
}

/** The hub notices by its signer's record that the database is older, and asks every user for its newest state first. */
async function restore({ database, signerRecord }: Files, file: string): Promise<Outcome> {
  requireFile(file);
  await requireStopped(signerRecord);
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${database}${suffix}`, { force: true });
  copyFileSync(file, database);
  const text = `Restored from ${file}. Channels that have moved on since wait until their users have shown their newest state.`;
  return { json: { file }, text: `${text}\nNext: npx hardhat hub start` };
}

function ask({ database }: Files, sql: string): Outcome {
  requireFile(database);
  if (!/^\s*(select|with|explain|pragma\s+table_info)\b/i.test(sql)) throw operationError("NotReadOnly", {});
  const db = new DatabaseSync(database, { readOnly: true });
  try {
    const rows = db.prepare(sql).all() as unknown as Readonly<Record<string, unknown>>[];
    const head = Object.keys(rows[0] ?? {});
    const table = new Table({ head, style: { head: [], border: [] } });
    for (const row of rows) table.push(head.map((name) => String(row[name])));
    return { json: rows, text: rows.length === 0 ? "No rows." : table.toString() };
  } finally {
    db.close();
  }
}

async function requireStopped(signerRecord: string): Promise<void> {
  try {
    await new SignerRecord(signerRecord).close();
  } catch (error) {
    throw operationError("HubIsRunning", { file: signerRecord }, error);
  }
}

function requireFile(file: string): void {
  if (!existsSync(file)) throw operationError("FileMissing", { file });
}
