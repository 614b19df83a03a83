import { createInterface } from "node:readline/promises";

/** Where a command talks to a person. Results go to stdout; everything here goes to stderr. */
export interface Terminal {
  readonly isInteractive: boolean;
  /** A line about what is going on. */
  progress(line: string): void;
  /** Asks a question that only "yes" or "y" affirms. */
  confirm(question: string): Promise<boolean>;
}

/** The terminal of this process. */
export function openTerminal(): Terminal {
  return {
    isInteractive: process.stdin.isTTY && process.stderr.isTTY,
    progress: (line) => void process.stderr.write(`${line}\n`),
    confirm: async (question) => {
      const readline = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return /^y(es)?$/i.test((await readline.question(`${question} [y/N] `)).trim());
      } finally {
        readline.close();
      }
    },
  };
}
