import type { Address, Domain } from "../../protocol";
import type { CodedError } from "../../protocol/coded-error";
import type { ChainClient } from "../chain";
import type { Engine } from "../engine/engine";
import { baseOf, formatRecord, withDoubleSigned, type ChannelRecord } from "../engine/record";
import { clientError, hasCode, messageOf } from "../errors";
import type { HubConnection } from "../hub-connection";
import type { ClientStore } from "../store";
import type { ThreadBook } from "../threads/thread-book";
import type { BackupKey } from "./backup-key";
import { keysOf, parseContents, type Contents } from "./contents";
import { shownByChain, type ShownByChain } from "./from-chain";
import { mergedThread, noncesOf, restoredRecord } from "./merge";
import type { BackupPlace } from "./places";
import { unseal } from "./seal";

export interface RestoreDeps {
  readonly engine: Engine;
  readonly book: ThreadBook;
  readonly store: ClientStore;
  readonly chain: Pick<ChainClient, "exitEvents" | "provider">;
  readonly wire: Pick<HubConnection, "call">;
  readonly user: Address;
  readonly hub: Address;
  readonly domain: Domain;
  readonly log: (line: string) => void;
}

/** What one place had to say. */
export interface Found {
  readonly place: string;
  /** Of the backup that it gave, if it gave one that counts. */
  readonly version?: bigint;
  /** Why what it gave was refused, or why it gave nothing. */
  readonly problem?: CodedError;
}

/** What came of a restore. */
export interface Restored {
  /** Where the newest backup was, or nothing: then key and chain alone had to do. */
  readonly from?: string;
  readonly version?: bigint;
  /** Unix ms. */
  readonly madeAtMs?: number;
  /** The nonce of the newest state both signed, as the backup has it. */
  readonly nonce: bigint;
  readonly threads: number;
  readonly places: readonly Found[];
  /** Places that gave an older backup than the newest: what they keep is out of date, or they hide something. */
  readonly outdated: readonly string[];
  /** The hub, the tower or the chain shows a newer state than the backup. Absent without a backup, or while nobody says. */
  readonly isStale?: boolean;
  /** The newest state both signed, once everybody was asked. */
  readonly newestNonce: bigint;
}

interface Opened {
  readonly place: string;
  readonly version: bigint;
  readonly contents: Contents;
}

/**
 * Restores from the newest backup that any place has; with none, from the key and the chain alone. What is restored signs
 * nothing before hub, tower and chain were asked (docs/backup.md).
 * @throws BackupMalformed, BackupDamaged, BackupNotOurs if there was a backup and none could be used; BackupAheadOfChain,
 * ChainUnreachable
 */
export async function restoreFrom(
  places: readonly BackupPlace[],
  key: BackupKey,
  deps: RestoreDeps,
): Promise<Restored> {
  const { engine } = deps;
  const found = await Promise.all(places.map((place) => look(place, key, deps)));
  const opened = found.flatMap(({ opened }) => (opened === undefined ? [] : [opened]));
  const refusal = found.find(({ isRefusal }) => isRefusal)?.said.problem;
  if (opened.length === 0 && refusal !== undefined) throw refusal;
  const newest = opened.reduce<Opened | undefined>(
    (best, each) => (best && best.version >= each.version ? best : each),
    undefined,
  );
  const [view, onChain] = [await engine.refreshView(), await shownByChain(deps.chain, deps)];
  requireOfChain(newest, view.session);
  const hubs = await shownByHub(deps);
  const others = [...onChain.nonces, ...found.flatMap(({ nonce }) => (nonce === undefined ? [] : [nonce]))];
  const shown = [...others, ...(hubs === undefined ? [] : [hubs.nonce, hubs.floor])];
  await takeThreads(deps, opened);
  await takeArchive(deps, newest?.contents);
  await engine.adopt((own) => takeRecord(own, newest?.contents.record, onChain, shown));
  await level(deps);
  const nonce = newest === undefined ? 0n : baseOf(newest.contents.record).nonce;
  const newestNonce = baseOf(engine.record).nonce;
  const isStale = newest && staleness(newest.contents.record, view.session, others, hubs?.nonce);
  if (isStale === true) deps.log(`the backup is stale: it has state ${nonce}, and ${newestNonce} is known now`);
  return {
    ...(newest === undefined
      ? {}
      : { from: newest.place, version: newest.version, madeAtMs: newest.contents.madeAtMs }),
    ...{ nonce, threads: newest?.contents.threads.length ?? 0, places: found.map(({ said }) => said) },
    outdated: opened.filter(({ version }) => version < (newest?.version ?? 0n)).map(({ place }) => place),
    ...(isStale === undefined ? {} : { isStale }),
    newestNonce,
  };
}

