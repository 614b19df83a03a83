import { TASK_COMPILE } from "hardhat/builtin-tasks/task-names";
import type { ActionType, HardhatRuntimeEnvironment } from "hardhat/types";
import { CodedError } from "../protocol/coded-error";
import { openTerminal, type Terminal } from "./terminal";

/** What a command has to say: one JSON document for programs, text whose last line names the next command for people. */
export interface Outcome {
  readonly json: unknown;
  readonly text: string;
}

export type Command<Args> = (args: Args, hre: HardhatRuntimeEnvironment, terminal: Terminal) => Promise<Outcome>;

/**
 * Makes a task of a command: compiles, runs it, prints the outcome on stdout and an expected failure as its sentence on
 * stderr, with exit code 1. `load` imports the command late, so that loading the configuration stays quick and the
 * TypeChain bindings exist by then.
 */
export function command<Args extends { json: boolean }>(load: () => Command<Args>): ActionType<Args> {
  return async (args, hre) => {
    try {
      const outcome = await withCleanStdout(async () => {
        await hre.run(TASK_COMPILE, { quiet: true });
        return load()(args, hre, openTerminal());
      });
      console.log(args.json ? toJson(outcome.json) : outcome.text);
    } catch (error) {
      if (!isCoded(error)) throw error; // a bug: Hardhat prints it whole
      if (args.json) console.log(toJson({ error: summaryOf(error) }));
      const line = `Error ${error.code}: ${error.message}`;
      console.error(hre.hardhatArguments.showStackTraces ? error : line);
      process.exitCode = 1;
    }
  };
}

function isCoded(error: unknown): error is CodedError {
  return error instanceof CodedError;
}

function summaryOf({ code, message, details }: CodedError): object {
  return { code, message, details };
}

/** Plugins report progress by `console.log`, but stdout is for the result alone. */
async function withCleanStdout<T>(run: () => Promise<T>): Promise<T> {
  const log = console.log;
  console.log = console.error;
  try {
    return await run();
  } finally {
    console.log = log;
  }
}

/** Amounts are decimal strings on the wire. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? item.toString() : item), 2);
}
