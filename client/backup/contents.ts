import type { Address, Domain } from "../../protocol";
import { parseRecord, type ChannelRecord } from "../engine/record";
import { clientError, messageOf } from "../errors";
import { parseOwnThread, type OwnThread } from "../threads/own-thread";
import type { ClientStore } from "../store";

/** What a backup holds: entries of the client's store, by the name that each has after its channel's own part. */
export interface Contents {
  readonly hub: Address;
  /** Unix ms. */
  readonly madeAtMs: number;
  readonly record: ChannelRecord;
  /** Records of ended sessions, as texts by session: evidence. */
  readonly archive: Readonly<Record<string, string>>;
  readonly threads: readonly OwnThread[];
  /** What is kept beside the threads: secrets of swaps, payments through threads by purchase. */
  readonly besides: Readonly<Record<string, string>>;
}

/** The same as the store has it. */
interface Stored {
  readonly hub: Address;
  readonly madeAtMs: number;
  readonly record: string;
  readonly archive: Readonly<Record<string, string>>;
  readonly threads: Readonly<Record<string, string>>;
  readonly besides: Readonly<Record<string, string>>;
}

/** Where the store of a client keeps what belongs to one channel. */
export function keysOf({ verifyingContract }: Domain, user: Address): Readonly<Record<KeyName, string>> {
  const channel = `channel:${verifyingContract}:${user}`;
  const threads = `thread:${verifyingContract}:${user}:`;
  return { channel, archive: `${channel}:session:`, threads, besides: `beside-${threads}` };
}

type KeyName = "channel" | "archive" | "threads" | "besides";

/** Of one moment as far as a store has moments: the record last, so that it is never older than what is in it. */
export async function collect(
  store: ClientStore,
  keys: ReturnType<typeof keysOf>,
  hub: Address,
  madeAtMs: number,
): Promise<Stored> {
  const [archive, threads, besides] = [
    await under(store, keys.archive),
    await under(store, keys.threads),
    await under(store, keys.besides),
  ];
  return { hub, madeAtMs, archive, threads, besides, record: (await store.get(keys.channel)) ?? "" };
}

async function under(store: ClientStore, prefix: string): Promise<Readonly<Record<string, string>>> {
  const entries = await store.list(prefix);
  return Object.fromEntries(entries.map(([key, text]) => [key.slice(prefix.length), text]));
}

export function formatContents(stored: Stored): string {
  return JSON.stringify(stored);
}

/** @throws BackupMalformed for what another version of this software wrote; it was sealed by the user's own key */
export function parseContents(text: string): Contents {
  try {
    const { hub, madeAtMs, record, archive, threads, besides } = JSON.parse(text) as Stored;
    const parsed = Object.values(threads).map(parseOwnThread);
    return { hub, madeAtMs, archive, besides, record: parseRecord(record), threads: parsed };
  } catch (error) {
    throw clientError("BackupMalformed", { problem: messageOf(error) }, error);
  }
}

/**
 * The same with less, until it fits into `mostBytes`: what is oldest and proves least goes first. The record and the threads
 * that are open in it go last.
 * @returns How many entries were left out.
 */
export function fitted(stored: Stored, mostBytes: number): { readonly stored: Stored; readonly leftOut: number } {
  let [kept, leftOut] = [stored, 0];
  const leave = (name: "archive" | "threads" | "besides", key: string): void => {
    const rest = Object.fromEntries(Object.entries(kept[name]).filter(([each]) => each !== key));
    [kept, leftOut] = [{ ...kept, [name]: rest }, leftOut + 1];
  };
  for (const [name, key] of dispensable(stored)) {
    if (sizeOf(kept) <= mostBytes) break;
    leave(name, key);
  }
  return { stored: kept, leftOut };
}

function sizeOf(stored: Stored): number {
  return new TextEncoder().encode(formatContents(stored)).length;
}

function dispensable({
  archive,
  threads,
  besides,
}: Stored): readonly (readonly ["archive" | "threads" | "besides", string])[] {
  const oldest = Object.keys(archive).sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  const records = Object.entries(threads).map(([key, text]) => ({ key, leg: parseOwnThread(text).leg }));
  const ended = records.filter(({ leg }) => leg === "closed" || leg === "settled");
  const rest = [...records.filter(({ leg }) => leg === "none"), ...records.filter(({ leg }) => leg === "open")];
  return [
    ...ended.map(({ key }) => ["threads", key] as const),
    ...oldest.map((key) => ["archive", key] as const),
    ...Object.keys(besides).map((key) => ["besides", key] as const),
    ...rest.map(({ key }) => ["threads", key] as const),
  ];
}
