import type { Address, Domain } from "../../protocol";
import type { ChainClient } from "../chain";
import type { Engine } from "../engine/engine";
import type { Events } from "../engine/events";
import { clientError, hasCode, messageOf } from "../errors";
import type { HubConnection } from "../hub-connection";
import type { Schedule } from "../schedule";
import type { ClientSigner } from "../signer";
import type { ClientStore } from "../store";
import type { ThreadBook } from "../threads/thread-book";
import { backupKeyOf, type BackupKey } from "./backup-key";
import { collect, fitted, formatContents, keysOf } from "./contents";
import { hubPlace, type BackupPlace } from "./places";
import { restoreFrom, type Restored } from "./restore";
import { seal, unseal } from "./seal";

export interface BackupsDeps {
  readonly engine: Engine;
  readonly book: ThreadBook;
  readonly store: ClientStore;
  readonly signer: ClientSigner;
  readonly chain: ChainClient;
  readonly wire: Pick<HubConnection, "call">;
  readonly events: Events;
  readonly domain: Domain;
  readonly hub: Address;
  /** Where backups go by themselves, and where a restore looks. */
  readonly places: readonly BackupPlace[];
  readonly isAutomatic: boolean;
  /** How long after a change a backup is made, ms: several changes are one. */
  readonly afterMs: number;
  readonly schedule: Schedule;
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/** A backup as it was made. */
export interface Backup {
  /** One line of text; only this user's key opens it. */
  readonly blob: string;
  readonly version: bigint;
  /** Entries that did not fit where it goes: ended threads and sessions first. */
  readonly leftOut: number;
}

/** Of base64, and room for the header. */
const BYTES_PER_CHARACTER = 3 / 4;
const HEADER_CHARACTERS = 200;

/** How long the end of a client waits for its last backup, ms. */
const LAST_MS = 2_000;

/** A client's backups: made, put where they belong after each change, and restored from. */
export class Backups {
  readonly #deps: BackupsDeps;
  readonly #listens: readonly (() => void)[];
  #key: Promise<BackupKey> | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #callOff: (() => void) | undefined;
  #isClosed = false;
  /** What was put last, by place: the same is not put again. */
  readonly #put = new Map<string, string>();

  constructor(deps: BackupsDeps) {
    this.#deps = deps;
    const changed = (): void => this.#changed();
    const { events, isAutomatic } = deps;
    this.#listens = !isAutomatic
      ? []
      : [events.on("onStateChange", changed), events.on("thread", changed), events.on("threadPayment", changed)];
  }

  /**
   * Makes a backup with a version of its own.
   * @param mostCharacters Leaves out what proves least until it fits.
   * @throws BackupUnavailable, SignatureRefused
   */
  make(mostCharacters?: number): Promise<Backup> {
    return this.#inTurn(async () => this.#make((await this.#known()) + 1n, mostCharacters));
  }

