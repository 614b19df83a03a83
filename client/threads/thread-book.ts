import { hubError, type Address, type Hash, type ThreadEvidence } from "../../protocol";
import type { ClientStore } from "../store";
import { GroupedWriter } from "./grouped-writer";
import { formatOwnThread, parseOwnThread, threadEvidenceOf, type OwnThread } from "./own-thread";

/** All threads of one user at one contract: in memory, and on disk before anything of them is sent. */
export class ThreadBook {
  readonly #records = new Map<Hash, OwnThread>();
  readonly #writer: GroupedWriter;
  readonly #store: ClientStore;
  readonly #prefix: string;

  private constructor(store: ClientStore, prefix: string, records: readonly OwnThread[]) {
    this.#writer = new GroupedWriter(store);
    this.#store = store;
    this.#prefix = prefix;
    for (const record of records) this.#records.set(record.hash, record);
  }

  static async open(store: ClientStore, channelManager: Address, user: Address): Promise<ThreadBook> {
    const prefix = `thread:${channelManager}:${user}:`;
    const records = (await store.list(prefix)).map(([, text]) => parseOwnThread(text));
    return new ThreadBook(store, prefix, records);
  }

  /** @throws ThreadUnknown */
  get(hash: Hash): OwnThread {
    const record = this.#records.get(hash);
    if (record === undefined) throw hubError("ThreadUnknown", { hash });
    return record;
  }

  find(hash: Hash): OwnThread | undefined {
    return this.#records.get(hash);
  }

  all(): readonly OwnThread[] {
    return [...this.#records.values()];
  }

  /** Hashes of the threads whose stake is in the own channel's state of this session. */
  openHashes(session: bigint): readonly Hash[] {
    return this.openIn(session).map(({ hash }) => hash);
  }

  openIn(session: bigint): readonly OwnThread[] {
    return this.all().filter((record) => record.leg === "open" && record.session === session);
  }

  /** Legs that an exit has left to the chain: `settleThread` pays them once the thread is final. */
  leftIn(currentSession: bigint): readonly OwnThread[] {
    return this.all().filter(({ leg, session }) => leg === "open" && session !== undefined && session < currentSession);
  }

  /** What proves a thread to the contract; nothing before both have signed its terms. */
  evidenceOf(hash: Hash): ThreadEvidence | undefined {
    const record = this.#records.get(hash);
    return record && threadEvidenceOf(record);
  }

  /** Takes over a record at once. Resolves when it, or a later one of the thread, is on disk. */
  save(record: OwnThread): Promise<void> {
    const { hash } = record;
    this.#records.set(hash, record);
    return this.#writer.write(this.#prefix + hash, () => formatOwnThread(this.get(hash)));
  }

  /** Changes some of a record. @throws ThreadUnknown */
  note(hash: Hash, changes: Partial<OwnThread>): Promise<void> {
    return this.save({ ...this.get(hash), ...changes });
  }

  /**
   * Takes over what the own channel's state holds: a leaf that joined it is an open leg, one that left is closed. Legs of
   * earlier sessions stay as they are: they are the chain's.
   * @returns What has changed.
   */
  async align(session: bigint, open: readonly Hash[]): Promise<readonly OwnThread[]> {
    const inState = new Set(open);
    const changed = this.all().flatMap((own): readonly OwnThread[] => {
      const isOpen = own.leg === "open" && own.session === session;
      if (inState.has(own.hash) === isOpen) return [];
      return [isOpen ? { ...own, leg: "closed" } : { ...own, leg: "open", session }];
    });
    await Promise.all(changed.map((own) => this.save(own)));
    return changed;
  }

  /** Keeps a text beside the threads, in one step with what is saved at the same moment. */
  keep(name: string, text: string): Promise<void> {
    return this.#writer.write(this.#besides(name), () => text);
  }

  /** What is kept under names that begin so, by the rest of the name. */
  async keptUnder(prefix: string): Promise<ReadonlyMap<string, string>> {
    const key = this.#besides(prefix);
    return new Map((await this.#store.list(key)).map(([name, text]) => [name.slice(key.length), text]));
  }

  kept(name: string): Promise<string | undefined> {
    return this.#store.get(this.#besides(name));
  }

  /** Not below the prefix of the threads themselves. */
  #besides(name: string): string {
    return `beside-${this.#prefix}${name}`;
  }

  /** Waits for what is being written. */
  idle(): Promise<void> {
    return this.#writer.idle();
  }
}
