import type { Address } from "../../../../protocol";
import { hub } from "../actors";
import type { CallName, Calls, LoggedEvent, Outcome, Refusal, Step } from "../calls";
import type { Signatures } from "../signatures";
import type { World } from "../world";
import { Bank } from "./bank";
import { newBooks, undo, type Books, type Change } from "./books";
import { UNGUARDED } from "./guard";

export interface Caller {
  readonly from: Address;
  readonly value: bigint;
}

/**
 * A function as the specification tells it. It answers with every rule that the call breaks; with none, it has made its
 * entries and logged its events. What it did is taken back if it names a reason after all.
 */
export type Rule<F extends CallName> = (model: Model, args: Calls[F], caller: Caller) => readonly Refusal[];

export type Rules = { readonly [F in CallName]: Rule<F> };

/**
 * The rules of docs/protocol.md on plain objects, for the walk to compare the contract with.
 * The specification says what must hold, not what is checked first: so a refusal names all rules that are broken, and
 * the contract must name one of them.
 */
export class Model {
  readonly journal: Change[] = [];
  readonly books: Books;
  readonly bank: Bank;
  readonly events: LoggedEvent[] = [];
  now = 0n;
  #isLocked = false;

  constructor(
    readonly world: World,
    readonly signatures: Signatures,
    private readonly rules: Rules,
  ) {
    this.books = newBooks(world.manager, this.journal);
    this.bank = new Bank(world, this.journal, (from, call) => this.attempt(call.fn, call.args, { from, value: 0n }));
  }

  /** One transaction. Afterwards the journal holds what it changed. */
  run({ at, from, value, call }: Step): Outcome {
    this.now = at;
    this.journal.length = 0;
    this.events.length = 0;
    const reasons = this.attempt(call.fn, call.args, { from, value });
    return reasons.length === 0 ? { ok: true, events: [...this.events] } : { ok: false, reasons };
  }

  /** A call with all its effects, or with none and the reasons. */
  attempt<F extends CallName>(fn: F, args: Calls[F], caller: Caller): readonly Refusal[] {
    const isGuarded = !UNGUARDED.has(fn);
    if (isGuarded && this.#isLocked) return [{ name: "ReentrancyGuardReentrantCall", args: [] }];
    const wasLocked = this.#isLocked;
    this.#isLocked ||= isGuarded;
    const reasons = this.#atomically(() => {
      if (caller.value > 0n) this.bank.moveEther(caller.from, this.world.manager, caller.value);
      return this.rules[fn](this, args, caller);
    });
    this.#isLocked = wasLocked;
    return reasons;
  }

  log(name: string, ...args: readonly unknown[]): void {
    this.events.push({ name, args });
  }

  /** A payout: what does not get through is the user's to claim. */
  payOut(user: Address, to: Address, asset: Address, amount: bigint): void {
    if (amount === 0n) return;
    if (to !== this.world.manager && this.#isPaid(asset, to, amount)) return;
    const { claimable } = this.books;
    claimable.set(claimable.get(user, asset) + amount, user, asset);
    this.log("PayoutFailed", user, asset, to, amount);
  }

  /** A payment that only its caller waits for: it gets through or the whole is refused. */
  send(asset: Address, to: Address, amount: bigint): readonly Refusal[] {
    const payment = this.bank.pay(asset, to, amount, false);
    return payment === "paid" ? [] : [payment.failed];
  }

  addReserve(asset: Address, amount: bigint): void {
    this.books.reserve.set(this.books.reserve.get(asset) + amount, asset);
  }

  /** The zero address, the hub and the contract have no channel. */
  hasChannel(user: Address): boolean {
    return BigInt(user) !== 0n && user !== hub.address && user !== this.world.manager;
  }

  #isPaid(asset: Address, to: Address, amount: bigint): boolean {
    let isPaid = false;
    this.#atomically(() => {
      const payment = this.bank.pay(asset, to, amount, true);
      isPaid = payment === "paid";
      return payment === "paid" || payment.leavesTraces ? [] : [payment.failed];
    });
    return isPaid;
  }

  #atomically(act: () => readonly Refusal[]): readonly Refusal[] {
    const [entries, logged] = [this.journal.length, this.events.length];
    const reasons = act();
    if (reasons.length > 0) {
      undo(this.journal, entries);
      this.events.length = logged;
    }
    return reasons;
  }
}

/** The reason, if the rule is broken. */
export function broken(isBroken: boolean, name: string, ...args: readonly unknown[]): readonly Refusal[] {
  return isBroken ? [{ name, args }] : [];
}