interface Looked {
  readonly said: Found;
  readonly opened?: Opened;
  readonly nonce?: bigint;
  /** It gave something that is not to be used, rather than nothing. */
  readonly isRefusal: boolean;
}

async function look(place: BackupPlace, key: BackupKey, { hub, log }: RestoreDeps): Promise<Looked> {
  const nonce = await place.newestNonce?.().catch((error: unknown) => {
    log(`${place.name} does not say what it guards: ${messageOf(error)}`);
    return undefined;
  });
  const seen = nonce === undefined ? {} : { nonce };
  let blob: string | undefined;
  try {
    blob = (await place.get())?.blob;
    if (blob === undefined) return { ...seen, said: { place: place.name }, isRefusal: false };
    const { text, header } = await unseal(blob, key);
    const contents = parseContents(text);
    if (contents.hub !== hub) throw clientError("BackupNotOurs", { field: "hub", given: contents.hub, expected: hub });
    const { version } = header;
    return {
      ...seen,
      said: { place: place.name, version },
      opened: { place: place.name, version, contents },
      isRefusal: false,
    };
  } catch (error) {
    if (!hasCode(error)) throw error;
    log(`${place.name}: ${error.message}`);
    return { ...seen, said: { place: place.name, problem: error }, isRefusal: blob !== undefined };
  }
}

function requireOfChain(newest: Opened | undefined, chain: bigint): void {
  const session = newest?.contents.record.session ?? 0n;
  if (session > chain) throw clientError("BackupAheadOfChain", { session, chain });
}

/** Proofs add up: each place's are better than none. */
async function takeThreads({ book }: RestoreDeps, opened: readonly Opened[]): Promise<void> {
  const inOrder = [...opened].sort((a, b) => (a.version > b.version ? -1 : 1));
  for (const { contents } of inOrder) {
    for (const given of contents.threads) await book.save(mergedThread(book.find(given.hash), given));
  }
}

/** What this store has itself stays. */
async function takeArchive(
  { store, engine, domain, user }: RestoreDeps,
  contents: Contents | undefined,
): Promise<void> {
  if (contents === undefined) return;
  const keys = keysOf(domain, user);
  const { record, archive, besides } = contents;
  const ended = record.session < engine.record.session ? { [String(record.session)]: formatRecord(record) } : {};
  const entries = [
    ...Object.entries({ ...archive, ...ended }).map(([name, text]) => [keys.archive + name, text] as const),
    ...Object.entries(besides).map(([name, text]) => [keys.besides + name, text] as const),
  ];
  for (const [key, text] of entries) {
    if ((await store.get(key)) === undefined) await store.write({ [key]: text });
  }
}

/** The state of a running exit, read from the chain, where nothing newer is known. */
function takeRecord(
  own: ChannelRecord,
  given: ChannelRecord | undefined,
  { doubleSigned }: ShownByChain,
  shown: readonly bigint[],
): ChannelRecord {
  const restored = restoredRecord(own, given, shown);
  if (doubleSigned === undefined || doubleSigned.state.nonce <= baseOf(restored).nonce) return restored;
  if (doubleSigned.state.session !== restored.session) return restored;
  return { ...withDoubleSigned(restored, doubleSigned), isComplete: false };
}

/** What the hub says is the newest that both signed, and the highest that it ever saw; nothing if it does not answer. */
async function shownByHub({ wire, user, log }: RestoreDeps): Promise<{ nonce: bigint; floor: bigint } | undefined> {
  try {
    const { doubleSigned, nonceFloor } = await wire.call("sync", { params: { user }, query: {} });
    return { nonce: BigInt(doubleSigned?.state.nonce ?? 0), floor: BigInt(nonceFloor) };
  } catch (error) {
    log(`the hub does not say what is newest: ${messageOf(error)}`);
    return undefined;
  }
}

/** Whether anybody shows a state that the backup does not have. Without the hub's word, and nobody else's: unknown. */
function staleness(
  given: ChannelRecord,
  session: bigint,
  others: readonly bigint[],
  hubs: bigint | undefined,
): boolean | undefined {
  const newest = noncesOf(given).reduce((a, b) => (a > b ? a : b));
  if (given.session < session || others.some((nonce) => nonce > newest)) return true;
  return hubs === undefined ? undefined : hubs > newest;
}

/** The hub is asked at once; if it does not answer, it is before anything is signed. */
async function level({ engine, log }: RestoreDeps): Promise<void> {
  await engine.level().catch((error: unknown) => {
    log(`restored, but not level with the hub: ${messageOf(error)}`);
  });
}
