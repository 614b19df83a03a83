import { hashThread, hubError, type Address, type SignedUpdate, type WireSync } from "../../../protocol";
import type { Transaction } from "../../store/database";
import type { ThreadRow } from "../../store/thread-store";
import type { Channel } from "../channel";
import { asBusy } from "../channels";
import type { Draft } from "../drafts";
import type { ThreadsDeps } from "./threads";
import { requireStakes } from "./opening";

/** What is wrong with one party's leg; the other's may be good. */
export class PartyError extends Error {
  override readonly name = "PartyError";
  readonly user: Address;
  readonly reason: unknown;

  constructor(user: Address, reason: unknown) {
    super(`the leg in the channel of ${user} cannot be signed`, { cause: reason });
    this.user = user;
    this.reason = reason;
  }
}

export interface SignedLeg {
  readonly user: Address;
  readonly update: SignedUpdate;
}

/**
 * Countersigns both legs in one step, or neither: with one alone the hub would stand for the other party's stake.
 * @throws PartyError where one party's leg does not fit its channel, ThreadOutcomeUnproven if they differ,
 * InsufficientCollateral, ChannelBusy
 */
export async function signBothLegs(
  kind: "open" | "close",
  row: ThreadRow,
  a: SignedLeg,
  b: SignedLeg,
  deps: ThreadsDeps,
): Promise<ReadonlyMap<Address, WireSync>> {
  const { channels, lanes } = deps;
  if (kind === "close") requireSameOutcome(row, a, b);
  const { sender, receiver } = row.thread;
  return lanes.run([sender, receiver], async () => {
    const loaded = new Map<Address, Channel>();
    const drafts: Draft[] = [];
    for (const { user, update } of [a, b]) {
      const channel = await channels.load(user);
      loaded.set(user, channel);
      drafts.push(await draftOf(channel, update, deps));
    }
    if (kind === "open") await requireStakes(row, loaded, deps);
    const committed = await channels.commit(drafts, book(kind, row, loaded, a, deps)).catch((error: unknown) => {
      throw asBusy(error, sender);
    });
    const syncs = new Map<Address, WireSync>();
    for (const user of [sender, receiver]) {
      lanes.endPrecedence(user);
      syncs.set(user, await channels.sync(committed.get(user) as Channel));
    }
    return syncs;
  });
}

/** Over two outcomes the hub would pay the difference. */
function requireSameOutcome({ hash }: ThreadRow, a: SignedLeg, b: SignedLeg): void {
  const [given, proven] = [outcomeOf(a), outcomeOf(b)];
  if (given !== proven) throw hubError("ThreadOutcomeUnproven", { hash, proven, given });
}

function outcomeOf({ update }: SignedLeg): bigint {
  if (update.reason !== "CloseThread") throw new Error("a closing is needed");
  return update.args.balanceReceiver;
}

async function draftOf(channel: Channel, update: SignedUpdate, { channels }: ThreadsDeps): Promise<Draft> {
  try {
    return await channels.draftOfUser(channel, [update]);
  } catch (error) {
    throw new PartyError(channel.user, error);
  }
}

/** The database refuses a thread that is opened twice, and a leg that ends twice. */
function book(
  kind: "open" | "close",
  row: ThreadRow,
  channels: ReadonlyMap<Address, Channel>,
  leg: SignedLeg,
  { store }: ThreadsDeps,
): (tx: Transaction) => void {
  const hash = hashThread(row.thread);
  if (kind === "close") {
    const outcome = outcomeOf(leg);
    return (tx) => store.threads.note(tx, hash, { outcome });
  }
  const sessionOf = (user: Address): bigint => channels.get(user)?.session ?? 0n;
  const { sender, receiver } = row.thread;
  return (tx) => store.threads.open(tx, hash, { sender: sessionOf(sender), receiver: sessionOf(receiver) });
}
