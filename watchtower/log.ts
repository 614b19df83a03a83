/** Where the tower says what goes on; a hub's log fits. One line each, never a key. */
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
    error: (line, cause) => write("error", cause instanceof Error ? `${line}: ${cause.message}` : line),
  };
}
