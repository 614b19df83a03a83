import { clientError } from "../../client/errors";
import type { OperationName } from "../../protocol";
import type { User, Wire } from "./chaos-world";

/** Walks through every sequence of choices up to a depth, one run after another; what comes later is choice 0. */
export class Choices {
  readonly #depth: number;
  #path: number[] = [];
  #sizes: number[] = [];

  constructor(depth: number) {
    this.#depth = depth;
  }

  /** The next choice of this run, from 0 to `size - 1`. */
  choose(size: number): number {
    const at = this.#sizes.length;
    if (at >= this.#depth) return 0;
    this.#sizes.push(size);
    return (this.#path[at] ??= 0);
  }

  /** Goes to the next run. @returns Whether there is one. */
  next(): boolean {
    this.#path = this.#path.slice(0, this.#sizes.length);
    for (let at = this.#path.length - 1; at >= 0; at--) {
      const choice = (this.#path[at] ?? 0) + 1;
      if (choice < (this.#sizes[at] ?? 0)) {
        this.#path = [...this.#path.slice(0, at), choice];
        this.#sizes = [];
        return true;
      }
    }
    return false;
  }

  toString(): string {
    return this.#path.join(",");
  }
}

/** What can happen to a request; `first` and `last` let the hub sign something of its own around it. */
const REQUEST_FATES = ["deliver", "first", "last", "lose it", "lose the answer", "twice", "again later"] as const;
const PUSH_FATES = ["deliver", "lose", "twice", "after the next"] as const;

/** Reads are left alone: they change nothing, and whoever asks again gets the same. */
const CHANGING: ReadonlySet<OperationName> = new Set(["sync", "update", "purchase", "requestWithdrawal"]);

/** A wire to one user on which everything happens that the choices say, and nothing by chance. */
export function unreliableWire(choices: Choices, user: User, hubFirst: () => Promise<void>): Wire {
  let late: (() => Promise<string>)[] = [];
  let held: (() => void)[] = [];
  const lost = (name: OperationName): Error =>
    clientError("AnswerUnknown", { operation: name, reason: "the wire was cut" });
  return {
    request: async (by, name, deliver) => {
      if (by !== user || !CHANGING.has(name)) return deliver();
      const fate = REQUEST_FATES[choices.choose(REQUEST_FATES.length)];
      if (fate === "first") await hubFirst();
      if (fate === "lose it") throw lost(name);
      const earlier = late;
      late = fate === "again later" ? [deliver] : [];
      const answer = await deliver();
      for (const again of earlier) await again().catch(() => undefined);
      if (fate === "twice") return deliver();
      if (fate === "last") await hubFirst();
      if (fate === "lose the answer") throw lost(name);
      return answer;
    },
    push: (to, deliver) => {
      if (to !== user) {
        deliver();
        return;
      }
      const fate = PUSH_FATES[choices.choose(PUSH_FATES.length)];
      const earlier = held;
      held = fate === "after the next" ? [deliver] : [];
      if (fate === "deliver" || fate === "twice") deliver();
      if (fate === "twice") deliver();
      for (const each of earlier) each();
    },
  };
}
