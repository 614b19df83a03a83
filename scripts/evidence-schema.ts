// Writes docs/evidence.schema.json, the published form of evidence files: `npm run docs:evidence`. A test holds it to the code.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { evidenceSchema } from "../protocol/evidence";

export const EVIDENCE_SCHEMA_FILE = join(__dirname, "..", "docs", "evidence.schema.json");

/** The text that the file should hold. */
export async function evidenceSchemaText(): Promise<string> {
  const head = { $schema: "https://json-schema.org/draft/2020-12/schema", title: "Channel evidence, version 1" };
  const text = JSON.stringify({ ...head, ...evidenceSchema });
  return format(text, { ...(await resolveConfig(EVIDENCE_SCHEMA_FILE)), parser: "json" });
}

if (require.main === module) void evidenceSchemaText().then((text) => writeFileSync(EVIDENCE_SCHEMA_FILE, text));
