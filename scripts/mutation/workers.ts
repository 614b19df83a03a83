import { fork, type ChildProcess } from "node:child_process";
import type { Trial, Verdict } from "./verdict";

/** A process with a sandbox; when it takes too long it is replaced. */
export class Worker {
  readonly #directory: string;
  #process: ChildProcess | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Tries a mutant; or runs tests without any fault. */
  async ask(message: Trial | readonly string[], timeoutSeconds: number): Promise<Verdict> {
    this.#process ??= fork(require.resolve("./worker"), { cwd: this.#directory });
    const verdict = await answerOf(this.#process, message, timeoutSeconds);
    if (verdict.outcome === "timeout") this.close();
    return verdict;
  }

  close(): void {
    this.#process?.kill("SIGKILL");
    this.#process = undefined;
  }
}

function answerOf(worker: ChildProcess, message: object, timeoutSeconds: number): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error("A worker died; what it said stands above."));
    const conclude = (verdict: Verdict): void => {
      clearTimeout(timer);
      worker.off("exit", onExit).off("message", conclude);
      resolve(verdict);
    };
    const timer = setTimeout(() => conclude({ outcome: "timeout" }), 1_000 * timeoutSeconds);
    worker.once("exit", onExit).once("message", conclude);
    worker.send(message);
  });
}

/** Tries all of them, as many at a time as there are workers, and tells each verdict as it comes. */
export async function judgeAll(
  workers: readonly Worker[],
  trials: readonly Trial[],
  timeoutSeconds: number,
  onVerdict: (trial: Trial, verdict: Verdict) => void,
): Promise<void> {
  const queue = trials.values(); // shared: whoever is free takes the next
  await Promise.all(
    workers.map(async (worker) => {
      for (const trial of queue) onVerdict(trial, await worker.ask(trial, timeoutSeconds));
    }),
  );
}
