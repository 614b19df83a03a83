import {
  addressOfPrivateKey,
  digestOf,
  hashExchangeQuote,
  hashReceipt,
  hashState,
  signDigest,
  ZERO_HASH,
  type Address,
  type ChannelState,
  type Domain,
  type ExchangeQuote,
  type Hash,
  type Receipt,
  type Signature,
} from "../../protocol";
import type { SignedNonce, SignerRecord } from "./signer-record";

/** How long a note about the database may wait for the next ones. */
const NOTE_MS = 20;

/** A state to sign, and whether its user has signed it already. */
export interface StateToSign {
  readonly state: ChannelState;
  readonly isCountersignature: boolean;
}

/**
 * Signs for the hub, one state per nonce, ever. The only holder of the key beside the transaction sender.
 * Every signature over a state is preceded by a durable record of its nonce, which no restore of the database undoes.
 */
export class HubSigner {
  readonly address: Address;
  readonly #key: Uint8Array;
  readonly #domain: Domain;
  readonly #record: SignerRecord;
  readonly #sequence: () => bigint;
  #note: NodeJS.Timeout | undefined;

  /** @param sequence How many commits the hub's database is known to have. */
  constructor(key: Uint8Array, domain: Domain, record: SignerRecord, sequence: () => bigint) {
    this.#key = key;
    this.#domain = domain;
    this.#record = record;
    this.#sequence = sequence;
    this.address = addressOfPrivateKey(key);
  }

  /** What was signed last in a user's channel. */
  last(user: Address): SignedNonce | undefined {
    return this.#record.read(user);
  }

  /**
   * Signs states of any number of channels, at most one each; on disk before it answers.
   * @throws ConflictError if another state was signed at or above one of the nonces: then none is signed.
   */
  async signStates(states: readonly StateToSign[]): Promise<readonly Signature[]> {
    const signings = states.map(({ state, isCountersignature }) => {
      return { user: state.user, nonce: state.nonce, hash: hashState(state), isCountersignature };
    });
    await this.#record.record(signings, this.#sequence());
    return signings.map(({ hash }) => this.#sign(hash));
  }

  /** After a restore: nothing is ever signed at or below this nonce in a user's channel. */
  async raise(user: Address, nonce: bigint): Promise<void> {
    const last = this.last(user);
    if (last !== undefined && last.nonce >= nonce) return;
    await this.#record.record([{ user, nonce, hash: ZERO_HASH, isCountersignature: false }], this.#sequence());
  }

  /**
   * What was signed last is committed with what belongs to it: a copy of the database from before counts as older from
   * now on, even if nothing is signed any more. Nobody waits for it, since the next signature says the same; so one note
   * serves all steps of a moment.
   */
  noteCommitted(): void {
    if (this.#note !== undefined) return;
    this.#note = setTimeout(() => void this.#see(), NOTE_MS);
    this.#note.unref();
  }

  signQuote(quote: ExchangeQuote): Signature {
    return this.#sign(hashExchangeQuote(quote));
  }

  signReceipt(receipt: Receipt): Signature {
    return this.#sign(hashReceipt(receipt));
  }

  /** Whether the database is older than what was signed with it: a copy was put back. */
  isDatabaseOlder(): boolean {
    return this.#sequence() < this.#record.seenSequence();
  }

  async close(): Promise<void> {
    if (this.#note !== undefined) await this.#see();
    await this.#record.close();
  }

  async #see(): Promise<void> {
    clearTimeout(this.#note);
    this.#note = undefined;
    await this.#record.see(this.#sequence()).catch(() => undefined); // a record that cannot be written signs nothing either
  }

  #sign(structHash: Hash): Signature {
    return signDigest(digestOf(this.#domain, structHash), this.#key);
  }
}
