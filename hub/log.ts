/** Where the hub says what goes on. One line each; never a key, a token or a whole request. */
export interface Log {
  info(line: string): void;
  warn(line: string): void;
  error(line: string, cause?: unknown): void;
}

export const silentLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Lines on stderr, with the time. */
export function consoleLog(): Log {
  const write = (level: string, line: string): void => {
    process.stderr.write(`${new Date().toISOString()} ${level} ${line}\n`);
  };
  return {
    info: (line) => write("info ", line),
    warn: (line) => write("warn ", line),
    error: (line, cause) => {
      write("error", line);
      if (cause instanceof Error) process.stderr.write(`${cause.stack ?? cause.message}\n`);
    },
  };
}
