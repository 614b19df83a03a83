import type { Address, Hash, Signature } from "../../protocol";

/** Who can die. The twin is a second device with Alice's key; Dave is there in long histories only. */
export type Party = "hub" | "alice" | "bob" | "dave" | "twin";

/** What a process that was cut meets from then on. It has no code: nothing takes it for an answer. */
export class Crash extends Error {
  override readonly name = "Crash";
}

/** Where a party dies in a run: at its `at`-th point and, if that is asked for, once more at the `again`-th after it. */
export class Cut {
  readonly #party: Party;
  readonly #gaps: number[];
  #count = 0;
  /** Where it was, once it has happened. */
  readonly where: string[] = [];

  constructor(party: Party, at: number, again?: number) {
    this.#party = party;
    this.#gaps = again === undefined ? [at] : [at, again];
  }

  /** Whether the party dies here. */
  isHere(party: Party, point: string): boolean {
    const gap = this.#gaps[this.where.length];
    if (party !== this.#party || gap === undefined || ++this.#count !== gap) return false;
    this.#count = 0;
    this.where.push(point);
    return true;
  }
}

/** One incarnation of a party, from start to stop or crash. What is dead has no effect on anything any more. */
export class Life {
  readonly party: Party;
  readonly #cut: () => Cut | undefined;
  readonly #died: Promise<void>;
  #die: () => void = () => undefined;
  #isDead = false;

  constructor(party: Party, cut: () => Cut | undefined) {
    this.party = party;
    this.#cut = cut;
    this.#died = new Promise((resolve) => (this.#die = resolve));
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Resolves when it dies. */
  get died(): Promise<void> {
    return this.#died;
  }

  /** Ends it, without a last word. */
  end(): void {
    this.#isDead = true;
    this.#die();
  }

  /** @throws Crash if it is dead */
  requireAlive(): void {
    if (this.#isDead) throw new Crash(`${this.party} is dead`);
  }

  /** Something that others or a disk can see: it can be cut before and after. */
  async seam<T>(what: string, effect: () => Promise<T>): Promise<T> {
    this.#pass(`before ${what}`);
    const result = await effect();
    this.#pass(`after ${what}`);
    return result;
  }

  #pass(point: string): void {
    this.requireAlive();
    if (this.#cut()?.isHere(this.party, point) === true) this.end();
    this.requireAlive();
  }
}

/** Every state signature that got out of its process in a run, by whom and at which nonce. */
export class Signatures {
  readonly #byNonce = new Map<string, Hash>();
  readonly #made = new Map<Signature, () => void>();
  /** Two states under one nonce. */
  readonly doubles: string[] = [];

  forget(): void {
    this.#byNonce.clear();
    this.#made.clear();
    this.doubles.length = 0;
  }

  add(signer: "hub" | Address, user: Address, nonce: bigint, hash: Hash): void {
    const key = `${signer} in the channel of ${user} at nonce ${nonce}`;
    const known = this.#byNonce.get(key);
    if (known !== undefined && known !== hash) this.doubles.push(`${key}: ${known} and ${hash}`);
    this.#byNonce.set(key, hash);
  }

  /** A user signs before its record is on disk, and shows it afterwards: what counts is what it shows. */
  made(signature: Signature, ...what: Parameters<Signatures["add"]>): void {
    this.#made.set(signature, () => this.add(...what));
  }

  shown(message: string): void {
    for (const [signature] of message.matchAll(/0x[0-9a-f]{130}/g)) this.#made.get(signature as Signature)?.();
  }
}
