/** Runs something later, once; what it returns calls that off. */
export type Schedule = (run: () => void, ms: number) => () => void;

/** By the platform's timers. */
export const onTimer: Schedule = (run, ms) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

/** The same, but in Node such a timer alone does not keep the process from ending. */
export const onIdleTimer: Schedule = (run, ms) => {
  const timer: unknown = setTimeout(run, ms);
  (timer as { unref?: () => void }).unref?.();
  return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
};