  /** Makes a backup and puts it into each of the places. @returns What went wrong, by place. */
  async backup(places: readonly BackupPlace[] = this.#deps.places): Promise<ReadonlyMap<string, Error>> {
    return this.#inTurn(async () => {
      const failed = new Map<string, Error>();
      for (const place of places) {
        await this.#putInto(place).catch((error: unknown) => {
          if (!hasCode(error)) throw error;
          failed.set(place.name, error);
        });
      }
      return failed;
    });
  }

  /** Restores from the newest backup of these places, or from the key and the chain alone. @throws see `restoreFrom` */
  restore(places: readonly BackupPlace[] = this.#deps.places): Promise<Restored> {
    return this.#inTurn(async () => {
      const { signer, hub, domain } = this.#deps;
      const restored = await restoreFrom(places, await this.#openKey(), {
        ...this.#deps,
        user: signer.address,
        hub,
        domain,
      });
      const versions = restored.places.map(({ version }) => version ?? 0n);
      await this.#know(versions.reduce((a, b) => (a > b ? a : b), 0n));
      return restored;
    });
  }

  /** Puts what waits, within moments, and ends. */
  async close(): Promise<void> {
    for (const stop of this.#listens) stop();
    const waits = this.#callOff !== undefined;
    this.#callOff?.();
    this.#callOff = undefined;
    this.#isClosed = true;
    if (waits) this.#automatic();
    await Promise.race([
      this.#running,
      new Promise((resolve) => this.#deps.schedule(() => resolve(undefined), LAST_MS)),
    ]);
  }

  // ----------------------------------------------------------------------------------------------------- by itself

  #changed(): void {
    if (this.#isClosed || this.#callOff !== undefined) return;
    this.#callOff = this.#deps.schedule(() => {
      this.#callOff = undefined;
      this.#automatic();
    }, this.#deps.afterMs);
  }

  /** A record that is not complete may be older than what is there, and replaces nothing. */
  #automatic(): void {
    if (!this.#deps.engine.record.isComplete) return;
    void this.backup()
      .then((failed) => failed.forEach((error, place) => this.#deps.log(`no backup to ${place}: ${error.message}`)))
      .catch((error: unknown) => this.#deps.log(`no backup: ${messageOf(error)}`));
  }

  async #putInto(place: BackupPlace): Promise<void> {
    const text = await this.#text(place.mostCharacters);
    if (this.#put.get(place.name) === text.identity) return;
    const version = (await this.#known()) + 1n;
    try {
      await this.#putAs(place, version);
    } catch (error) {
      if (!hasCode(error, "BackupNotNewer")) throw error;
      await this.#putAs(place, (await this.#takeOver(place, version)) + 1n);
    }
    this.#put.set(place.name, text.identity);
  }

  async #putAs(place: BackupPlace, version: bigint): Promise<void> {
    const { blob } = await this.#make(version, place.mostCharacters);
    await place.put(blob, version);
  }

  /**
   * Another device of this key, or this one before it lost its store, has left a newer backup: what it can prove of threads
   * is taken over before it is replaced. @returns Its version.
   */
  async #takeOver(place: BackupPlace, tried: bigint): Promise<bigint> {
    const { signer, hub, domain } = this.#deps;
    const kept = await place.get();
    if (kept === undefined) return tried;
    const key = await this.#openKey();
    const { header } = await unseal(kept.blob, key); // what the place says of its version counts for nothing
    await restoreFrom([place], key, { ...this.#deps, user: signer.address, hub, domain });
    await this.#know(header.version);
    return header.version;
  }

  // ------------------------------------------------------------------------------------------------------- making

  async #make(version: bigint, mostCharacters: number | undefined): Promise<Backup> {
    const { text, leftOut } = await this.#text(mostCharacters);
    const key = await this.#openKey();
    await this.#know(version); // on disk before anybody sees it: no two backups have one version
    return { blob: await seal(text, version, key), version, leftOut };
  }

  /** `identity` leaves out the time, which is all that changes when nothing does. */
  async #text(mostCharacters?: number): Promise<{ text: string; identity: string; leftOut: number }> {
    const { store, domain, signer, hub, now } = this.#deps;
    const whole = await collect(store, keysOf(domain, signer.address), hub, now());
    const room = mostCharacters === undefined ? Infinity : (mostCharacters - HEADER_CHARACTERS) * BYTES_PER_CHARACTER;
    const { stored, leftOut } = fitted(whole, room);
    return { text: formatContents(stored), identity: formatContents({ ...stored, madeAtMs: 0 }), leftOut };
  }

  #openKey(): Promise<BackupKey> {
    const { signer, domain, store } = this.#deps;
    this.#key ??= backupKeyOf(signer, domain, store).catch((error: unknown) => {
      this.#key = undefined; // a wallet may agree the next time
      throw error;
    });
    return this.#key;
  }

  async #known(): Promise<bigint> {
    return BigInt((await this.#deps.store.get(this.#versionKey)) ?? "0");
  }

  async #know(version: bigint): Promise<void> {
    if (version <= (await this.#known())) return;
    await this.#deps.store.write({ [this.#versionKey]: version.toString() });
  }

  get #versionKey(): string {
    const { domain, signer } = this.#deps;
    return `backup-version:${domain.verifyingContract}:${signer.address}`;
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const result = this.#running.catch(() => undefined).then(work);
    this.#running = result.catch(() => undefined);
    return result;
  }
}

/** Where a client's backups go by themselves. */
export function placesOf(
  hub: Parameters<typeof hubPlace>[0],
  user: Address,
  others: readonly BackupPlace[] = [],
): readonly BackupPlace[] {
  const names = ["the hub", ...others.map(({ name }) => name)];
  if (new Set(names).size < names.length)
    throw clientError("NotConfigured", { what: "each backup place by its own name" });
  return [hubPlace(hub, user), ...others];
}
