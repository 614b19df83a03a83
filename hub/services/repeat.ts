import type { Log } from "../log";

/** Work that is done again and again, never twice at a time; a failure is logged and the next time comes. */
export interface Repeater {
  /** Does it now, after what runs. */
  run(): Promise<void>;
  stop(): Promise<void>;
}

export function repeat(what: string, everyMs: number, log: Log, work: () => Promise<unknown>): Repeater {
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;
  const run = (): Promise<void> => {
    running = running.then(async () => {
      if (isStopped) return;
      try {
        await work();
      } catch (error) {
        log.error(`${what} failed; it is tried again`, error);
      }
    });
    return running;
  };
  const timer = setInterval(() => void run(), everyMs);
  timer.unref();
  return {
    run,
    stop: async () => {
      isStopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
