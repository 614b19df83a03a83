import { DatabaseSync, type DatabaseSyncInstance } from "@photostructure/sqlite";
import type { Address, Hash } from "../../protocol";
import type { Transaction } from "../store/database";
import { SqliteDatabase } from "../store/sqlite/sqlite-database";

/** What the hub's key has signed last in one channel. */
export interface SignedNonce {
  readonly nonce: bigint;
  /** Struct hash of that state. */
  readonly hash: Hash;
  /** Highest nonce at which the hub signed a state that its user had signed before. */
  readonly countersigned: bigint;
}

/** A state about to be signed. */
export interface Signing {
  readonly user: Address;
  readonly nonce: bigint;
  readonly hash: Hash;
  readonly isCountersignature: boolean;
}

/** Channels whose newest nonce is in memory. */
const REMEMBERED = 10_000;

/**
 * The signer's own memory, in a file of its own that no backup of the database contains: if the database is put back to
 * yesterday, this still knows what was signed today.
 */
export class SignerRecord {
  readonly #db: SqliteDatabase;
  readonly #lock: DatabaseSyncInstance;
  /** What the file says of the channels used last; only this process writes it. */
  readonly #newest = new Map<Address, SignedNonce>();

  /** @throws Error if another process holds the file: two signers on one record would know nothing of each other. */
  constructor(file: string) {
    this.#lock = lockFile(`${file}.lock`);
    this.#db = new SqliteDatabase(file);
    this.#db.exec(`
      CREATE TABLE IF NOT EXISTS signed (
        user TEXT PRIMARY KEY,
        nonce INTEGER NOT NULL,
        hash TEXT NOT NULL,
        countersigned INTEGER NOT NULL,
        CHECK (countersigned <= nonce)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS seen (sequence INTEGER NOT NULL) STRICT;
    `);
    if (this.#db.get("SELECT sequence FROM seen") === undefined) this.#db.exec("INSERT INTO seen VALUES (0)");
  }

  read(user: Address): SignedNonce | undefined {
    const known = this.#newest.get(user);
    if (known !== undefined) return known;
    const read = this.#read(user);
    if (read !== undefined) this.#remember(user, read);
    return read;
  }

  #read(user: Address): SignedNonce | undefined {
    const row = this.#db.get("SELECT nonce, hash, countersigned FROM signed WHERE user = ?", user);
    if (row === undefined) return undefined;
    return { nonce: BigInt(row.nonce ?? 0), hash: row.hash as Hash, countersigned: BigInt(row.countersigned ?? 0) };
  }

  /** Remembers, on disk, that the hub's database has had so many commits. */
  see(sequence: bigint): Promise<void> {
    return this.#db.write((tx) => this.#see(tx, sequence));
  }

  /** The highest sequence that the hub's database was ever seen at. */
  seenSequence(): bigint {
    return BigInt(this.#db.get("SELECT sequence FROM seen")?.sequence ?? 0n);
  }

  /**
   * Makes sure, on disk, that nothing else is ever signed at these nonces. All or none.
   * @throws ConflictError if another state was signed at or above one of them.
   */
  async record(signings: readonly Signing[], sequence: bigint): Promise<void> {
    await this.#db.write((tx) => {
      for (const { user, nonce, hash, isCountersignature } of signings) {
        this.#db.runOne(
          tx,
          `nonce ${nonce} of ${user} is not above the last one signed`,
          `INSERT INTO signed VALUES (?1, ?2, ?3, iif(?4, ?2, 0)) ON CONFLICT (user) DO UPDATE
             SET nonce = ?2, hash = ?3, countersigned = iif(?4, ?2, countersigned)
             WHERE nonce < ?2 OR (nonce = ?2 AND hash = ?3)`,
          user,
          nonce,
          hash,
          isCountersignature ? 1n : 0n,
        );
      }
      this.#see(tx, sequence);
    });
    for (const { user, nonce, hash, isCountersignature } of signings) {
      const countersigned = isCountersignature ? nonce : (this.read(user)?.countersigned ?? 0n);
      this.#remember(user, { nonce, hash, countersigned });
    }
  }

  /** The oldest goes first: a map keeps the order of insertion. */
  #remember(user: Address, newest: SignedNonce): void {
    this.#newest.delete(user);
    this.#newest.set(user, newest);
    if (this.#newest.size <= REMEMBERED) return;
    const oldest = this.#newest.keys().next();
    if (oldest.done !== true) this.#newest.delete(oldest.value);
  }

  #see(tx: Transaction, sequence: bigint): void {
    this.#db.run(tx, "UPDATE seen SET sequence = max(sequence, ?)", sequence);
  }

  async close(): Promise<void> {
    await this.#db.close();
    this.#lock.close();
  }
}

/** A transaction held on a file of its own: it ends with the process, however that ends. */
function lockFile(file: string): DatabaseSyncInstance {
  const db = new DatabaseSync(file);
  try {
    db.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
    return db;
  } catch (error) {
    db.close();
    throw new Error(`another hub uses ${file.replace(/\.lock$/, "")}`, { cause: error });
  }
}
