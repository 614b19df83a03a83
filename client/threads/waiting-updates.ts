import type { Hash, SignedThreadUpdate, ThreadUpdate } from "../../protocol";
import { clientError } from "../errors";
import type { Schedule } from "../schedule";
import { Answers } from "./answers";

/** What an update says, beside its place. */
export type UpdateContent = Pick<ThreadUpdate, "balanceReceiver" | "appStateHash">;

interface Wish {
  /** Of the newest signature under it. */
  nonce: bigint;
  readonly content: UpdateContent;
  /** What both had agreed to when it was made: at a higher nonce again, it says no. */
  readonly before: UpdateContent;
}

/** Who waits for the other party's signature, by thread. */
export class WaitingUpdates {
  readonly #wishes = new Map<Hash, Wish>();
  readonly #answers: Answers<Hash, SignedThreadUpdate>;
  readonly #answerMs: number;

  constructor(schedule: Schedule, answerMs: number) {
    this.#answers = new Answers(schedule);
    this.#answerMs = answerMs;
  }

  /** @throws ThreadUpdateRefused, ThreadUpdateOvertaken, TimedOut */
  wait(hash: Hash, nonce: bigint, content: UpdateContent, before: UpdateContent): Promise<SignedThreadUpdate> {
    this.#answers.fail(hash, clientError("ThreadUpdateOvertaken", { threadHash: hash, nonce }));
    this.#wishes.set(hash, { nonce, content, before });
    return this.#answers.wait(hash, `the other party's signature of the update of thread ${hash}`, this.#answerMs);
  }

  /** The same wish was signed again above a collision. */
  moved(hash: Hash, from: bigint, to: bigint): void {
    const wish = this.#wishes.get(hash);
    if (wish?.nonce === from) wish.nonce = to;
  }

  /** Both have signed this. */
  agreed(hash: Hash, signed: SignedThreadUpdate): void {
    const wish = this.#wishes.get(hash);
    const { nonce } = signed.update;
    if (wish === undefined || wish.nonce > nonce) return;
    this.#wishes.delete(hash);
    if (sameContent(wish.content, signed.update)) {
      this.#answers.hear(hash, signed);
    } else {
      const code = sameContent(wish.before, signed.update) ? "ThreadUpdateRefused" : "ThreadUpdateOvertaken";
      this.#answers.fail(hash, clientError(code, { threadHash: hash, nonce }));
    }
  }
}

export function sameContent(a: UpdateContent, b: UpdateContent): boolean {
  return a.balanceReceiver === b.balanceReceiver && a.appStateHash === b.appStateHash;
}
