/** A section of the report. */
export interface Section {
  readonly title: string;
  readonly body: string;
}

/** A table; a bar inside a cell is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** A document with a numbered list of its sections on top. */
export function document(title: string, intro: string, sections: readonly Section[]): string {
  const contents = sections.map((section, i) => `${i + 1}. ${section.title}`).join("\n");
  const parts = sections.map((section, i) => `## ${i + 1}. ${section.title}\n\n${section.body}`);
  return `${[`# ${title}`, intro, contents, ...parts].join("\n\n")}\n`;
}
