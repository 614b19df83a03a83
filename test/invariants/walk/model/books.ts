import { ZERO_HASH, type Address, type Hash } from "../../../../protocol";

/** What a key of a table is made of, as the view that reads the same thing takes it. */
export type KeyPart = Address | Hash | bigint;

/** A number, a hash, or a struct of them in the order of the ABI. */
export type Value = bigint | Hash | boolean | { readonly [field: string]: bigint | boolean };

export interface Change {
  readonly table: Table;
  readonly key: readonly KeyPart[];
  readonly before: Value;
}

/** One mapping of the model. `view` on `target` reads the same thing on chain. */
export class Table<Key extends readonly KeyPart[] = readonly KeyPart[], V extends Value = Value> {
  readonly #entries = new Map<string, { readonly key: Key; value: V }>();
  readonly #journal: Change[];

  constructor(
    readonly target: Address,
    readonly view: string,
    readonly empty: V,
    journal: Change[],
  ) {
    this.#journal = journal;
  }

  get(...key: Key): V {
    return this.#entries.get(key.join())?.value ?? this.empty;
  }

  set(value: V, ...key: Key): void {
    this.#journal.push({ table: this, key, before: this.get(...key) });
    this.#entries.set(key.join(), { key, value });
  }

  entries(): readonly { readonly key: Key; readonly value: V }[] {
    return [...this.#entries.values()];
  }
}

export interface Channel extends Record<string, bigint> {
  readonly session: bigint;
  readonly exitNonce: bigint;
  readonly exitDeadline: bigint;
}

export interface Ledger extends Record<string, bigint> {
  readonly depositedHub: bigint;
  readonly withdrawnHub: bigint;
  readonly depositedUser: bigint;
  readonly withdrawnUser: bigint;
}

export interface ThreadRecord extends Record<string, bigint | boolean> {
  readonly balanceReceiver: bigint;
  readonly nonce: bigint;
  readonly deadline: bigint;
  readonly resolved: boolean;
  readonly senderPaid: boolean;
  readonly receiverPaid: boolean;
}

const NO_CHANNEL: Channel = { session: 0n, exitNonce: 0n, exitDeadline: 0n };
const NO_LEDGER: Ledger = { depositedHub: 0n, withdrawnHub: 0n, depositedUser: 0n, withdrawnUser: 0n };
const NO_RECORD: ThreadRecord = {
  balanceReceiver: 0n,
  nonce: 0n,
  deadline: 0n,
  resolved: false,
  senderPaid: false,
  receiverPaid: false,
};

/** The mappings of the specification's "Storage". */
export interface Books {
  readonly channel: Table<readonly [user: Address], Channel>;
  readonly ledger: Table<readonly [user: Address, session: bigint, asset: Address], Ledger>;
  readonly root: Table<readonly [user: Address, session: bigint], Hash>;
  readonly locked: Table<readonly [user: Address, session: bigint, asset: Address], bigint>;
  readonly record: Table<readonly [threadHash: Hash], ThreadRecord>;
  readonly reserve: Table<readonly [asset: Address], bigint>;
  readonly claimable: Table<readonly [account: Address, asset: Address], bigint>;
}

export function newBooks(manager: Address, journal: Change[]): Books {
  return {
    channel: new Table(manager, "channelOf(address)", NO_CHANNEL, journal),
    ledger: new Table(manager, "ledgerOf(address,uint64,address)", NO_LEDGER, journal),
    root: new Table(manager, "threadRootOf(address,uint64)", ZERO_HASH, journal),
    locked: new Table(manager, "lockedOf(address,uint64,address)", 0n, journal),
    record: new Table(manager, "recordOf(bytes32)", NO_RECORD, journal),
    reserve: new Table(manager, "reserveOf(address)", 0n, journal),
    claimable: new Table(manager, "claimableOf(address,address)", 0n, journal),
  };
}

/** Takes back everything that was written since the journal had this length. */
export function undo(journal: Change[], length: number): void {
  while (journal.length > length) {
    const { table, key, before } = journal.pop()!;
    table.set(before, ...key);
    journal.pop(); // the taking back itself
  }
}
