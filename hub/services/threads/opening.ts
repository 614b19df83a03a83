import { hubError, MAX_THREADS, type Address } from "../../../protocol";
import type { ThreadRow } from "../../store/thread-store";
import { newestThreads, type Channel } from "../channel";
import { ignoreLimits } from "../forwarding";
import type { ThreadsDeps } from "./threads";

/** What must hold before the hub lets a thread be opened, beside what `check` says of each leg. */
export class ThreadOpening {
  readonly #deps: ThreadsDeps;

  constructor(deps: ThreadsDeps) {
    this.#deps = deps;
  }

  /** @throws ThreadNotReady, ThreadLimit, ThreadDisputed, InsufficientCollateral */
  async require(row: ThreadRow): Promise<void> {
    const { channels, readThread } = this.#deps;
    const { hash, status, thread } = row;
    if (status !== "accepted") throw hubError("ThreadNotReady", { hash, status, needed: "accepted" });
    const { head } = await readThread(hash, thread);
    if (head !== undefined) throw hubError("ThreadDisputed", { hash, deadline: head.deadline });
    const legs = new Map<Address, Channel>();
    for (const user of [thread.sender, thread.receiver]) {
      const channel = await channels.load(user);
      if (newestThreads(channel).length >= MAX_THREADS) {
        throw hubError("ThreadLimit", { reason: `${user} has ${MAX_THREADS} open threads` });
      }
      legs.set(user, channel);
    }
    await requireStakes(row, legs, this.#deps);
  }
}

/**
 * In each channel the hub stakes what the other party does, out of what no refund could need.
 * @throws InsufficientCollateral; more is on its way then, as far as the hub's limits allow
 */
export async function requireStakes(
  { thread }: ThreadRow,
  legs: ReadonlyMap<Address, Channel>,
  { channels, collateral }: ThreadsDeps,
): Promise<void> {
  const { asset } = thread;
  const stakes = [
    { user: thread.receiver, needed: thread.balanceSender },
    { user: thread.sender, needed: thread.balanceReceiver },
  ];
  for (const { user, needed } of stakes) {
    const channel = legs.get(user) ?? (await channels.load(user));
    const available = await channels.available(channel, asset);
    if (available >= needed) continue;
    await collateral.want(user, asset, needed, "payment").catch(ignoreLimits);
    throw hubError("InsufficientCollateral", { asset, available, needed, payee: user });
  }
}
