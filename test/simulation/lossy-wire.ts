import { clientError } from "../../client/errors";
import type { OperationName } from "../../protocol";
import type { Wire } from "../chaos/chaos-world";
import type { Random } from "../invariants/walk/random";

/** A wire that loses, doubles, delays and reorders by chance, in both directions, for everybody. */
export function lossyWire(random: Random, loss: number): Wire {
  let late: (() => Promise<string>)[] = [];
  let held: (() => void)[] = [];
  const lost = (name: OperationName): Error =>
    clientError("AnswerUnknown", { operation: name, reason: "the wire was cut" });
  return {
    request: async (_, name, deliver) => {
      if (random.chance(loss / 2)) throw lost(name);
      const [earlier, isLate] = [late, random.chance(loss / 4)];
      late = isLate ? [deliver] : [];
      const answer = await deliver();
      for (const again of earlier) await again().catch(() => undefined);
      if (random.chance(loss / 2)) await deliver().catch(() => undefined);
      if (random.chance(loss / 2)) throw lost(name);
      return answer;
    },
    push: (_, deliver) => {
      if (random.chance(loss)) return;
      const earlier = held;
      held = random.chance(loss) ? [deliver] : [];
      if (held.length === 0) deliver();
      if (random.chance(loss / 2)) deliver();
      for (const each of earlier) each();
    },
  };
}

/** Everything that users ever sent to the hub, to be sent again by somebody who listens. */
export interface Heard {
  readonly sends: readonly (() => Promise<string>)[];
  readonly wire: Wire;
}

/** Remembers what goes over another wire. */
export function overheard(inner: () => Wire | undefined): Heard {
  const sends: (() => Promise<string>)[] = [];
  return {
    sends,
    wire: {
      request: (user, name, deliver) => {
        sends.push(deliver);
        return inner()?.request(user, name, deliver) ?? deliver();
      },
      push: (user, deliver) => {
        const wire = inner();
        if (wire === undefined) deliver();
        else wire.push(user, deliver);
      },
    },
  };
}
