import { clientError } from "../errors";
import type { Schedule } from "../schedule";

interface Waiting<Answer> {
  readonly heard: (answer: Answer) => void;
  readonly failed: (error: Error) => void;
}

/** Who waits for something to be heard, by key. Heard once, it is over. */
export class Answers<Key, Answer> {
  readonly #waiting = new Map<Key, Waiting<Answer>>();
  readonly #schedule: Schedule;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  /** @throws TimedOut, and what `fail` is given */
  wait(key: Key, what: string, ms: number): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => {
      const end = (): void => {
        callOff();
        if (this.#waiting.get(key) === waiting) this.#waiting.delete(key);
      };
      const waiting: Waiting<Answer> = {
        heard: (value) => {
          end();
          resolve(value);
        },
        failed: (error) => {
          end();
          reject(error);
        },
      };
      const silence = (): void => waiting.failed(clientError("TimedOut", { what, seconds: ms / 1000 }));
      const callOff = this.#schedule(silence, ms);
      this.#waiting.set(key, waiting);
    });
    answer.catch(() => undefined); // whoever waits hears of it; nobody may
    return answer;
  }

  hear(key: Key, answer: Answer): void {
    this.#waiting.get(key)?.heard(answer);
  }

  fail(key: Key, error: Error): void {
    this.#waiting.get(key)?.failed(error);
  }
}
