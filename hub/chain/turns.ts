/** One step at a time: each begins when those before it have ended, well or badly. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(step, step);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when nothing runs any more, or after `maxMs`: a node that never answers must not hold up the end. */
  async ended(maxMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, maxMs)));
    await Promise.race([this.#last, late]);
    clearTimeout(timer);
  }
}
